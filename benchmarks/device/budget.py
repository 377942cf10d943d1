"""`python -m benchmarks.device.budget`: how the program keeps its budget when others want its core, and when it is hot.

It runs pinned to one core, searching with OpenCV's cascade, which gives a workstation as much to do as a Pi has. First
with a fixed effort, to learn what a busy second process on that core does to the latency; then with a limit between
both figures and the same second process; then, alone, at an injected temperature.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.outcome import outcome
from edge.bench.clip import load_clip
from edge.bench.served import CLIP_FRAMES, TIMEOUT_S, url_of
from edge.errors import PermanentError
from edge.machine import describe
from edge.status import BudgetStatus, Status

EVERY_S = 0.25
SETTLE_S, QUIET_S, LOAD_S, AFTER_S = 4.0, 6.0, 20.0, 40.0
COOL_C, HOT_C = 50, 85
WITHIN_S = 1.0
"""Latency is back within its limit once it has been there for so long."""
DETECTOR = "haar"
ROOM = 1.3
"""By how much the limit must be above what the program needs alone."""
BURN = "while True: pass"


class Moment(NamedTuple):
    """What the program said of itself.

    Attributes:
        second: since the load began; negative before it.
        level: of effort.
        latency_ms: 95th percentile over the last second; None: unknown.
        scenes: so far.
    """

    second: float
    level: int
    latency_ms: float | None
    scenes: int


class Program:
    """The program in a process of its own, pinned to a core."""

    def __init__(self, film: Path, core: int, folder: Path, **budget: object) -> None:
        """Start it.

        Args:
            film: what it watches, again and again.
            core: the only one it may use.
            folder: for its log.
            **budget: settings of that section.
        """
        settings = {f"EMOTION_EDGE_BUDGET_{key.upper()}": str(value) for key, value in budget.items()}
        command = [sys.executable, "-m", "edge", "run", "--port", "0", "--source", f"file:{film}?loop=1"]
        settings["EMOTION_EDGE_DETECTOR_NAME"] = DETECTOR
        self.log = folder / "log"
        with self.log.open("w") as errors, on_core(core):
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | settings
            )
        self._url = url_of(self._process)

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=TIMEOUT_S)

    def status(self) -> Status:
        """What it says of itself now."""
        with urllib.request.urlopen(f"{self._url}state", timeout=TIMEOUT_S) as answer:
            return msgspec.json.decode(answer.read(), type=Status)

    def watch(self, seconds: float, start_s: float) -> Iterator[Moment]:
        """Ask it again and again.

        Args:
            seconds: for so long.
            start_s: the time that counts as 0.
        """
        end_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < end_s:
            status = self.status()
            budget = status.budget or _without(status)
            yield Moment(now_s - start_s, budget.level, budget.latency_ms, sum(status.decisions.values()))
            time.sleep(max(0.0, now_s + EVERY_S - time.monotonic()))


def _without(status: Status) -> BudgetStatus:
    """What stands for a budget where the effort is fixed."""
    latency_ms = status.latency_ms.p95 if status.latency_ms else None
    return BudgetStatus(0, 1, 1, 0, latency_ms, None, None, (), {}, ())


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started meanwhile stays on that core; we do not."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def busy(core: int, processes: int) -> Iterator[None]:
    """Others that want all of the core."""
    with on_core(core):
        others = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def p95_ms(moments: Sequence[Moment]) -> float:
    """Median of what was said of the last second."""
    known = sorted(one.latency_ms for one in moments if one.latency_ms is not None)
    if not known:
        raise PermanentError("the program told no latency; look at what it logs")
    return known[len(known) // 2]


def fps(moments: Sequence[Moment]) -> float:
    """Scenes per second."""
    return (moments[-1].scenes - moments[0].scenes) / (moments[-1].second - moments[0].second)


def since(moments: Sequence[Moment], holds: Callable[[Moment], bool]) -> float | None:
    """The second from which it held for at least `WITHIN_S`; None: never."""
    begun: float | None = None
    for one in moments:
        begun = (one.second if begun is None else begun) if holds(one) else None
        if begun is not None and one.second - begun >= WITHIN_S:
            return begun
    return None


def span(moments: Sequence[Moment], from_s: float, to_s: float) -> list[Moment]:
    """Those between two seconds."""
    return [one for one in moments if from_s <= one.second < to_s]


def fixed(film: Path, core: int, folder: Path, processes: int) -> tuple[float, float]:
    """95th percentile of the latency in ms with all effort: alone, and with others on the core."""
    with Program(film, core, folder, adapt="false") as program:
        time.sleep(SETTLE_S + QUIET_S)
        quiet = list(program.watch(2.0, time.monotonic()))
        with busy(core, processes):
            time.sleep(QUIET_S)
            loaded = list(program.watch(2.0, time.monotonic()))
    return p95_ms(quiet), p95_ms(loaded)


def loaded_run(film: Path, core: int, folder: Path, processes: int, limit_ms: float) -> list[str]:
    """With a limit, and others on the core for a while."""
    with Program(film, core, folder, max_latency_ms=limit_ms, max_temperature_c=0) as program:
        time.sleep(SETTLE_S)
        start_s = time.monotonic() + QUIET_S
        moments = list(program.watch(QUIET_S, start_s))
        with busy(core, processes):
            start_s, shift_s = time.monotonic(), time.monotonic() - start_s
            moments = [one._replace(second=one.second - shift_s) for one in moments]
            moments += program.watch(LOAD_S, start_s)
            gone_s = time.monotonic() - start_s
        moments += program.watch(AFTER_S, start_s)
    within = since(span(moments, 0.5, gone_s), lambda one: one.latency_ms is not None and one.latency_ms <= limit_ms)
    over = [one for one in span(moments, 0, gone_s) if (one.latency_ms or 0) > limit_ms]
    return [
        f"limit: {limit_ms:.1f} ms",
        line("before", span(moments, -QUIET_S, 0)),
        line(f"load, first {WITHIN_S + 0.5:g} s", span(moments, 0, WITHIN_S + 0.5)),
        line("load, from 5 s on", span(moments, 5, gone_s)),
        line("after, last 5 s", span(moments, gone_s + AFTER_S - 5, gone_s + AFTER_S)),
        f"first above the limit after {over[0].second:.1f} s of load" if over else "never above the limit",
        said("latency back within the limit", within, 0.0),
        *rate_back(moments, gone_s),
        *decisions(program.log),
    ]


def hot_run(film: Path, core: int, folder: Path) -> list[str]:
    """At an injected temperature for a while."""
    zone = folder / "class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    sensor = zone / "temp"
    sensor.write_text(f"{COOL_C * 1000}\n")
    with Program(film, core, folder, sysfs=folder, max_latency_ms=0) as program:
        time.sleep(SETTLE_S)
        start_s = time.monotonic() + QUIET_S
        moments = list(program.watch(QUIET_S, start_s))
        sensor.write_text(f"{HOT_C * 1000}\n")
        moments += program.watch(LOAD_S, start_s)
        sensor.write_text(f"{COOL_C * 1000}\n")
        gone_s = time.monotonic() - start_s
        moments += program.watch(AFTER_S, start_s)
    return [
        line(f"{COOL_C} °C", span(moments, -QUIET_S, 0)),
        line(f"{HOT_C} °C, last 5 s", span(moments, gone_s - 5, gone_s)),
        line(f"{COOL_C} °C again, last 5 s", span(moments, gone_s + AFTER_S - 5, gone_s + AFTER_S)),
        said("first step down", since(moments, lambda one: one.level > 0), 0.0),
        *rate_back(moments, gone_s),
        *decisions(program.log),
    ]


def line(name: str, moments: Sequence[Moment]) -> str:
    """A span in figures."""
    levels = sorted({one.level for one in moments})
    return f"{name:<24} p95 {p95_ms(moments):6.1f} ms   {fps(moments):5.1f} fps   level {min(levels)}..{max(levels)}"


def said(what: str, second: float | None, from_s: float) -> str:
    """When something happened."""
    return f"{what}: never" if second is None else f"{what}: after {second - from_s:.1f} s"


def rate_back(moments: Sequence[Moment], gone_s: float) -> list[str]:
    """When all effort was back."""
    after = [one for one in moments if one.second >= gone_s]
    return [said("all effort back", since(after, lambda one: one.level == 0), gone_s)]


def decisions(log: Path) -> list[str]:
    """What the program logged of them."""
    return [f"  {text}" for text in log.read_text().splitlines() if " budget." in text]


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0, or the exit code of what cannot be measured here."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.device.budget", description=__doc__)
    parser.add_argument("--core", type=int, default=0, help="the core that program and load share")
    parser.add_argument("--busy", type=int, default=1, help="busy processes beside it")
    arguments = parser.parse_args(argv)

    def measure() -> None:
        with tempfile.TemporaryDirectory(prefix="emotion-edge-budget-") as name:
            folder = Path(name)
            film = folder / "clip.avi"
            load_clip(None, CLIP_FRAMES).write(film)
            quiet_ms, loaded_ms = fixed(film, arguments.core, folder, arguments.busy)
            print(f"load average before: {describe().load}")
            print(f"fixed effort, core {arguments.core}: p95 {quiet_ms:.1f} ms alone, {loaded_ms:.1f} ms with the load")
            limit_ms = round((quiet_ms + loaded_ms) / 2, 1)
            if limit_ms < ROOM * quiet_ms:
                raise PermanentError("the load hardly slows the program down; give more with --busy")
            print(f"\n{arguments.busy} more on the same core, all of it busy")
            print("\n".join(loaded_run(film, arguments.core, folder, arguments.busy, limit_ms)))
            print(f"\n{HOT_C} °C injected")
            print("\n".join(hot_run(film, arguments.core, folder)))

    return outcome(measure)


if __name__ == "__main__":
    sys.exit(main())
