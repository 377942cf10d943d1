"""`python -m benchmarks.viewers`: many viewers at once, some of them stalled, beside a plain server in the same run.

The program on its demo, in a process of its own; all viewers in another one. Beside it a server as examples for
beginners have it (a thread for each client), which gives out the same JPEGs at the same rate.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from shutil import which
from urllib.parse import urlsplit

import msgspec
import numpy as np

from benchmarks.crowds import Crowd, Crowds
from benchmarks.outcome import outcome
from benchmarks.viewers_page import document
from benchmarks.watchers import Watched
from edge.bench.served import url_of
from edge.errors import PermanentError
from edge.machine import describe
from edge.status import Status
from training.reporting.document import write

FPS = 30
VIEWERS = (1, 10, 50)
STALLED = 5
PICTURES = 60
"""For the plain server to give out."""
WARM_S = 4.0
"""Until the program has found the faces, made its caches and looked at everything once."""
TIMEOUT_S = 20.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def survey(seconds: float, viewers: Sequence[int], say: Callable[[str], None]) -> Crowds:
    """Measure the program and the plain server with so many viewers each, one after the other."""
    if not sys.platform.startswith("linux"):
        raise PermanentError(f"many viewers are measured on Linux only, not on {sys.platform}")
    machine = describe()
    found: list[Crowd] = []
    with tempfile.TemporaryDirectory(prefix="emotion-edge-") as folder:
        with _program() as (process, url):
            time.sleep(WARM_S)
            _keep_pictures(url, Path(folder))
            first_kb = _rss_kb(process.pid)
            for count in viewers:
                found.append(_measured("emotion-edge", process.pid, url, count, seconds))
                say(found[-1].text())
            growth_mib = (_rss_kb(process.pid) - first_kb) / 1024
        with _plain(Path(folder)) as (process, url):
            time.sleep(WARM_S / 4)
            for count in viewers:
                found.append(_measured("plain server", process.pid, url, count, seconds))
                say(found[-1].text())
    left_out = "" if which("ustreamer") else "ustreamer is not installed"
    return Crowds(
        machine, seconds, STALLED, tuple(found), growth_mib, left_out or "ustreamer needs a camera of its own kind"
    )


def _measured(server: str, pid: int, url: str, count: int, seconds: float) -> Crowd:
    port = urlsplit(url).port
    command = [sys.executable, "-m", "benchmarks.watchers", *map(str, (port, count, STALLED, seconds))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watchers:
        out = watchers.stdout
        if out is None or not out.readline():
            raise PermanentError(f"the {count} viewers of {url} could not connect")
        # the process's clock as Linux names it: see clock_getcpuclockid(3)
        clock, before = ~pid << 3 | 2, _counts(server, url)
        start_s, cpu_s, rss_kb = time.monotonic(), time.clock_gettime(clock), _rss_kb(pid)
        line = out.readline()
        cpu_s, span_s, after_kb = time.clock_gettime(clock) - cpu_s, time.monotonic() - start_s, _rss_kb(pid)
        encoded, scenes = (after - first for after, first in zip(_counts(server, url), before, strict=True))
    watched = msgspec.json.decode(line, type=Watched)
    if not watched.ages_ms:
        raise PermanentError(f"none of the {count} viewers of {url} got a picture within {seconds:g} s")
    rates = sorted(pictures / watched.seconds for pictures in watched.pictures)
    p50, p95 = (round(float(value), 2) for value in np.percentile(watched.ages_ms, (50, 95)))
    return Crowd(
        server=server,
        viewers=count,
        least_fps=round(rates[0], 2),
        median_fps=round(float(np.median(rates)), 2),
        p50_ms=p50,
        p95_ms=p95,
        cpu_share=round(cpu_s / span_s, 4),
        rss_before_mib=round(rss_kb / 1024, 2),
        rss_after_mib=round(after_kb / 1024, 2),
        encodes_per_scene=round(encoded / scenes, 4) if scenes else None,
        lost=watched.lost,
    )


def _counts(server: str, url: str) -> tuple[int, int]:
    """JPEGs encoded and scenes analysed so far; zeros where nobody counts."""
    if server != "emotion-edge":
        return 0, 0
    with urllib.request.urlopen(f"{url}state", timeout=TIMEOUT_S) as answer:
        status = msgspec.json.decode(answer.read(), type=Status)
    return status.encoded, sum(status.decisions.values())


def _rss_kb(pid: int) -> int:
    """Resident memory in KiB, without pages of files: those the kernel may take back at any time."""
    _, resident, shared = map(int, Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[:3])
    return (resident - shared) * PAGE_BYTES // 1024


def _keep_pictures(url: str, folder: Path) -> None:
    with urllib.request.urlopen(f"{url}stream.mjpg", timeout=TIMEOUT_S) as stream:
        for index in range(PICTURES):
            length = 0
            while (line := stream.readline().strip()) or not length:
                key, _, value = line.partition(b":")
                if key.lower() == b"content-length":
                    length = int(value)
            (folder / f"{index:04d}.jpg").write_bytes(stream.read(length))


Running = tuple[subprocess.Popen[str], str]


@contextmanager
def _started(command: list[str], **environment: str) -> Iterator[Running]:
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    ) as process:
        # its log must not fill the pipe
        threading.Thread(target=partial(_drained, process), daemon=True).start()
        try:
            yield process, url_of(process)
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)


def _program() -> AbstractContextManager[Running]:
    command = [sys.executable, "-m", "edge", "run", "--port", "0", "--source", f"demo:?fps={FPS}"]
    return _started(command, EMOTION_EDGE_SERVER_MAX_CLIENTS=str(max(VIEWERS) * 2))


def _plain(folder: Path) -> AbstractContextManager[Running]:
    return _started([sys.executable, "-m", "benchmarks.plain_server", str(folder), str(FPS)])


def _drained(process: subprocess.Popen[str]) -> None:
    for _ in process.stderr or ():
        pass


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 78 what was asked for cannot be done as asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.viewers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of each number of viewers; default: 60")
    parser.add_argument("--out", type=Path, default=Path("runs/viewers"), help="default: runs/viewers")
    given = parser.parse_args(argv)
    return outcome(lambda: print(f"page in {write(document(survey(given.seconds, VIEWERS, print)), given.out)}"))


if __name__ == "__main__":
    sys.exit(main())
