"""The stages and the whole frame in one thread, and the floor below which no program of this kind can go.

The floor is the native calls this mix of frames really makes (decode, detector invoke, classifier invokes, JPEG), timed
alone in the same run: frame by frame in turn with the whole, first one and then the other, so that a busy machine and
warm caches favour neither.
"""

import time
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np

from edge.bench.clip import load_clip
from edge.bench.plan import FULL, QUICK
from edge.bench.rig import Bench, Spent
from edge.bench.shares import Part, names_of, parts_of
from edge.bench.timing import Mix, Timing, rounded, spread_text, timing, typical_ns
from edge.config import Config
from edge.machine import Machine, describe

WARM_FRAMES = 20
LEAST_FRAMES, MOST_FRAMES = 60, 4000
BLOCKS = 8
"""Of consecutive frames, each with a figure of its own: how far these lie apart is how far to trust that of all."""
__all__ = ["Bench", "Mix", "Part", "Report", "Timing", "measure", "measured", "timing", "typical_ns"]


class Report(msgspec.Struct, frozen=True):
    """What was measured, and under which conditions.

    Attributes:
        machine: where.
        clip: what was shown.
        frames: how many of it.
        detector: which.
        interval: the whole frame is searched at least on every such frame, if anything in it changed.
        faces: read per frame, on average.
        stages: each stage of our own, as part of whole frames.
        whole: decode, analyse, draw, encode, publish.
        floor: the native calls of the same frames, alone.
        ratio: whole over floor, by the medians of each kind of frame (see `typical_ns`).
        ratio_of_means: the same by plain means: on a busy machine mostly noise.
        fps: whole frames per second on one core, by the same medians.
        width: of the frames in px.
        height: of the frames in px.
        parts: what is the floor's and what is ours, by stage, by the same medians.
        wholes_ms: a whole frame by the same medians, in each of some blocks of consecutive frames.
        floors_ms: its floor, likewise.
        ratios: of each block.
        cpu_wholes_ms: as `wholes_ms`, in processor time: what other programs do meanwhile hardly counts.
        cpu_floors_ms: its floor, likewise.
    """

    machine: Machine
    clip: str
    frames: int
    detector: str
    interval: int
    faces: float
    stages: dict[str, Timing]
    whole: Timing
    floor: Timing
    ratio: float
    ratio_of_means: float
    fps: float
    width: int = 640
    height: int = 480
    parts: tuple[Part, ...] = ()
    wholes_ms: tuple[float, ...] = ()
    floors_ms: tuple[float, ...] = ()
    ratios: tuple[float, ...] = ()
    cpu_wholes_ms: tuple[float, ...] = ()
    cpu_floors_ms: tuple[float, ...] = ()

    @property
    def cpu_ratios(self) -> tuple[float, ...]:
        """Of each block, by processor time."""
        return tuple(whole / floor for whole, floor in zip(self.cpu_wholes_ms, self.cpu_floors_ms, strict=True))

    def text(self) -> str:
        """A table for people."""
        lines = [
            f"{self.clip}: {self.frames} frames of {self.width}x{self.height}, {self.faces:.1f} faces read on each, "
            f"{self.detector} on every {self.interval}. frame at least",
            f"{'stage':<22}{'runs':>6}{'mean':>9}{'p50':>9}{'p95':>9}{'p99':>9}  ms",
        ]
        rows = [*self.stages.items(), ("floor", self.floor), ("whole frame", self.whole)]
        for name, t in rows:
            lines.append(f"{name:<22}{t.runs:>6}{t.mean_ms:>9.3f}{t.p50_ms:>9.3f}{t.p95_ms:>9.3f}{t.p99_ms:>9.3f}")
        lines.append(
            f"{self.fps:.0f} frames a second on one core; "
            f"{self.ratio:.2f} x the floor ({self.ratio_of_means:.2f} by means)"
        )
        if self.cpu_wholes_ms:
            lines.append(
                f"{spread_text(self.cpu_wholes_ms)} ms of processor time a frame, "
                f"{spread_text(self.cpu_ratios)} x the floor"
            )
        return "\n".join(lines)


