"""The Python API: one picture in, the record of its faces out, by the very parts of `emotion-edge run`."""

import os
import threading
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from edge.annotate import Annotator
from edge.config import Config
from edge.contract.chip import WHOLE
from edge.errors import PermanentError
from edge.events import FaceEvent, SceneEvent, scene_event
from edge.parts import DOUBT, build_classifier, build_detector, still_pipelines
from edge.ports import ExpressionModel, FaceDetector
from edge.sources.picture_bytes import check_megapixels, decode_picture, read_bytes
from edge.types import UNCERTAIN, Box, Decision, Face, Frame, PixelFormat, Pixels, Scene

THRESHOLD = 0.35
"""Of what is analysed on request: below this confidence a face is `uncertain`. Live has `expression.threshold`."""
MAX_MEGAPIXELS = 100.0
"""Of a picture, unless said otherwise."""
WHOLE_REASON = "whole"
"""`SceneEvent.reason` where no face was found and the whole picture was taken as one."""

Image = str | os.PathLike[str] | bytes | bytearray | memoryview | NDArray[Any]
"""A file's path, a file's content, or pixels: uint8 (H, W, 3) BGR or (H, W) grey, 0..255."""


class EmotionAnalyzer:
    """Finds and reads the faces of single pictures. Any thread may call it; a lock lets one at a time in.

    Attributes:
        notices: what a person should know about the parts chosen.
        labels: class names, in the order of the scores.
    """

    def __init__(self, config: Config | None = None, *, max_megapixels: float = MAX_MEGAPIXELS) -> None:
        """Load detector and expression model, once for all pictures.

        Args:
            config: `detector` and `expression` count, but for its threshold; None: the defaults, whatever files and
                environment say (`edge.config_layers.load` reads those).
            max_megapixels: larger pictures are refused.

        Raises:
            ConfigError: what was asked for cannot be done as asked.
            PermanentError: a model cannot be used.
        """
        config = config or Config()
        detector, fallbacks = build_detector(config.detector, doubt=DOUBT)
        classifier, doubts = build_classifier(config.expression, stills=True)
        self.notices: tuple[str, ...] = (*fallbacks, *doubts)
        self.labels = classifier.labels
        self._max_megapixels = max_megapixels
        self._parts: _Parts | None = _Parts(config, detector, classifier)
        self._annotator = Annotator()
        self._lock = threading.Lock()

    def analyze(self, image: Image, *, whole: bool = False, threshold: float | None = None) -> SceneEvent:
        """The record of a picture: all faces found, none if there is none.

        Args:
            image: a path, the bytes of a file (EXIF orientation is honoured), or uint8 pixels: BGR or grey.
            whole: take the whole picture as one face if none is found in it; the record's `reason` is then `whole`.
            threshold: below this confidence a face is `uncertain`, 0..1; None: `THRESHOLD`.

        Raises:
            TypeError: `image` is nothing of that kind, or its pixels are not uint8.
            ValueError: the pixels have another shape, or the threshold is out of range.
            ConfigError: there is no such file.
            PermanentError: the bytes are no picture, a broken one, or too large; or the analyzer was closed.
        """
        return self._event(self.scene(image, whole=whole, threshold=threshold), image)

    def annotate(
        self, image: Image, *, whole: bool = False, threshold: float | None = None
    ) -> tuple[SceneEvent, Pixels]:
        """The record, and the picture with boxes and labels, uint8 (H, W, 3) BGR, the caller's own; see `analyze`."""
        scene = self.scene(image, whole=whole, threshold=threshold)
        return self._event(scene, image), self.draw(scene)

    def scene(self, image: Image, *, whole: bool = False, threshold: float | None = None) -> Scene:
        """What `analyze` makes its record of."""
        least = THRESHOLD if threshold is None else threshold
        if not 0 <= least <= 1:
            raise ValueError(f"the threshold is a share from 0 to 1, found {threshold}; 35 % is 0.35")
        frame = _frame(image, self._max_megapixels)
        with self._lock:
            if self._parts is None:
                raise PermanentError("the analyzer is closed; make a new one")
            return self._parts.scene(frame, least, whole=whole)

    def chips(self, scene: Scene) -> dict[int, tuple[Pixels, ...]]:
        """By face, the chips that the model saw: uint8 (S, S, C), grey or RGB; none of a face that was not read."""
        with self._lock:
            if self._parts is None:
                raise PermanentError("the analyzer is closed; make a new one")
            return self._parts.chips(scene)

    def draw(self, scene: Scene) -> Pixels:
        """The scene's picture with boxes and labels: uint8 (H, W, 3) BGR, the caller's own."""
        with self._lock:
            return self._annotator.draw(scene).copy()

    def close(self) -> None:
        """Let go of the models. Safe to call twice."""
        with self._lock:
            self._parts = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _event(self, scene: Scene, image: Image) -> SceneEvent:
        return scene_event(scene, source_name(image), None)


