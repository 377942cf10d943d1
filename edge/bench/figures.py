"""Everything that is measured on a device, for `emotion-edge bench` and for `python -m benchmarks`."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge.bench.clip import load_clip
from edge.bench.conditions import Conditions, doubts, look
from edge.bench.energy import ask_firmware, find_meter
from edge.bench.factors import cases, vary
from edge.bench.plan import BRIEF, BRIEF_QUICK, FULL, QUICK, Plan
from edge.bench.program import Program, scratch
from edge.bench.rig import Bench
from edge.bench.served import Served, served_beside
from edge.bench.startup import Startup, measure_startup
from edge.bench.subject import Subject, subject_of
from edge.bench.timing import median
from edge.bench.variants import Factor
from edge.bench.viewing import Viewing, measure_crowds, measure_viewing
from edge.bench.whole import Report, measured
from edge.config import ExpressionConfig
from edge.parts import build_classifier

Say = Callable[[str], None]
"""Takes a line about what is going on."""


class Figures(msgspec.Struct, frozen=True):
    """All figures of one run on one machine.

    Attributes:
        whole: stages and whole frames, in one thread.
        served: the program with a viewer beside its floor; None where that cannot be measured.
        subject: the networks.
        before: conditions.
        after: conditions.
        startup: None where that was not measured.
        viewing: likewise.
        factors: one at a time; empty where they were not varied.
        not_measured: what was left out, and why.
        quick: whether it was a short run.
        seconds: how long all of it took.
    """

    whole: Report
    served: Served | None
    subject: Subject | None = None
    before: Conditions | None = None
    after: Conditions | None = None
    startup: Startup | None = None
    viewing: Viewing | None = None
    factors: tuple[Factor, ...] = ()
    not_measured: tuple[str, ...] = ()
    quick: bool = False
    seconds: float = 0.0

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the machine may have done worse than it can."""
        return doubts(self.before, self.after) if self.before and self.after else ()

    @property
    def threads_ms(self) -> float | None:
        """Processor time a frame of the program with a viewer that one thread does not spend: threads and sockets.

        By subtraction. What is ours in one thread is scaled as the floor is: a processor that idles between frames does
        all of it more slowly.
        """
        if not self.served or not self.whole.parts:
            return None
        native_ms = sum(part.native_ms for part in self.whole.parts)
        ours_ms = sum(part.ours_ms for part in self.whole.parts)
        floor_ms, program_ms = median(self.served.floor_ms), median(self.served.program_ms)
        return program_ms - floor_ms - ours_ms * floor_ms / native_ms

    def text(self) -> str:
        """For people."""
        from edge.bench.text import text_of  # noqa: PLC0415  # it needs this class

        return text_of(self)


def measure_all(
    source: str | None = None,
    *,
    quick: bool = False,
    brief: bool = False,
    models: tuple[Path, ...] = (),
    say: Say = lambda _: None,
    plan: Plan | None = None,
) -> Figures:
    """Measure with the default settings.

    Args:
        source: a video; None: drawn by code.
        quick: in less than a minute, less exactly.
        brief: only what differs from clip to clip: stages, whole frames, the program beside its floor.
        models: expression models to compare with the shipped one.
        say: is told what is going on.
        plan: how long each part may take; None: as `quick` and `brief` have it.

    Raises:
        ConfigError: no frames, or no face in them; a model has neither card nor contract.
        PermanentError: a model is none, or the program does not start.
    """
    plan = plan or ((BRIEF_QUICK if quick else BRIEF) if brief else (QUICK if quick else FULL))
    start_s = time.monotonic()
    before = look()
    say("preparing the clip")
    for model in models:
        build_classifier(ExpressionConfig(model=str(model)))  # a wrong one is found out at once
    bench = Bench(load_clip(source, plan.clip_frames))
    first = bench.first_face()
    startup, served, viewing = None, None, None
    factors: list[Factor] = []
    not_measured: list[str] = []
    say(f"stages, whole frames and their floor in one thread, {plan.whole_s:.0f} s")
    whole = measured(bench, plan.whole_s)
    if sys.platform.startswith("linux"):
        with scratch() as folder:
            film = Path(folder) / "clip.avi"
            bench.clip.write(film, first)
            if plan.starts:
                say(f"start-up, {plan.starts} times")
                startup = measure_startup(film, plan.starts, plan.starts_s)
            with Program(f"file:{film}?loop=1") as program:
                say(f"the program with a viewer beside its floor, {plan.served_rounds} rounds")
                served = served_beside(bench, film, program, plan.served_rounds, plan.span_s)
                if plan.viewing_rounds:
                    viewing = _viewed(program, plan, say)
                if plan.crowd_rounds:
                    say("one factor at a time: viewers")
                    factors.append(measure_crowds(program, plan.crowd_rounds, plan.span_s))
    else:
        not_measured.append(f"the program itself (start, viewers, memory, energy): on Linux only, not {sys.platform}")
    if plan.factor_s:
        for factor in cases(bench.clip, source, models, plan.factor_frames):
            say(f"one factor at a time: {factor.name}")
            factors.append(vary(factor, plan.factor_s))
    return Figures(
        whole=whole,
        served=served,
        subject=subject_of(bench),
        before=before,
        after=look(),
        startup=startup,
        viewing=viewing,
        factors=tuple(factors),
        not_measured=tuple(not_measured),
        quick=quick,
        seconds=round(time.monotonic() - start_s, 1),
    )


def _viewed(program: Program, plan: Plan, say: Say) -> Viewing:
    meter, no_energy = find_meter(ask_firmware)
    by = f"; energy by {meter.name}" if meter else ""
    say(f"a viewer who comes and goes, {plan.viewing_rounds} rounds{by}")
    return measure_viewing(program, plan.viewing_rounds, plan.span_s, meter, no_energy)
