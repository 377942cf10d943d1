"""One scene, or one notice, in all the kinds of picture that are watched."""

from collections.abc import Callable, Sequence

from edge.annotate import Annotator
from edge.audience import Showing
from edge.config import Config
from edge.encode import encode_jpeg
from edge.events import SceneEvent
from edge.live import LiveSettings
from edge.ports import Clock
from edge.privacy import shows_pictures
from edge.status import SourceStatus
from edge.types import JpegPacket, Pixels, Scene
from edge.variants import next_opening_ns, scaled

TITLES = {"starting": "Waiting for the camera", "waiting": "Waiting for pictures"}
"""Of notices, by the source's state, where that alone would not read well."""


class Press:
    """Owns the canvas and the encoder. One thread only."""

    def __init__(
        self,
        settings: LiveSettings,
        clock: Clock,
        on_encoded: Callable[[int, int], None],
        record: Callable[[Scene], SceneEvent],
        caption: str = "",
    ) -> None:
        """Args as named.

        `on_encoded` is told the nanoseconds for drawing and for encoding of each JPEG; `record` makes a scene's result
        where somebody wants it with the picture; `caption` stands at the foot of each picture.
        """
        self._settings = settings
        self._clock = clock
        self._on_encoded = on_encoded
        self._record = record
        self._annotator = Annotator(caption)

    def print_scene(self, scene: Scene, showings: Sequence[Showing], *, with_result: bool) -> None:
        """Draw a scene once, and encode it for each kind of picture.

        Args:
            scene: what to draw.
            showings: for whom.
            with_result: whether anybody wants its record with it; only given as far as `privacy.events` allows.
        """
        settings = self._settings.current
        if not shows_pictures(settings.privacy.video):
            return
        start_ns = self._clock()
        each_face = settings.privacy.events == "faces"
        result = self._record(scene) if with_result and each_face else None
        canvas = self._annotator.ground(scene.frame, settings.privacy.video)
        unmarked = {id(showing): _of_its_own(canvas, showing) for showing in showings if showing.variant.raw}
        if len(unmarked) < len(showings):
            self._annotator.mark(canvas, scene, labels=each_face)
        for showing in showings:
            picture = unmarked[id(showing)] if showing.variant.raw else scaled(canvas, showing.variant.width)
            start_ns = self._put(picture, showing, settings, start_ns, scene.frame.seq, scene.frame.t_ns, False, result)

    def print_notice(self, source: SourceStatus, t_ns: int, showings: Sequence[Showing]) -> None:
        """The same with a picture that says why there is none."""
        settings = self._settings.current
        if not shows_pictures(settings.privacy.video):
            return
        title = TITLES.get(source.state, f"Camera {source.state}")
        canvas = self._annotator.notice(source.width or 640, source.height or 480, title, source.reason)
        start_ns = t_ns
        for showing in showings:
            picture = scaled(canvas, showing.variant.width)
            start_ns = self._put(picture, showing, settings, start_ns, source.frames, t_ns, True, None)

    def _put(
        self,
        picture: Pixels,
        showing: Showing,
        settings: Config,
        start_ns: int,
        seq: int,
        t_ns: int,
        notice: bool,
        result: SceneEvent | None,
    ) -> int:
        """Encode and publish; `start_ns` is when the work on this picture began. Returns when it ended."""
        drawn_ns = self._clock()
        data = encode_jpeg(picture, showing.variant.quality or settings.stream.quality)
        end_ns = self._clock()
        self._on_encoded(drawn_ns - start_ns, end_ns - drawn_ns)
        if showing.interval_ns:
            showing.open_ns = next_opening_ns(showing.open_ns, end_ns, showing.interval_ns)
        height, width = picture.shape[:2]
        showing.jpegs.put(JpegPacket(seq, t_ns, data, width, height, notice, settings.privacy, result))
        return end_ns


def _of_its_own(canvas: Pixels, showing: Showing) -> Pixels:
    """The canvas as the showing wants it, to stay as it is when the canvas is drawn on."""
    picture = scaled(canvas, showing.variant.width)
    return picture.copy() if picture is canvas else picture
