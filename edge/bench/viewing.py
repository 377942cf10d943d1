"""The program with a viewer and with none, in turn: pictures shown, their age, processor time, memory, energy."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from edge.attendance import LINGER_NS
from edge.bench.clip import FPS
from edge.bench.energy import Meter
from edge.bench.program import Program
from edge.bench.timing import Timing, median, rounded, spread_text, timing
from edge.bench.variants import PROCESSOR, Factor, Turn, factor_of
from edge.bench.viewers import Viewers
from edge.errors import PermanentError

SETTLE_S = 0.6
LEFT_S = LINGER_NS / 1e9 + SETTLE_S
"""After the last viewer has gone: so long the program goes on as if somebody were there."""
CROWDS = (0, 1, 4, 16)


class Energy(msgspec.Struct, frozen=True):
    """Joules as a meter has them, in the spans of `Viewing`.

    Attributes:
        meter: which.
        watched_mj: millijoules a frame of the clip with a viewer, each round; all that the meter sees, other programs'
            included.
        unwatched_mj: likewise while nobody watches.
        watched_w: watts with a viewer, each round.
        idle_w: watts while the program is stopped, each round.
    """

    meter: str
    watched_mj: tuple[float, ...]
    unwatched_mj: tuple[float, ...]
    watched_w: tuple[float, ...]
    idle_w: tuple[float, ...]

    @property
    def own_mj(self) -> float:
        """Millijoules a frame with a viewer beyond those of the program's standing still."""
        watched_w = median(self.watched_w)
        return median(self.watched_mj) * (1 - median(self.idle_w) / watched_w) if watched_w else 0.0


class Viewing(msgspec.Struct, frozen=True):
    """The program with the default settings, on a clip that is repeated, with one viewer and with none in turn.

    Attributes:
        seconds: of each turn.
        fps: pictures a second that reached the viewer, each round.
        age: milliseconds from the moment a frame was grabbed until its picture had reached the viewer, over all rounds.
        ages_p95_ms: the same, 95th percentile of each round.
        watched_ms: processor time a frame of the clip with a viewer, each round.
        unwatched_ms: while nobody watches, each round.
        ratios: of each round's unwatched to its watched.
        every_ms: while nobody watches and every frame is analysed, as for an event log, each round.
        every_ratios: of each round's to its watched.
        rss_mib: resident memory with a viewer, at the end of the last round.
        peak_mib: the most it has been.
        energy: None where no meter can be read.
        no_energy: why.
    """

    seconds: float
    fps: tuple[float, ...]
    age: Timing
    ages_p95_ms: tuple[float, ...]
    watched_ms: tuple[float, ...]
    unwatched_ms: tuple[float, ...]
    ratios: tuple[float, ...]
    every_ms: tuple[float, ...]
    every_ratios: tuple[float, ...]
    rss_mib: float
    peak_mib: float
    energy: Energy | None = None
    no_energy: str = ""

    def text(self) -> str:
        """Lines for people."""
        energy = self.energy
        lines = [
            f"shown            {spread_text(self.fps, 1)} pictures a second",
            f"grab to client   p50 {self.age.p50_ms:.1f} ms, p95 {self.age.p95_ms:.1f}, p99 {self.age.p99_ms:.1f}",
            f"processor time   {spread_text(self.watched_ms)} ms a frame with a viewer, "
            f"{spread_text(self.unwatched_ms)} with none",
            f"nobody watching  {spread_text(self.ratios)} x of watched; {spread_text(self.every_ratios)} x if every "
            "frame is analysed",
            f"memory           {self.rss_mib:.0f} MiB with a viewer, {self.peak_mib:.0f} at most",
        ]
        if energy is None:
            lines.append(f"energy           not measured: {self.no_energy}")
        else:
            lines.append(
                f"energy           {spread_text(energy.watched_mj, 1)} mJ a frame with a viewer, {energy.own_mj:.1f} "
                f"of them the program's own; {spread_text(energy.unwatched_mj, 1)} with none; {energy.meter}"
            )
        return "\n".join(lines)


class Span(NamedTuple):
    """What one turn gave.

    Attributes:
        seconds: how long it was.
        cpu_s: processor time of the program.
        pictures: that reached each viewer, on average.
        ages_ms: of the pictures.
        joules: None without a meter.
        memory_mib: now, and the most.
    """

    seconds: float
    cpu_s: float
    pictures: float
    ages_ms: Sequence[float]
    joules: float | None
    memory_mib: tuple[float, float]

    @property
    def frame_ms(self) -> float:
        """Processor time a frame of the clip, analysed or not."""
        return 1e3 * self.cpu_s / (FPS * self.seconds)

    @property
    def frame_mj(self) -> float:
        """Energy a frame of the clip."""
        return 1e3 * (self.joules or 0.0) / (FPS * self.seconds)


