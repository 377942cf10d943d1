"""What the core asks of the world. No library's type crosses a port; whoever implements one is an adapter."""

from collections.abc import Callable
from typing import Protocol

from edge.contract.chip import ChipSpec
from edge.types import EmotionScores, Face, Frame, Framing, Pixels, Scene

Clock = Callable[[], int]
"""Nanoseconds, never going back: `time.monotonic_ns` in production."""


Wanted = Callable[[int], bool]
"""Whether a frame grabbed at that time (of a `Clock`) is wanted; one that is not need not be decoded."""


class FrameSource(Protocol):
    """A camera, a file, a generator. Opened by its constructor, owned by one thread.

    Attributes:
        name: what it is, for people: "v4l2:/dev/video0 640×480".
        live: whether its time is the world's. False: frames wait for us (files in lockstep).
    """

    name: str
    live: bool

    def read(self, timeout_s: float) -> Frame:
        """The next frame.

        Raises:
            NotYet: no frame within `timeout_s`; ask again.
            TemporaryError: the device is gone; open it again.
            PermanentError: what comes is not a picture and never will be, or the source was closed.
            SourceEnded: the file is at its end.
        """

    def hold(self) -> bool:
        """Nobody will read for a moment, on purpose; told again and again as long as that lasts.

        Returns:
            Whether the source keeps its place, as a file does: the next read goes on there. Of the others, what comes
            meanwhile must be read and thrown away, or something old would be next.
        """

    def close(self) -> None:
        """Give the device back. Safe to call twice, and after an error."""


class FaceDetector(Protocol):
    """Finds faces in a whole frame.

    Attributes:
        name: as in the configuration.
        framing: how its boxes relate to the chip's square.
    """

    name: str
    framing: Framing

    def detect(self, frame: Frame) -> tuple[Face, ...]:
        """All faces above the detector's threshold and minimum size, best first."""


class Classifier(Protocol):
    """Names the expression on faces.

    Attributes:
        labels: class names, in the order of the scores.
        views: the chips it wants of each face, no two alike.
    """

    labels: tuple[str, ...]
    views: tuple[ChipSpec, ...]

    def classify(self, *chips: Pixels) -> tuple[EmotionScores, ...]:
        """Probabilities for each of N faces.

        Args:
            chips: for each of `views` the chips of all faces, uint8 (N, S, S, C), 0..255.
        """


class ExpressionModel(Classifier, Protocol):
    """A classifier and what is told of it.

    Attributes:
        name: for people.
        runtime: the interpreter's name and version.
        xnnpack: whether it uses XNNPACK.
        rejected_runtimes: why each better runtime was not taken.
    """

    name: str
    runtime: str
    xnnpack: bool
    rejected_runtimes: tuple[str, ...]

    def invoke(self) -> None:
        """The bare native calls for one face, on whatever the inputs hold (for benchmarks)."""


class Sink(Protocol):
    """Takes every scene somewhere: a file, a broker."""

    def emit(self, scene: Scene) -> None:
        """Accept the scene without blocking; what cannot be taken is counted and dropped."""

    def close(self) -> None:
        """Write what is still held, and give the resource back."""