def measure(
    source: str | None = None, *, quick: bool = False, config: Config | None = None, seconds: float | None = None
) -> Report:
    """Measure on a clip.

    Args:
        source: a video; None: drawn by code.
        quick: for a shorter time.
        config: settings; None: the defaults.
        seconds: for exactly so long.

    Raises:
        ConfigError: no frames, or no face in them.
    """
    plan = QUICK if quick else FULL
    bench = Bench(load_clip(source, plan.clip_frames), config)
    bench.first_face()
    return measured(bench, plan.whole_s if seconds is None else seconds)


class _Pair(NamedTuple):
    """A whole frame and its floor.

    Attributes:
        mix: what the frame consists of.
        spent: on all of it.
        native: nanoseconds of its native calls alone, by stage.
        cpu_ns: processor time of the whole frame.
        native_cpu_ns: of the native calls.
    """

    mix: Mix
    spent: Spent
    native: dict[str, int]
    cpu_ns: int
    native_cpu_ns: int

    @property
    def floor_ns(self) -> int:
        """All native calls."""
        return sum(self.native.values())


def measured(bench: Bench, seconds: float) -> Report:
    """Measure for so long, `LEAST_FRAMES` at least."""
    machine = describe()
    pairs: list[_Pair] = []
    bench.enter()
    end_s = time.monotonic() + seconds
    for index, mix in enumerate(bench.foretell()):
        done = index - WARM_FRAMES
        if done >= LEAST_FRAMES and (done >= MOST_FRAMES or time.monotonic() >= end_s):
            break
        pair = _pair(bench, index, mix)
        if done >= 0:
            pairs.append(pair)
    mixes = [pair.mix for pair in pairs]
    wholes, floors = [pair.spent.total_ns for pair in pairs], [pair.floor_ns for pair in pairs]
    stages = [pair.spent.stages_ns for pair in pairs]

    def blocks_ms(values_ns: list[int]) -> tuple[float, ...]:
        return rounded([typical_ns(values_ns[block], mixes[block]) / 1e6 for block in _blocks(len(mixes))], 4)

    wholes_ms, floors_ms = blocks_ms(wholes), blocks_ms(floors)
    typical, typical_floor = typical_ns(wholes, mixes), typical_ns(floors, mixes)
    width, height = bench.clip.size
    return Report(
        machine=machine,
        clip=bench.clip.name,
        frames=len(wholes),
        detector=bench.detector.name,
        interval=bench.config.detector.interval,
        faces=sum(mix.faces for mix in mixes) / len(mixes),
        stages={stage: timing([each[stage] for each in stages if stage in each]) for stage in names_of(stages)},
        whole=timing(wholes),
        floor=timing(floors),
        ratio=typical / typical_floor,
        ratio_of_means=sum(wholes) / sum(floors),
        fps=1e9 / typical,
        width=width,
        height=height,
        parts=parts_of(wholes, stages, [pair.native for pair in pairs], mixes),
        wholes_ms=wholes_ms,
        floors_ms=floors_ms,
        ratios=rounded([whole / floor for whole, floor in zip(wholes_ms, floors_ms, strict=True)], 4),
        cpu_wholes_ms=blocks_ms([pair.cpu_ns for pair in pairs]),
        cpu_floors_ms=blocks_ms([pair.native_cpu_ns for pair in pairs]),
    )


def _pair(bench: Bench, index: int, mix: Mix) -> _Pair:
    """One frame: every other time the floor comes first."""
    if index % 2 == 0:
        before_ns = time.process_time_ns()
        spent = bench.whole(index)
        between_ns = time.process_time_ns()
        native = bench.native(index, mix)
        after_ns = time.process_time_ns()
        return _Pair(mix, spent, native, between_ns - before_ns, after_ns - between_ns)
    before_ns = time.process_time_ns()
    native = bench.native(index, mix)
    between_ns = time.process_time_ns()
    spent = bench.whole(index)
    after_ns = time.process_time_ns()
    return _Pair(mix, spent, native, after_ns - between_ns, between_ns - before_ns)


def _blocks(frames: int) -> list[slice]:
    edges = np.linspace(0, frames, min(BLOCKS, frames) + 1).astype(int)
    return [slice(int(first), int(end)) for first, end in pairwise(edges)]
