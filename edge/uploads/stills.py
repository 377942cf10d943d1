"""In the child process: one picture in, its record out."""

import cv2
from msgspec.structs import replace

from edge.analyzer import THRESHOLD, EmotionAnalyzer, message
from edge.annotate import Annotator
from edge.config import Config
from edge.encode import encode_jpeg
from edge.errors import EdgeError
from edge.events import scene_event
from edge.privacy import VideoMode, shows_pictures
from edge.sources.picture_size import picture_size
from edge.types import Frame, Pixels, Scene
from edge.uploads.protocol import AnalysePicture, PictureResult, Refusal
from edge.uploads.sniff import HEAD_BYTES, picture_kind

SOURCE = "upload"
"""What the records have as their source: the file's name is the client's affair."""

ANNOTATED_WIDTH_PX = 1600


class Stills:
    """Keeps the models loaded from one picture to the next."""

    def __init__(self) -> None:
        self._made_for: Config | None = None
        self._analyzer: EmotionAnalyzer | None = None

    def analyse(self, request: AnalysePicture, data: bytes) -> tuple[PictureResult | Refusal, bytes]:
        """The record of a picture and, if asked for and allowed, the picture with what was found drawn on it."""
        config = request.config
        refusal = refused(data, config.uploads.max_megapixels)
        if refusal is not None:
            return refusal, b""
        try:
            analyzer = self._for(config)
        except EdgeError as error:
            return Refusal("unavailable", f"Pictures cannot be analysed now: {error}"), b""
        threshold = THRESHOLD if request.threshold is None else request.threshold
        try:
            scene = analyzer.scene(data, whole=request.whole, threshold=threshold)
            annotated = b""
            if request.annotate and shows_pictures(config.privacy.video):
                annotated = encode_jpeg(_drawn(scene, config.privacy.video), config.stream.quality)
        except EdgeError as error:
            return Refusal("broken", str(error)), b""
        except (MemoryError, cv2.error):
            return Refusal("too_many_pixels", "This picture needs more memory than one may have; make it smaller."), b""
        event = scene_event(scene, SOURCE, None)
        return PictureResult(event, message(event, threshold)), annotated

    def _for(self, config: Config) -> EmotionAnalyzer:
        """The analyzer for these settings."""
        if self._analyzer is None or self._made_for != config:
            self._analyzer = None  # before the new one is made, so that there are never two
            self._analyzer = EmotionAnalyzer(config, max_megapixels=config.uploads.max_megapixels)
            self._made_for = config
        return self._analyzer


def refused(data: bytes, max_megapixels: float) -> Refusal | None:
    """Why a picture is not even decoded, by what its first bytes say; None if it may be."""
    kind = picture_kind(data[:HEAD_BYTES])
    size = picture_size(data)
    if size is None:
        return Refusal("broken", f"This {kind} picture is broken: its header does not tell its size. Is it complete?")
    megapixels = size.width * size.height / 1e6
    if megapixels > max_megapixels:
        return Refusal(
            "too_many_pixels",
            f"This {kind} picture has {size.width}×{size.height} = {megapixels:.1f} megapixels, expected at most "
            f"{max_megapixels:g} (uploads.max_megapixels); make it smaller.",
        )
    return None


def _drawn(scene: Scene, mode: VideoMode) -> Pixels:
    """What was found, drawn on as much of the picture as may be shown, no wider than `ANNOTATED_WIDTH_PX`."""
    frame = scene.frame
    if frame.width > ANNOTATED_WIDTH_PX:
        size = (ANNOTATED_WIDTH_PX, max(1, round(frame.height * ANNOTATED_WIDTH_PX / frame.width)))
        frame = Frame(frame.seq, frame.t_ns, cv2.resize(frame.bgr, size, interpolation=cv2.INTER_AREA))
    return Annotator().draw(replace(scene, frame=frame), mode)
