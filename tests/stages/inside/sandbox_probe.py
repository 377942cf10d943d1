"""Tries what the service must not be able to do, each attempt in a process of its own, and writes what came of it.

    python -m tests.stages.inside.sandbox_probe FILE

FILE gets a JSON object: attempt → "done", the name of the error, or the signal that ended it. Nothing is changed where
an attempt succeeds: what would change something is asked for with arguments that make no sense, which the kernel finds
out after it has looked who asks. So an `EINVAL` means that the way was free.
"""

import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

PLACES = ("/boot", "/etc", "/media", "/opt", "/run", "/srv", "/usr", "/var", "/var/lib", "/var/log")
OPEN_FOLDERS = tuple(f"{place}/open" for place in PLACES)
"""Made by the test: everybody may write there, as far as owner and mode tell."""
HOMES = ("/home/anna", "/root")
SETUID = "/srv/open/id"
"""A copy of `id` that belongs to root and runs as its owner."""
DEVICES = {"/dev/open-fuse": (10, 229), "/dev/open-kmsg": (1, 11), "/dev/open-loop-control": (10, 237)}
"""Made by the test, major and minor number: everybody may open them, as far as owner and mode tell."""
FAMILIES = {
    "AF_PACKET": (17, socket.SOCK_RAW),
    "AF_CAN": (29, socket.SOCK_RAW),
    "AF_TIPC": (30, socket.SOCK_SEQPACKET),
    "AF_BLUETOOTH": (31, socket.SOCK_SEQPACKET),
    "AF_ALG": (38, socket.SOCK_SEQPACKET),
    "AF_VSOCK": (40, socket.SOCK_STREAM),
}
"""Number, and a kind of socket that it has."""
ALLOWED_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MACHINES = ("x86_64", "aarch64")
SYSCALLS = {"clock_settime": (227, 112), "finit_module": (313, 273), "reboot": (169, 142)}
"""Where the C library looks at the arguments itself, or has no function: the number on each of `MACHINES`."""
NOBODY = 65534
PER_LINUX32 = 8
PTRACE_TRACEME = 0


def attempts() -> Iterator[tuple[str, Callable[[], None]]]:
    """Name and deed of each."""
    for folder in (*OPEN_FOLDERS, "/dev/shm"):
        yield f"write to {folder}", lambda folder=folder: write(folder)
    for name in HOMES:
        yield f"read {name}", lambda name=name: read(f"{name}/letter")
    for device in DEVICES:
        yield f"open {device}", lambda device=device: open_device(device)
    for name, (number, kind) in FAMILIES.items():
        yield f"socket {name}", lambda number=number, kind=kind: talk(number, kind)
    yield "become root by a setuid program", become_root
    yield "make a setuid program", make_setuid
    yield "memory to write and to execute", writable_code
    yield "memory to write, then to execute", code_later
    yield "see process 1", lambda: read("/proc/1/status")
    yield "see kernel messages", lambda: native("klogctl", 3, ctypes.create_string_buffer(64), 64)
    yield "set a kernel parameter", lambda: rewrite("/proc/sys/kernel/domainname")
    yield "make a control group", make_group
    yield "set the clock", lambda: system_call("clock_settime", 0, ctypes.byref((ctypes.c_long * 2)(0, -1)))
    yield "set the host name", lambda: native("sethostname", b"x" * 65, 65)
    yield "load a module", lambda: system_call("finit_module", -1, b"", 0)
    yield "restart the machine", lambda: system_call("reboot", 0, 0, 0, 0)
    yield "make a user namespace", lambda: native("unshare", CLONE_NEWUSER)
    yield "make a mount namespace", lambda: native("unshare", CLONE_NEWNS)
    yield "mount", lambda: native("mount", b"none", b"/", b"no-such-type", 0, None)
    yield "trace a process", lambda: native("ptrace", PTRACE_TRACEME, 0, 0, 0)
    yield "run in real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    yield "change its personality", lambda: native("personality", PER_LINUX32)
    yield "signal a process of another user", lambda: os.kill(1, 0)


def needed() -> Iterator[tuple[str, Callable[[], None]]]:
    """What it must be able to do."""
    state = os.environ.get("STATE_DIRECTORY", "/tmp")
    yield "write to its state directory", lambda: write(state)
    yield "write to /tmp", lambda: write("/tmp")
    yield "read /proc/cpuinfo", lambda: read("/proc/cpuinfo")
    yield "read /sys/devices/system/cpu", lambda: read("/sys/devices/system/cpu/possible")
    for name, number in ALLOWED_FAMILIES.items():
        yield f"socket {name}", lambda number=number: talk(number, socket.SOCK_STREAM)
    yield "start a process", lambda: subprocess.run(["/bin/true"], check=True) and None
    yield "be nicer", lambda: os.nice(5) and None


def native(name: str, *arguments: object) -> None:
    """Call a function of the C library."""
    if getattr(LIBC, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def system_call(name: str, *arguments: object) -> None:
    """The same for a call by its number."""
    native("syscall", SYSCALLS[name][MACHINES.index(os.uname().machine)], *arguments)


def write(folder: str) -> None:
    path = Path(folder) / f"probe-{os.getpid()}"
    path.write_text("here I was")
    path.unlink()


def read(path: str) -> None:
    Path(path).read_bytes()


def rewrite(path: str) -> None:
    """Write what is there anyway."""
    Path(path).write_bytes(Path(path).read_bytes())


def open_device(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


def talk(family: int, kind: int) -> None:
    socket.socket(family, kind, 1 if family == FAMILIES["AF_CAN"][0] else 0).close()


def become_root() -> None:
    if os.getuid() == 0:  # only somebody else can become it
        os.setresuid(NOBODY, NOBODY, NOBODY)
    told = subprocess.run([SETUID, "-u"], capture_output=True, text=True, check=True).stdout.strip()
    if told != "0":
        raise OSError(errno.EPERM, f"it runs as {told}")


def make_setuid() -> None:
    path = Path(os.environ.get("STATE_DIRECTORY", "/tmp")) / f"setuid-{os.getpid()}"
    path.write_text("")
    try:
        path.chmod(0o755 | stat.S_ISUID)
    finally:
        path.unlink()


def writable_code() -> None:
    mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def code_later() -> None:
    memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    native("mprotect", ctypes.c_void_p(address), ctypes.c_size_t(mmap.PAGESIZE), mmap.PROT_READ | mmap.PROT_EXEC)


def make_group() -> None:
    path = Path(f"/sys/fs/cgroup/probe-{os.getpid()}")
    path.mkdir()
    path.rmdir()


def outcome(deed: Callable[[], None]) -> str:
    """What becomes of it, in a process of its own."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            deed()
            told = "done"
        except OSError as error:
            told = errno.errorcode.get(error.errno or 0, str(error))
        except Exception as error:  # noqa: BLE001 (whatever it is, it is told)
            told = f"{type(error).__name__}: {error}"
        os.write(sending, told.encode())
        os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        said = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return signal.Signals(-status).name if status < 0 else said


def main(target: Path) -> None:
    """Try everything."""
    found = {
        "attempts": {name: outcome(deed) for name, deed in attempts()},
        "needed": {name: outcome(deed) for name, deed in needed()},
        "processes": sorted(path.name for path in Path("/proc").glob("[0-9]*") if path.name != str(os.getpid())),
        "status": dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines()),
    }
    target.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
