"""A whole machine with a V4L2 camera: QEMU, without KVM, with Debian's kernel and its test camera `vivid`.

The system is made once and kept; a run writes nothing to it. The program of the checkout comes as a second disk.
"""

import gzip
import os
import shutil
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.elsewhere import call, made
from tests.stages.roots import (
    GLIBC,
    PACKAGES,
    PROGRAM,
    add_wheels,
    device_requirements,
    key,
    pack_program,
    unpack_debian,
)

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
    "udev",
    "util-linux",
    "v4l-utils",
]
TO_BOOT = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
MODULES = (*TO_BOOT, "vivid")
IMAGE_MB = 1200
RUN_S = 900
"""Longest run: emulated, everything takes ten times as long as usual."""

_FIRST = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev /sys /root
/bin/busybox mount -t devtmpfs devtmpfs /dev
for module in {modules}; do /bin/busybox insmod /modules/$module; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox umount /dev
exec /bin/busybox switch_root /root /sbin/stage
"""

_STAGE = """#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH={program}:{packages}
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev; mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run; mkdir /dev/shm; mount -t tmpfs tmpfs /dev/shm
busybox ifconfig lo 127.0.0.1 up
/lib/systemd/systemd-udevd --daemon
mkdir -p {program}; busybox tar -x -f /dev/vdb -C {program}
cd /; python3 -u -m tests.stages.inside.vivid_checks </dev/null
echo "ended with $?"
busybox poweroff -f
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
            _write_script(root / "sbin" / "stage", _STAGE.format(program=PROGRAM, packages=PACKAGES))
            call("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(folder / "disk"), f"{IMAGE_MB}M")
            shutil.rmtree(root)
    return folder


def run(machine: Path, scratch: Path, processors: int = 2) -> tuple[int, str]:
    """Boot, go through the checks, and switch off.

    Args:
        machine: made by `vivid_machine`.
        scratch: an empty folder.
        processors: of the machine.

    Returns:
        Exit status of the checks, -1 if they did not end, and all that came out of the serial console.
    """
    program = scratch / "program.tar"
    pack_program(program)
    disk = "if=virtio,format=raw"
    command = (
        *("nice", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35"),
        *("-smp", str(processors), "-m", "1024", "-nographic", "-no-reboot", "-nic", "none"),
        *("-kernel", str(machine / "kernel"), "-initrd", str(machine / "initrd")),
        *("-append", "console=ttyS0 quiet panic=-1"),
        *("-drive", f"file={machine / 'disk'},{disk},snapshot=on,cache=unsafe"),
        *("-drive", f"file={program},{disk},readonly=on"),
    )
    console = scratch / "console"
    with console.open("wb") as output:
        qemu = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, "TMPDIR": str(scratch)}
        )
        try:
            qemu.wait(RUN_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            qemu.kill()
            qemu.wait()
    said = console.read_text(errors="replace").replace("\r", "")
    _, found, status = said.rpartition("\nended with ")
    return int(status.split()[0]) if found else -1, said


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


def _write_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
