"""`python -m benchmarks.streaming.viewers`: many viewers at once, some of them stalled, beside two other servers.

The program, a server as examples for beginners have it (a thread for each client) and ustreamer, where it is installed,
each on the same camera made of code (`benchmarks.streaming.fake_camera`): one that delivers JPEGs and one that delivers
raw pictures. Each server is a process of its own, all viewers are in another one. Servers take turns, started anew in
each round.
"""

import argparse
import itertools
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.outcome import outcome
from benchmarks.started import TIMEOUT_S
from benchmarks.streaming.crowds import OWN, Crowd, Crowds
from benchmarks.streaming.fake_camera import FORMATS, Camera, Format, fake_camera
from benchmarks.streaming.streamers import HOST, SERVERS, USTREAMER, Streamer, version_of_ustreamer
from benchmarks.streaming.viewers_page import document
from benchmarks.streaming.watchers import Watched
from edge.errors import ConfigError, PermanentError
from edge.machine import describe
from edge.status import Status
from training.reporting.document import write

VIEWERS = (1, 10, 50)
STALLED = 5
WARM_S = 4.0
"""Until the program has found the faces, made its caches and looked at everything once."""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def survey(seconds: float, viewers: Sequence[int], rounds: int, say: Callable[[str], None]) -> Crowds:
    """Measure each server on each camera with so many viewers each, one after the other, and all of it again.

    Args:
        seconds: of each number of viewers.
        viewers: how many, the fewest first.
        rounds: how often.
        say: is told each figure as it comes.

    Raises:
        ConfigError: no time, or no round.
        PermanentError: it cannot be measured here.
    """
    if seconds <= 0 or rounds < 1:
        raise ConfigError(f"{rounds} rounds of {seconds:g} s measure nothing; expected at least one, of more than 0 s")
    if not sys.platform.startswith("linux"):
        raise PermanentError(f"many viewers are measured on Linux only, not on {sys.platform}")
    machine = describe()
    version = version_of_ustreamer()
    servers = [server for server in SERVERS if version or server != USTREAMER]
    found: list[Crowd] = []
    growth_mib = 0.0
    for server, code in _turns(servers, rounds):
        with fake_camera(code) as camera, SERVERS[server](camera) as streamer:
            time.sleep(WARM_S)
            first_mib = _resident_mib(streamer)[1]
            for count in viewers:
                found.append(_measured(server, camera, streamer, count, seconds))
                say(found[-1].text())
            if server == OWN:
                growth_mib = max(growth_mib, _resident_mib(streamer)[1] - first_mib)
    left_out = "" if version else "ustreamer is not installed (apt-get install ustreamer)"
    return Crowds(machine, seconds, rounds, STALLED, tuple(found), round(growth_mib, 2), version, left_out)


def _turns(servers: Sequence[str], rounds: int) -> Iterator[tuple[str, Format]]:
    """Which server on which camera is next; each round begins with another server."""
    for number in range(rounds):
        first = number % len(servers)
        yield from itertools.product((*servers[first:], *servers[:first]), FORMATS)


def _measured(server: str, camera: Camera, streamer: Streamer, count: int, seconds: float) -> Crowd:
    command = [
        sys.executable,
        "-m",
        "benchmarks.streaming.watchers",
        *map(str, (streamer.port, count, STALLED, seconds)),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watchers:
        out = watchers.stdout
        if out is None or not out.readline():
            raise PermanentError(f"the {count} viewers of {server} could not connect")
        before, before_mib = _counts(server, streamer), _resident_mib(streamer)[1]
        start_s, cpu_s = time.monotonic(), streamer.process.cpu_s()
        out.readline()
        cpu_s, span_s = streamer.process.cpu_s() - cpu_s, time.monotonic() - start_s
        rss_mib, after_mib = _resident_mib(streamer)
        encoded, scenes = (after - first for after, first in zip(_counts(server, streamer), before, strict=True))
        line = out.readline()
    watched = msgspec.json.decode(line, type=Watched)
    if not watched.ages_ms:
        raise PermanentError(
            f"none of the {count} viewers of {server} got a picture of the camera ({camera.format}) in {seconds:g} s"
        )
    rates = sorted(pictures / watched.seconds for pictures in watched.pictures)
    p50, p95 = (round(float(value), 2) for value in np.percentile(watched.ages_ms, (50, 95)))
    return Crowd(
        server=server,
        camera=camera.format,
        viewers=count,
        least_fps=round(rates[0], 2),
        median_fps=round(float(np.median(rates)), 2),
        p50_ms=p50,
        p95_ms=p95,
        cpu_share=round(cpu_s / span_s, 5),
        rss_mib=round(rss_mib, 2),
        rss_before_mib=round(before_mib, 2),
        rss_after_mib=round(after_mib, 2),
        picture_kib=round(watched.picture_bytes / 1024, 2),
        encodes_per_scene=round(encoded / scenes, 4) if scenes else None,
        lost=watched.lost,
    )


def _counts(server: str, streamer: Streamer) -> tuple[int, int]:
    """JPEGs encoded and scenes analysed so far; zeros where nobody counts."""
    if server != OWN:
        return 0, 0
    with urllib.request.urlopen(f"http://{HOST}:{streamer.port}/state", timeout=TIMEOUT_S) as answer:
        status = msgspec.json.decode(answer.read(), type=Status)
    return status.encoded, sum(status.decisions.values())


def _resident_mib(streamer: Streamer) -> tuple[float, float]:
    """Resident memory, and the same without pages of files: those the kernel may take back at any time."""
    stated = Path(f"/proc/{streamer.process.process.pid}/statm").read_text(encoding="ascii")
    _, resident, shared = map(int, stated.split()[:3])
    return resident * PAGE_BYTES / 2**20, (resident - shared) * PAGE_BYTES / 2**20


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 78 what was asked for cannot be done as asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streaming.viewers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each number of viewers; default: 20")
    parser.add_argument("--rounds", type=int, default=3, help="how often all is measured; default: 3")
    parser.add_argument("--out", type=Path, default=Path("runs/viewers"), help="default: runs/viewers")
    given = parser.parse_args(argv)
    return outcome(
        lambda: print(f"page in {write(document(survey(given.seconds, VIEWERS, given.rounds, print)), given.out)}")
    )


if __name__ == "__main__":
    sys.exit(main())
