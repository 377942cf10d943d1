"""The disk of a whole machine with a V4L2 camera: Debian with its kernel, the test camera `vivid`, and systemd.

The system is made once and kept; a run (`tests.stages.emulated`) writes nothing to it. What it is to do comes as a
second disk: a tar file, which is unpacked into the system before that starts.
"""

import gzip
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from tests.elsewhere import call, made
from tests.stages.roots import GLIBC, add_wheels, device_requirements, key, unpack_debian

SUITE = "bookworm"
DEBIAN = [
    "base-files",
    "base-passwd",
    "bash",
    "busybox-static",
    "coreutils",
    "kmod",
    "libgomp1",
    "libstdc++6",
    "linux-image-amd64",
    "mount",
    "python3",
    "systemd",
    "systemd-sysv",
    "udev",
    "util-linux",
    "v4l-utils",
]
TO_BOOT = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
MODULES = (*TO_BOOT, "vivid")
IMAGE_MB = 1400
SERVICE_ID = 990
"""Number of the service's user and group, which a package or installer would have made."""
MACHINE_ID = "3c1d5e7a9b0f4c628d1e3f5a7b9c0d2e"
"""Without one systemd takes each boot for the first one."""

_FIRST = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev /sys /root
/bin/busybox mount -t devtmpfs devtmpfs /dev
for module in {modules}; do /bin/busybox insmod /modules/$module; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox tar -x -f /dev/vdb -C /root
/bin/busybox umount /dev
# the kernel hands over what it does not know of its command line
exec /bin/busybox switch_root /root "$first"
"""


def vivid_machine(cache: Path) -> Path:
    """The folder with kernel, initrd and disk; made unless it is there."""
    folder = cache / f"vivid-{key(Path(__file__).read_text(), GLIBC)}"
    with made(folder) as missing:
        if missing:
            folder.mkdir()
            root = folder / "root"
            unpack_debian(SUITE, DEBIAN, root)
            add_wheels(SUITE, root, device_requirements())
            (version,) = (path.name for path in (root / "usr" / "lib" / "modules").iterdir())
            shutil.copy2(root / "boot" / f"vmlinuz-{version}", folder / "kernel")
            _write_initrd(folder / "initrd", root, _keep_modules(root, version))
            _prepare(root)
            call("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(folder / "disk"), f"{IMAGE_MB}M")
            shutil.rmtree(root)
    return folder


def _prepare(root: Path) -> None:
    """What Debian's own scripts, an installer and the first boot would have done."""
    etc = root / "etc"
    (etc / "machine-id").write_text(f"{MACHINE_ID}\n")
    (etc / "hostname").write_text("camera\n")
    with (etc / "passwd").open("a") as users, (etc / "group").open("a") as groups:
        users.write(f"emotion-edge:x:{SERVICE_ID}:{SERVICE_ID}::/var/lib/emotion-edge:/usr/sbin/nologin\n")
        groups.write(f"emotion-edge:x:{SERVICE_ID}:\n")


def _keep_modules(root: Path, version: str) -> list[Path]:
    """Drop all modules of the kernel but `MODULES` and what they need; returns those to boot with, in order."""
    folder = root / "usr" / "lib" / "modules" / version
    call("chroot", str(root), "/sbin/depmod", version)
    needs: dict[str, list[str]] = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, needed = line.partition(":")
        # listed in the order in which they are to be removed
        needs[path] = [*reversed(needed.split()), path]
    named = {Path(path).name.partition(".")[0].replace("-", "_"): path for path in needs}
    kept = [path for module in MODULES for path in needs[named[module]]]
    for path in needs:
        if path not in kept:
            (folder / path).unlink()
    call("chroot", str(root), "/sbin/depmod", version)
    to_boot = dict.fromkeys(path for module in TO_BOOT for path in needs[named[module]])
    return [folder / path for path in to_boot]


def _write_initrd(target: Path, root: Path, modules: Iterable[Path]) -> None:
    """A cpio archive in the kernel's format ("newc"), see the kernel's Documentation/driver-api/early-userspace."""
    listed = list(modules)
    init = _FIRST.format(modules=" ".join(path.name for path in listed)).encode()
    folders = [(name, stat.S_IFDIR | 0o755, b"") for name in ("bin", "modules")]
    files = [
        ("bin/busybox", stat.S_IFREG | 0o755, (root / "bin" / "busybox").read_bytes()),
        ("init", stat.S_IFREG | 0o755, init),
    ]
    files += [(f"modules/{path.name}", stat.S_IFREG | 0o644, path.read_bytes()) for path in listed]
    archive = b"".join(
        _entry(number, *each) for number, each in enumerate([*folders, *files, ("TRAILER!!!", 0, b"")], 1)
    )
    target.write_bytes(gzip.compress(archive, 1))


def _entry(number: int, name: str, mode: int, content: bytes) -> bytes:
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return _padded(head) + _padded(content)


def _padded(part: bytes) -> bytes:
    return part + b"\0" * (-len(part) % 4)
