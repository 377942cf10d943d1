"""The program with a viewer beside its floor.

Its processor time per frame is set against that of the same native calls made by one plain loop at the same frame rate:
a processor that idles between frames does everything more slowly than one in a tight loop. Loop and program take turns,
second by second, the program stopped meanwhile, so that a machine whose speed changes favours neither.
"""

import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import msgspec
import numpy as np

from edge.bench.clip import FPS, load_clip
from edge.bench.program import TIMEOUT_S, Program, require_linux, scratch, url_of
from edge.bench.rig import Bench
from edge.bench.timing import Mix, median, rounded
from edge.bench.viewers import Viewers
from edge.errors import PermanentError

CLIP_FRAMES = 300
SETTLE_S = 0.3
"""A process that was stopped is not at its usual pace at once."""
NO_DETECTION = ("roi", "idle")
"""The policy's reasons not to run the detector."""
__all__ = ["CLIP_FRAMES", "TIMEOUT_S", "Served", "measure_served", "served_beside", "url_of"]


class Served(msgspec.Struct, frozen=True):
    """What was measured, and under which conditions. Milliseconds of processor time per frame.

    Attributes:
        clip: what was shown.
        fps: pictures a second.
        rounds: how often program and floor took turns.
        program_ms: all threads of the program with one viewer, each round.
        floor_ms: the native calls alone: decode, detector and classifier invokes, JPEG; before, between and after.
        ratio: median over the rounds of the program by the mean of the floors before and after it.
        shown: pictures that reached the viewer per frame of the film; below 1 the program fell behind.
        detections: share of the frames that the detector ran on.
        width: of the frames in px.
        height: of the frames in px.
    """

    clip: str
    fps: float
    rounds: int
    program_ms: tuple[float, ...]
    floor_ms: tuple[float, ...]
    ratio: float
    shown: float
    detections: float
    width: int = 640
    height: int = 480

    @property
    def ratios(self) -> tuple[float, ...]:
        """Of each round."""
        return against_floors(self.program_ms, self.floor_ms)

    def text(self) -> str:
        """A line for people."""
        return (
            f"{self.clip}, {self.width}x{self.height} at {self.fps:g} fps with a viewer: "
            f"{np.median(self.program_ms):.2f} ms of processor time a frame, "
            f"{self.ratio:.2f} x the floor of {np.median(self.floor_ms):.2f} ms ({self.rounds} rounds in turn)"
        )


def measure_served(source: str | None = None, *, rounds: int = 14, span_s: float = 2.5) -> Served:
    """Measure the program, with the default settings, on a clip that is repeated.

    Args:
        source: a video; None: drawn by code.
        rounds: how often program and floor take turns.
        span_s: how long each turn lasts.

    Raises:
        ConfigError: no frames, or no face in them.
        PermanentError: the program does not start, or shows nothing.
    """
    require_linux("the program with a viewer")
    bench = Bench(load_clip(source, CLIP_FRAMES))
    first = bench.first_face()
    with scratch() as folder:
        film = Path(folder) / "clip.avi"
        bench.clip.write(film, first)
        with Program(f"file:{film}?loop=1") as program:
            return served_beside(bench, film, program, rounds, span_s)


def served_beside(bench: Bench, film: Path, program: Program, rounds: int, span_s: float) -> Served:
    """The same of a program that shows a film made of the clip."""
    bench.enter()
    floor = _Floor(bench, film, span_s)
    with Viewers(program.port, 1) as viewers:
        time.sleep(SETTLE_S)
        program.halt()
        floors = [floor.span_ms()]
        spans = []
        for _ in range(rounds):
            spans.append(_span(program, viewers, span_s))
            floors.append(floor.span_ms())
        program.resume()
        decisions = program.status().decisions
    programs = [span.spent_ms / span.pictures for span in spans]
    width, height = bench.clip.size
    return Served(
        clip=bench.clip.name,
        fps=FPS,
        rounds=rounds,
        program_ms=rounded(programs),
        floor_ms=rounded(floors),
        ratio=median(against_floors(programs, floors)),
        shown=sum(span.pictures for span in spans) / (rounds * span_s * FPS),
        detections=1 - sum(decisions.get(reason, 0) for reason in NO_DETECTION) / sum(decisions.values()),
        width=width,
        height=height,
    )


def against_floors(programs: Sequence[float], floors: Sequence[float]) -> tuple[float, ...]:
    """Each round's program by the mean of the floors before and after it."""
    return tuple(own / ((floors[i] + floors[i + 1]) / 2) for i, own in enumerate(programs))


class _Floor:
    """The native calls, on one thread, at the film's own pace."""

    def __init__(self, bench: Bench, film: Path, span_s: float) -> None:
        self._span_s = span_s
        self._bench = bench
        self._film = film
        self._mixes: list[Mix] = bench.mixes(len(bench.clip.jpegs))

    def span_ms(self) -> float:
        """Milliseconds of processor time per frame."""
        settle, frames = round(SETTLE_S * FPS), round(self._span_s * FPS)
        decoder = cv2.VideoCapture(str(self._film), cv2.CAP_FFMPEG)
        start_s, cpu_s = time.monotonic(), 0.0
        for index, mix in enumerate(itertools.islice(itertools.cycle(self._mixes), settle + frames)):
            if index == settle:
                cpu_s = time.process_time()
            done, pixels = decoder.read()
            if not done:
                decoder.open(str(self._film), cv2.CAP_FFMPEG)
                _, pixels = decoder.read()
            self._bench.invoke(index, mix, pixels)
            time.sleep(max(0.0, start_s + (index + 1) / FPS - time.monotonic()))
        spent_s = time.process_time() - cpu_s
        decoder.release()
        return 1e3 * spent_s / frames


class _Span(NamedTuple):
    """Milliseconds of the program's processor time, and pictures that reached the viewer."""

    spent_ms: float
    pictures: int


def _span(program: Program, viewers: Viewers, seconds: float) -> _Span:
    """Let it run for a while."""
    program.resume()
    time.sleep(SETTLE_S)
    (seen,), spent_s = viewers.seen(), program.cpu_s()
    time.sleep(seconds)
    spent_s, pictures = program.cpu_s() - spent_s, viewers.seen()[0] - seen
    program.halt()
    if not pictures:
        raise PermanentError(f"no picture reached the viewer within {seconds:g} s; look at what it logs")
    return _Span(1e3 * spent_s, pictures)