def measure_viewing(program: Program, rounds: int, seconds: float, meter: Meter | None, no_energy: str) -> Viewing:
    """Let a viewer come and go.

    Args:
        program: that has just been started.
        rounds: how often.
        seconds: of each turn.
        meter: for energy; None: there is none.
        no_energy: why there is none.

    Raises:
        PermanentError: no picture reaches the viewer.
    """
    watched: list[Span] = []
    every: list[Span] = []
    unwatched: list[Span] = []
    idle_w: list[float] = []
    usual_fps = program.setting("budget", "unwatched_fps")
    for number in range(rounds):
        # what comes first in one round comes last in the next
        for spans in (watched, every, unwatched) if number % 2 == 0 else (unwatched, every, watched):
            program.set("budget", "unwatched_fps", 0 if spans is every else usual_fps)
            spans.append(turn(program, 1 if spans is watched else 0, seconds, meter, left=spans is unwatched))
        if meter:
            idle_w.append(_idle_w(program, seconds, meter))
    ages_ms = [age for span in watched for age in span.ages_ms]
    energy = None
    if meter:
        energy = Energy(
            meter.name,
            rounded([span.frame_mj for span in watched]),
            rounded([span.frame_mj for span in unwatched]),
            rounded([(span.joules or 0.0) / span.seconds for span in watched]),
            rounded(idle_w),
        )
    rss_mib, peak_mib = watched[-1].memory_mib
    return Viewing(
        seconds=seconds,
        fps=rounded([span.pictures / span.seconds for span in watched]),
        age=timing([age * 1e6 for age in ages_ms]),
        ages_p95_ms=rounded([timing([age * 1e6 for age in span.ages_ms]).p95_ms for span in watched]),
        watched_ms=rounded([span.frame_ms for span in watched]),
        unwatched_ms=rounded([span.frame_ms for span in unwatched]),
        ratios=rounded([none.frame_ms / one.frame_ms for none, one in zip(unwatched, watched, strict=True)]),
        every_ms=rounded([span.frame_ms for span in every]),
        every_ratios=rounded([none.frame_ms / one.frame_ms for none, one in zip(every, watched, strict=True)]),
        rss_mib=round(rss_mib, 1),
        peak_mib=round(peak_mib, 1),
        energy=energy,
        no_energy=no_energy,
    )


def measure_crowds(program: Program, rounds: int, seconds: float) -> Factor:
    """What further viewers cost: each number of them in turn."""
    turns: dict[str, list[Turn]] = {str(count): [] for count in CROWDS}
    names = list(turns)
    for number in range(rounds):
        turned = number % len(names)
        for name in (*names[turned:], *names[:turned]):
            span = turn(program, int(name), seconds, None, left=name == "0")
            turns[name].append(Turn(span.frame_ms, span.frame_ms, span.ages_ms))
    return factor_of("viewers", "1", turns, what=PROCESSOR, frames=round(FPS * seconds), left_out={})


def turn(program: Program, count: int, seconds: float, meter: Meter | None, *, left: bool) -> Span:
    """So many viewers for so long.

    Args:
        program: that runs.
        count: of the viewers.
        seconds: once it has settled.
        meter: for energy; None: there is none.
        left: wait until it does not reckon any more with those who were there before.

    Raises:
        PermanentError: they get no picture, or no frame is analysed.
    """
    with Viewers(program.port, count) as viewers:
        time.sleep(LEFT_S if left else SETTLE_S)
        analysed, seen = _analysed(program), viewers.seen()
        if meter:
            meter.begin()
        start_s, cpu_s = time.monotonic(), program.cpu_s()
        time.sleep(seconds)
        cpu_s, span_s = program.cpu_s() - cpu_s, time.monotonic() - start_s
        joules = meter.end() if meter else None
        pictures = [last - first for last, first in zip(viewers.seen(), seen, strict=True)]
        ages_ms = viewers.ages_ms(seen)
        memory_mib = program.memory_mib()
        analysed = _analysed(program) - analysed
    if not analysed or (count and not min(pictures)):
        raise PermanentError(f"the program to be measured showed nothing within {seconds:g} s; look at what it logs")
    return Span(span_s, cpu_s, sum(pictures) / max(count, 1), ages_ms, joules, memory_mib)


def _idle_w(program: Program, seconds: float, meter: Meter) -> float:
    program.halt()
    time.sleep(SETTLE_S)
    meter.begin()
    start_s = time.monotonic()
    time.sleep(seconds)
    span_s = time.monotonic() - start_s
    watts = meter.end() / span_s
    program.resume()
    return watts


def _analysed(program: Program) -> int:
    return sum(program.status().decisions.values())