class _Parts:
    """The networks, and the pipelines on them."""

    def __init__(self, config: Config, detector: FaceDetector, classifier: ExpressionModel) -> None:
        self._searched = still_pipelines(config, detector, classifier)
        self._taken_whole = still_pipelines(config, WholePicture(), classifier)

    def scene(self, frame: Frame, threshold: float, *, whole: bool) -> Scene:
        # a pipeline for each picture: faces are numbered from 1, and nothing is left of the picture before
        scene = self._searched(threshold).step(frame)
        if scene.tracks or not whole:
            return scene
        return replace(self._taken_whole(threshold).step(frame), decision=Decision(True, WHOLE_REASON))

    def chips(self, scene: Scene) -> dict[int, tuple[Pixels, ...]]:
        factory = self._taken_whole if scene.decision.reason == WHOLE_REASON else self._searched
        return factory(0.0).chips_of(scene)


class WholePicture:
    """A `FaceDetector` that takes the middle square of any picture for a face, without looking."""

    name = "whole"
    framing = WHOLE

    def detect(self, frame: Frame) -> tuple[Face, ...]:
        """One face of score 0."""
        side = min(frame.width, frame.height)
        w, h = side / frame.width, side / frame.height
        return (Face(Box((1 - w) / 2, (1 - h) / 2, w, h), 0.0),)


@cache
def _analyzer() -> EmotionAnalyzer:
    return EmotionAnalyzer()


_making = threading.Lock()


def analyze(image: Image, *, whole: bool = False, threshold: float | None = None) -> SceneEvent:
    """`EmotionAnalyzer.analyze` with default settings; the models are loaded by the first call and kept."""
    with _making:
        analyzer = _analyzer()
    return analyzer.analyze(image, whole=whole, threshold=threshold)


def message(event: SceneEvent, threshold: float = THRESHOLD) -> str:
    """What was found in a picture, in words for people; a line for each face.

    Args:
        event: the record.
        threshold: the one it was made with.
    """
    if not event.faces:
        return "No face was found in the picture."
    lines = [_line(face, threshold) for face in event.faces]
    if event.reason == WHOLE_REASON:
        lines.insert(0, "No face was found in the picture; its middle was taken as one.")
    return "\n".join(lines)


_DOUBTS = {"small": "it is too small", "blurred": "it is too blurred", "turned": "it is turned too far to the side"}


def _line(face: FaceEvent, threshold: float) -> str:
    who = f"Face {face.id}"
    if face.doubt and not face.scores:
        return f"{who}: not read, because {_DOUBTS.get(face.doubt, face.doubt)}."
    if not face.scores or face.label is None:
        return f"{who}: not read."
    if face.label == UNCERTAIN:
        likeliest = max(face.scores, key=lambda name: face.scores[name])
        return (
            f"{who}: uncertain: no expression reaches {threshold * 100:g} %; the likeliest is {likeliest}, "
            f"{face.scores[likeliest] * 100:.0f} %."
        )
    return f"{who}: {face.label}, {face.confidence * 100:.0f} %."


def source_name(image: Image) -> str:
    """What stands in the record's `source`: as `run --source images:PATH` writes it, if it is a file."""
    if isinstance(image, bytes | bytearray | memoryview):
        return "bytes"
    return "array" if isinstance(image, np.ndarray) else f"images:{os.fspath(image)}"


def _frame(image: Image, max_megapixels: float) -> Frame:
    """The picture as the only frame of a film."""
    if isinstance(image, np.ndarray):
        return _frame_of(image, max_megapixels)
    if isinstance(image, bytes | bytearray | memoryview):
        return Frame(1, 0, decode_picture(bytes(image), max_megapixels))
    if not isinstance(image, str | os.PathLike):
        raise TypeError(
            f"an image is a path, the bytes of a file, or a uint8 array (H, W, 3) BGR or (H, W) grey, found "
            f"{type(image).__name__}"
        )
    path = Path(image)
    try:
        return Frame(1, 0, decode_picture(read_bytes(path), max_megapixels))
    except PermanentError as error:
        if str(path) in str(error):
            raise
        raise PermanentError(f"{path}: {error}") from error


def _frame_of(image: NDArray[Any], max_megapixels: float) -> Frame:
    expected = "expected uint8 (H, W, 3) BGR or (H, W) grey in 0..255"
    if image.dtype != np.uint8:
        raise TypeError(f"found an array of {image.dtype}, {expected}; scale and convert it with astype('uint8')")
    if image.ndim == 3 and image.shape[2] == 4:
        raise ValueError(f"found an array {image.shape} with an alpha channel, {expected}; drop it: image[..., :3]")
    if image.size == 0 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        raise ValueError(f"found an array of the shape {image.shape}, {expected}")
    check_megapixels(image.shape[1], image.shape[0], max_megapixels, "the picture")
    # a view of its own: a frame's pixels are marked as read-only, and the caller's array must not be
    pixels = np.ascontiguousarray(image).view()
    return Frame(1, 0, pixels, PixelFormat.GREY if image.ndim == 2 else PixelFormat.BGR)
