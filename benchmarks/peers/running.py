"""One program, from its start to the end of the film: what that costs."""

import os
import re
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from edge.errors import PermanentError

ROOT = Path(__file__).parents[2]
FIRST_PICTURE_S = 120.0
"""Some need half a minute until they have loaded on a slow disk."""
LONGEST_S = 600.0
LOOK_S = 0.02
STREAM = "stream.mjpg"
SEQUENCE = re.compile(rb"X-Sequence: (\d+)\r\n")
"""Once in every part of a stream: the frame's number."""
LONGEST_HEADER = 64


class Cost(msgspec.Struct, frozen=True):
    """One run.

    Attributes:
        cpu_s: processor time of the whole process and all its children, start and end included.
        wall_s: from its start to its end.
        peak_mib: most resident memory (VmHWM); None if the program was at its end before it was looked at.
        start_s: until the viewer had the first annotated picture; None without a viewer, as the next two.
        start_cpu_s: processor time until then.
        steady_ms: processor time of a frame between the first picture and the last.
        pictures: that reached the viewer.
    """

    cpu_s: float
    wall_s: float
    peak_mib: float | None = None
    start_s: float | None = None
    start_cpu_s: float | None = None
    steady_ms: float | None = None
    pictures: int = 0


class _Seen:
    """What the viewer noted: at the first picture and at the latest."""

    def __init__(self) -> None:
        self.pictures = 0
        self.first_s = self.first_cpu_s = self.cpu_s = 0.0
        self.first_seq = self.seq = 0
        self.peak_kb = 0


def run_watched(command: Sequence[str], *, waits: bool = True) -> Cost:
    """Start a program that prints its URL, take its stream to the end, and say what it cost.

    Args:
        command: as for `subprocess`; run in the checkout's root.
        waits: whether it cannot be at its end before the viewer has seen something.

    Raises:
        PermanentError: it does not start, fails, shows nothing, or does not end.
    """
    seen = _Seen()
    with tempfile.TemporaryFile("w+") as said, _started(command, said) as started:
        try:
            _watch(f"{_url(started.process)}{STREAM}", started.process.pid, seen)
        except (OSError, HTTPException, PermanentError) as error:
            if waits or isinstance(error, PermanentError):
                raise PermanentError(f"{_name(command)} cannot be watched ({error}): {_last_line(said)}") from error
        cpu_s, wall_s = _ended(started, command, said)
    frames = seen.seq - seen.first_seq
    if frames < 1:
        if waits:
            raise PermanentError(f"{_name(command)} showed {seen.pictures} pictures, expected at least two")
        return Cost(cpu_s=cpu_s, wall_s=wall_s, pictures=seen.pictures)
    return Cost(
        cpu_s=cpu_s,
        wall_s=wall_s,
        peak_mib=round(seen.peak_kb / 1024, 1),
        start_s=round(seen.first_s - started.at_s, 3),
        start_cpu_s=round(seen.first_cpu_s, 3),
        steady_ms=round(1e3 * (seen.cpu_s - seen.first_cpu_s) / frames, 3),
        pictures=seen.pictures,
    )


def run_alone(command: Sequence[str]) -> Cost:
    """Start a program that works without a viewer, wait for its end, and say what it cost.

    Args:
        command: as for `subprocess`; run in the checkout's root.

    Raises:
        PermanentError: it fails, or does not end.
    """
    peak_kb = 0
    with tempfile.TemporaryFile("w+") as said, _started(command, said) as started:
        # the end is looked for without taking it away from `_ended`
        while not os.waitid(os.P_PID, started.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            peak_kb = max(peak_kb, _peak_kb(started.process.pid))
            time.sleep(LOOK_S)
        cpu_s, wall_s = _ended(started, command, said)
    return Cost(cpu_s=cpu_s, wall_s=wall_s, peak_mib=round(peak_kb / 1024, 1))


class _Started(NamedTuple):
    """A process, and when it was started."""

    process: subprocess.Popen[str]
    at_s: float


@contextmanager
def _started(command: Sequence[str], said: IO[str]) -> Iterator[_Started]:
    """The process; killed where it does not end."""
    at_s = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True, cwd=ROOT) as process:
        guard = threading.Timer(LONGEST_S, process.kill)
        guard.start()
        try:
            yield _Started(process, at_s)
        except BaseException:
            process.kill()
            raise
        finally:
            guard.cancel()


def _ended(started: _Started, command: Sequence[str], said: IO[str]) -> tuple[float, float]:
    """Seconds of processor and of the clock that it took in all."""
    _, status, usage = os.wait4(started.process.pid, 0)
    wall_s = time.monotonic() - started.at_s
    started.process.returncode = os.waitstatus_to_exitcode(status)
    if started.process.returncode:
        raise PermanentError(f"{_name(command)} ended with {started.process.returncode}: {_last_line(said)}")
    return round(usage.ru_utime + usage.ru_stime, 3), round(wall_s, 3)


def _url(process: subprocess.Popen[str]) -> str:
    """The URL that it prints; what it prints later is too little to fill the pipe."""
    words = process.stdout.readline().split() if process.stdout else []
    url = next((word for word in words if word.startswith("http")), None)
    if url is None:
        raise PermanentError("it did not print its URL")
    return url


def _watch(url: str, pid: int, seen: _Seen) -> None:
    """Take every picture until the program hangs up, as a browser would."""
    # the process's clock as Linux names it: see clock_getcpuclockid(3)
    clock, rest = ~pid << 3 | 2, b""
    with urllib.request.urlopen(url, timeout=FIRST_PICTURE_S) as stream:
        while data := stream.read1(1 << 16):
            rest += data
            for number in map(int, SEQUENCE.findall(rest)):
                if number == seen.seq:
                    continue  # the last one is sent again at the end
                seen.seq, seen.cpu_s = number, time.clock_gettime(clock)
                seen.peak_kb = max(seen.peak_kb, _peak_kb(pid))
                if not seen.pictures:
                    seen.first_s, seen.first_seq, seen.first_cpu_s = time.monotonic(), seen.seq, seen.cpu_s
                seen.pictures += 1
            last = max((match.end() for match in SEQUENCE.finditer(rest)), default=0)
            rest = rest[max(last, len(rest) - LONGEST_HEADER) :]


def _peak_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0  # it has ended; what was read before stands


def _name(command: Sequence[str]) -> str:
    return " ".join(Path(word).name for word in command[:4])


def _last_line(said: IO[str]) -> str:
    said.seek(0)
    lines = [line for line in said.read().splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
