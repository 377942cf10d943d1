"""One factor at a time from a base case, in one thread: detector, interval, resolution, threads, faces, model.

Base case and variants take turns of a second of film each; each round begins with another one, and the rounds go on
until the time is up: a machine that gets slower meanwhile favours none.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from edge.bench.clip import FPS, Clip, load_clip
from edge.bench.rig import Bench
from edge.bench.timing import typical_ns
from edge.bench.variants import WHOLE_FRAME, Factor, Turn, factor_of
from edge.config import Config, DetectorConfig, ExpressionConfig
from edge.detectors.blazeface import VARIANTS
from edge.errors import EdgeError
from edge.machine import cores

TURN_FRAMES = FPS
WARM_FRAMES = 12
LEAST_ROUNDS = 2
INTERVALS = (1, 3, 5, 10, 30)
SIZES = ((320, 240), (640, 480), (1280, 720))
FACES = (0, 1, 4, 8)
DETECTORS = (*VARIANTS, "haar", "mediapipe")
SHIPPED = "shipped"
THREADS = "threads"

Make = Callable[[], Bench]


@dataclass(frozen=True, slots=True)
class Cases:
    """A factor before it is measured.

    Attributes:
        name: of the factor.
        base: name of the variant that the others are compared with.
        makes: of each variant, by its name.
    """

    name: str
    base: str
    makes: Mapping[str, Make]


def cases(clip: Clip, source: str | None, models: tuple[Path, ...], frames: int) -> Iterator[Cases]:
    """All factors, one after the other.

    Args:
        clip: of the base case.
        source: where it comes from; None: drawn by code.
        models: expression models to compare with the shipped one.
        frames: how many of the clip's are shown, again and again.
    """
    short = Clip(clip.name, clip.jpegs[:frames], clip.size)
    width, height = clip.size
    yield Cases(
        "detector", Bench(short).detector.name, {name: partial(_with_detector, short, name) for name in DETECTORS}
    )
    yield Cases("interval", "10", {str(every): partial(_with_interval, short, every) for every in INTERVALS})
    yield Cases(
        "resolution",
        f"{width}x{height}",
        {f"{w}x{h}": partial(_of_size, short, source, (w, h)) for w, h in SIZES},
    )
    counts = sorted({1, 2, cores()})
    yield Cases(THREADS, "1", {str(count): partial(_with_threads, short, count) for count in counts})
    yield Cases("faces drawn", "1", {str(count): partial(_with_faces, frames, count) for count in FACES})
    yield Cases(
        "model",
        SHIPPED,
        {
            SHIPPED: partial(Bench, short),
            f"{SHIPPED}, flip": partial(_with_model, short, ExpressionConfig(flip=True)),
            **{path.name: partial(_with_model, short, ExpressionConfig(model=str(path))) for path in models},
        },
    )


def vary(factor: Cases, seconds: float) -> Factor:
    """Measure a factor for so long, `LEAST_ROUNDS` rounds at least."""
    benches: dict[str, Bench] = {}
    left_out = {}
    for name, make in factor.makes.items():
        try:
            benches[name] = make()
            _turn(benches[name], 0, WARM_FRAMES)
        except EdgeError as error:
            left_out[name] = str(error)
    turns: dict[str, list[Turn]] = {name: [] for name in benches}
    names = list(benches)
    end_s = time.monotonic() + seconds
    for first in _rounds(end_s):
        turned = first % len(names)
        for name in (*names[turned:], *names[:turned]):
            turns[name].append(_turn(benches[name], WARM_FRAMES + first * TURN_FRAMES, TURN_FRAMES))
    return factor_of(factor.name, factor.base, turns, what=WHOLE_FRAME, frames=TURN_FRAMES, left_out=left_out)


def _rounds(end_s: float) -> Iterator[int]:
    number = 0
    while number < LEAST_ROUNDS or time.monotonic() < end_s:
        yield number
        number += 1


def _turn(bench: Bench, first: int, count: int) -> Turn:
    bench.enter()
    cpu_s = time.process_time()
    frames = [bench.whole(index) for index in range(first, first + count)]
    cpu_ms = 1e3 * (time.process_time() - cpu_s) / count
    spent_ns = [frame.total_ns for frame in frames]
    typical_ms = typical_ns(spent_ns, [frame.mix for frame in frames]) / 1e6
    return Turn(typical_ms, cpu_ms, [ns / 1e6 for ns in spent_ns])


def _with_detector(clip: Clip, name: str) -> Bench:
    return Bench(clip, Config(detector=msgspec.convert({"name": name}, DetectorConfig)))


def _with_interval(clip: Clip, every: int) -> Bench:
    return Bench(clip, Config(detector=DetectorConfig(interval=every)))


def _of_size(clip: Clip, source: str | None, size: tuple[int, int]) -> Bench:
    return Bench(clip if clip.size == size else load_clip(source, len(clip.jpegs), size=size))


def _with_threads(clip: Clip, count: int) -> Bench:
    return Bench(clip, threads=count)


def _with_faces(frames: int, count: int) -> Bench:
    return Bench(load_clip(None, frames, faces=count))


def _with_model(clip: Clip, settings: ExpressionConfig) -> Bench:
    return Bench(clip, Config(expression=settings))
