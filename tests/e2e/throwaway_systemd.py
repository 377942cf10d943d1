"""A systemd to try units on: a PID 1 in namespaces of its own, on an overlay of this machine's root, thrown away."""

import ctypes
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ran import printed, ran

BOOT_S = 30.0
STOP_S = 20.0
CLONE_NEWNET = 0x40000000
"""setns(2)."""

# The root has to be mounted a second time to be somebody's root; in a mount namespace of its own that leaves no trace.
_BOOT = """
mount --bind "$1" "$2" && mount --make-private "$2" && shift 2 &&
exec systemd-nspawn --register=no --keep-unit --capability=all --private-network --machine=throwaway --directory="$@"
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """A booted systemd.

    Attributes:
        pid: of its PID 1, as seen from outside.
    """

    pid: int

    def run(
        self, *command: str | Path, check: bool = True, timeout_s: float = 60.0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command inside as root; its standard output and standard error are kept.

        Raises:
            AssertionError: `check`, and its exit status is not 0; the message holds what it printed.
        """
        enter = ("nsenter", "--target", str(self.pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
        return ran(*enter, *command, check=check, timeout_s=timeout_s)

    def text(self, *command: str | Path, check: bool = True) -> str:
        """What a command prints, on both channels."""
        return printed(self.run(*command, check=check))

    def write(self, path: str, text: str) -> None:
        """Write a file inside, with its folders."""
        self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"', "write", path, text)

    def path(self, inside: str) -> Path:
        """Where a file of the machine is seen from outside."""
        return Path(f"/proc/{self.pid}/root") / inside.lstrip("/")

    @contextmanager
    def network(self) -> Iterator[None]:
        """Within, what this thread connects to or listens on is in the machine's own network, which is its loopback."""
        with Path("/proc/thread-self/ns/net").open("rb") as ours, Path(f"/proc/{self.pid}/ns/net").open("rb") as theirs:
            _enter(theirs.fileno())
            try:
                yield
            finally:
                _enter(ours.fileno())


@contextmanager
def boot(binds: Mapping[Path, str], system: Path = Path("/")) -> Iterator[Machine]:
    """Boot, and throw everything away at the end.

    Args:
        binds: folders of this machine → where they are seen inside, read-only. Inside, /tmp is empty.
        system: the folder of the system to boot; this machine's own unless given.

    Raises:
        RuntimeError: it does not come up; the message holds its log.
    """
    # device and address rules need both: the unified hierarchy, and leave to load BPF programs
    environment = {**os.environ, "SYSTEMD_SECCOMP": "0", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    shown = [f"--bind-ro={outside}:{inside}" for outside, inside in binds.items()]
    with tempfile.TemporaryDirectory(prefix="throwaway-systemd-") as scratch:
        root, log_path = Path(scratch) / "root", Path(scratch) / "log"
        root.mkdir()
        options = [str(root), "--volatile=overlay", *shown, "--console=pipe", "--boot", "systemd.unit=basic.target"]
        with log_path.open("wb") as log:
            nspawn = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", _BOOT, "boot", str(system), str(root), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        try:
            yield _when_up(nspawn, log_path)
        finally:
            nspawn.terminate()
            try:
                nspawn.wait(STOP_S)
            except subprocess.TimeoutExpired:
                nspawn.kill()
                nspawn.wait()


def _enter(network: int) -> None:
    """Move the calling thread, and no other, into a network by its descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(network, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot enter the network of the throw-away machine")


def _when_up(nspawn: subprocess.Popen[bytes], log_path: Path) -> Machine:
    end_s = time.monotonic() + BOOT_S
    while time.monotonic() < end_s and nspawn.poll() is None:
        for child in Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split():
            machine = Machine(int(child))
            if machine.run("systemctl", "is-active", "basic.target", check=False).stdout == b"active\n":
                return machine
        time.sleep(0.1)
    raise RuntimeError(f"systemd did not come up within {BOOT_S:.0f} s:\n{log_path.read_text(errors='replace')}")
