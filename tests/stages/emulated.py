"""Runs the machine of `tests.stages.vivid_machine` under QEMU, without KVM: what it is to do, and what it says."""

import io
import os
import re
import subprocess
import tarfile
from pathlib import Path

from tests.stages.roots import PROGRAM, pack_program

RUN_S = 900
"""Longest run: emulated, everything takes ten times as long as usual."""


class SecondDisk:
    """A tar file in the making, which is unpacked into the machine's system before that starts.

    Args:
        path: of the tar file; the program and its tests are in it, where `PROGRAM` is inside.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        program = path.with_suffix(".program")
        pack_program(program)
        with tarfile.open(path, "w") as tar, tarfile.open(program) as packed:
            for entry in packed:
                entry.name = f"{PROGRAM[1:]}/{entry.name}"
                tar.addfile(entry, packed.extractfile(entry))
        program.unlink()

    def add(self, path: str, content: str | bytes, mode: int = 0o644, group: int = 0) -> None:
        """Add a file of root's.

        Args:
            path: inside, absolute.
            content: text or bytes.
            mode: of the file.
            group: its number.
        """
        data = content.encode() if isinstance(content, str) else content
        entry = tarfile.TarInfo(path[1:])
        entry.size, entry.mode, entry.gid = len(data), mode, group
        with tarfile.open(self.path, "a") as tar:
            tar.addfile(entry, io.BytesIO(data))

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        entry = tarfile.TarInfo(path[1:])
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        with tarfile.open(self.path, "a") as tar:
            tar.addfile(entry)


def run(machine: Path, second: SecondDisk, first: str, options: str = "", processors: int = 2) -> tuple[int, str]:
    """Boot, and wait until the machine switches itself off.

    Args:
        machine: made by `vivid_machine`.
        second: its second disk; scratch files are written beside it.
        first: the program inside that is to be process 1. In the end, something has to print "ended with STATUS".
        options: more for the kernel's command line.
        processors: of the machine.

    Returns:
        That status, -1 if it never came, and all that came out of the serial console.
    """
    scratch = second.path.parent
    disk = "if=virtio,format=raw"
    command = (
        *("nice", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35"),
        *("-smp", str(processors), "-m", "1024", "-nographic", "-no-reboot", "-nic", "none"),
        *("-kernel", str(machine / "kernel"), "-initrd", str(machine / "initrd")),
        *("-append", f"console=ttyS0 quiet panic=-1 first={first} {options}"),
        *("-drive", f"file={machine / 'disk'},{disk},snapshot=on,cache=unsafe"),
        *("-drive", f"file={second.path},{disk},readonly=on"),
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
    return status_of(said), said


def status_of(said: str) -> int:
    """The one that was printed last, in a whole line; -1 if none was."""
    found = re.findall(r"^ended with (\d+)\n", said, re.MULTILINE)
    return int(found[-1]) if found else -1
