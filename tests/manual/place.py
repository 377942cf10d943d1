"""A folder with what the commands of the docs speak of, and a network of its own, where port 8080 is free."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from edge.classifier import SHIPPED
from tests.clips import clip, picture
from tests.elsewhere import require_root
from tests.manual.commands import ROOT
from tests.tools import require_tool

MOMENT_S = 1.5
"""A program that goes on until it is stopped is left alone for so long, unless it ends before."""
NOT_COPIED = (".git", ".venv", ".*cache*", ".benchmarks", "__pycache__", "runs", "dist", "build")

# its loopback interface is down at first; SIOCSIFFLAGS with IFF_UP, see netdevice(7)
_HOLD = """
import fcntl, signal, socket, struct
with socket.socket() as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh", b"lo", 1))
print("up", flush=True)
signal.pause()
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where commands are typed.

    Attributes:
        folder: the current one.
        holder: a process in the network; 0: the network is this machine's own.
    """

    folder: Path
    holder: int = 0

    def start(self, command: str) -> subprocess.Popen[str]:
        """Type a command; what it prints on either channel can be read from its `stdout`."""
        shell = ("bash", "-o", "pipefail", "-c", command)
        enter = ("nsenter", f"--net=/proc/{self.holder}/ns/net") if self.holder else ()
        own = f"{self.folder / '.venv' / 'bin'}:{os.environ['PATH']}"
        kept = {key: value for key, value in os.environ.items() if not key.startswith("EMOTION_EDGE_")}
        return subprocess.Popen(
            (*enter, *shell),
            cwd=self.folder,
            env={**kept, "PATH": own, "HOME": str(self.folder / "home"), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def typed(self, command: str, *, timeout_s: float = 120) -> str:
        """What a command prints until it ends.

        Raises:
            AssertionError: its exit status is not 0; the message holds what it printed.
        """
        process = self.start(command)
        try:
            said, _ = process.communicate(timeout=timeout_s)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, f"{command} ended with {process.returncode}:\n{said}"
        return said

    def watched(self, command: str, sign: str, ends: int = 0) -> str:
        """What a command that goes on prints until a moment after a sign, when it is asked to end.

        Args:
            command: which.
            sign: a part of the line after which it is at work.
            ends: its exit status.

        Raises:
            AssertionError: it ends without the sign, or with another status; the message holds what it printed.
        """
        process = self.start(f"exec {command}")
        assert process.stdout is not None
        try:
            said = ""
            while sign not in said:
                line = process.stdout.readline()
                assert line, f"{command} ended:\n{said}"
                said += line
            with suppress(subprocess.TimeoutExpired):
                process.wait(MOMENT_S)
            process.terminate()
            rest = process.stdout.read()
            process.wait()
        finally:
            process.kill()
            process.communicate()
        assert process.returncode in (ends, 0), f"{command} ended with {process.returncode}:\n{said}{rest}"
        return said + rest


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """An empty folder, filled."""
    require_root("a network of its own")
    require_tool("nsenter", "apt-get install -y util-linux")
    _fill(folder)
    command = ["unshare", "--net", sys.executable, "-c", _HOLD]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "up\n"
            yield Place(folder, holder.pid)
        finally:
            holder.kill()


def copy_checkout(folder: Path) -> None:
    """All that a checkout has, and nothing that was made in it."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)


def _fill(folder: Path) -> None:
    """A checkout, with files of the names that the docs use."""
    copy_checkout(folder)
    (folder / "home").mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("one.tflite", "other.tflite"):
        shutil.copy2(SHIPPED, folder / name)
    for number, name in enumerate(("holiday.jpg", "party.jpg", "holiday/1.jpg", "holiday/2.jpg", "photos/1.jpg")):
        picture(folder / name, seed=number)
    clip(folder / "film.mp4", 20)
