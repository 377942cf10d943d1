"""Stand-ins for cameras, detectors and models, for tests of the core."""

from collections.abc import Iterable, Sequence

import numpy as np

from edge.contract.chip import ChipSpec
from edge.contract.labels import FER2013_LABELS
from edge.errors import SourceEnded
from edge.types import Box, EmotionScores, Face, Frame, Framing, Pixels, Scene

FRAME_NS = 40_000_000
"""25 frames a second."""


def frame(seq: int = 1, *, width: int = 64, height: int = 48, t_ns: int | None = None, spot: int = 0) -> Frame:
    """A grey-blue frame at its time of a 25 fps clip, with a light in a corner that flickers with `spot`."""
    pixels = np.full((height, width, 3), (120, 100, 80), np.uint8)
    pixels[-8:, -8:] = 60 * (spot % 4)
    return Frame(seq, seq * FRAME_NS if t_ns is None else t_ns, pixels)


def face(x: float = 0.3, y: float = 0.3, size: float = 0.3) -> Face:
    """A square face (of a square frame)."""
    return Face(Box(x, y, size, size), 0.9)


class FakeDetector:
    """Finds what it is told to, one entry a call, the last one for ever."""

    name = "fake"
    framing = Framing(1.0, 0.0)

    def __init__(self, *found: tuple[Face, ...]) -> None:
        self._found = found or ((face(),),)
        self.frames: list[Frame] = []

    def detect(self, frame: Frame) -> tuple[Face, ...]:
        """The next entry."""
        self.frames.append(frame)
        return self._found[min(len(self.frames), len(self._found)) - 1]


class FakeClassifier:
    """Says `happy` at the confidence it is told."""

    labels = FER2013_LABELS
    views = (ChipSpec(),)

    def __init__(self, confidence: float = 0.9) -> None:
        self._scores = np.full(7, (1 - confidence) / 6, np.float32)
        self._scores[3] = confidence
        self.chips: list[Pixels] = []

    def classify(self, *chips: Pixels) -> tuple[EmotionScores, ...]:
        """The same for each face."""
        self.chips.extend(chips)
        return (self._scores,) * len(chips[0])


class FakeSource:
    """Gives the frames it was given, then what comes after them."""

    live = False

    def __init__(self, frames: Iterable[Frame | Exception], then: Exception | None = None, name: str = "fake") -> None:
        self.name = name
        self._frames = iter(frames)
        self._then = then or SourceEnded("no more")
        self.closed = 0
        self.held = 0

    def read(self, timeout_s: float) -> Frame:
        """The next frame, or the error at the end."""
        for frame in self._frames:
            if isinstance(frame, Exception):
                raise frame
            return frame
        raise self._then

    def hold(self) -> bool:
        """Keeps its place."""
        self.held += 1
        return True

    def close(self) -> None:
        """Counts."""
        self.closed += 1


class FakeSink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.scenes: list[Scene] = []
        self.closed = False

    def emit(self, scene: Scene) -> None:
        """Keeps the scene."""
        self.scenes.append(scene)

    def close(self) -> None:
        """Says so."""
        self.closed = True


class Ticking:
    """A clock that goes on by a fixed step each time it is asked."""

    def __init__(self, step_ns: int = 1_000_000) -> None:
        self.now_ns = 0
        self._step_ns = step_ns

    def __call__(self) -> int:
        """The time, later than ever before."""
        self.now_ns += self._step_ns
        return self.now_ns


def labels_of(scenes: Sequence[Scene]) -> list[list[str | None]]:
    """What each scene's faces were called."""
    return [[track.label for track in scene.tracks] for scene in scenes]
