"""Body of the present worker: draws and encodes the newest scene, once for all, and only while somebody watches."""

from collections.abc import Callable

from edge.annotate import Annotator
from edge.audience import Audience
from edge.encode import encode_jpeg
from edge.ports import Clock
from edge.slot import LatestSlot
from edge.status import SourceStatus
from edge.types import JpegPacket, Pixels, Scene
from edge.worker import Control

WAIT_S = 0.2
REPEAT_S = 1.0
"""A picture that does not change (the end of a file, a slow source, a notice) is sent again for who came since."""


class Present:
    """Owns the canvas and the encoder."""

    def __init__(
        self,
        scenes: LatestSlot[Scene],
        jpegs: LatestSlot[JpegPacket],
        audience: Audience,
        source: Callable[[], SourceStatus],
        quality: int,
        clock: Clock,
        on_encoded: Callable[[int, int], None],
        caption: str = "",
    ) -> None:
        """Args as named; `on_encoded` is told the nanoseconds for drawing and for encoding."""
        self._scenes = scenes
        self._jpegs = jpegs
        self._audience = audience
        self._source = source
        self._quality = quality
        self._clock = clock
        self._on_encoded = on_encoded
        self._annotator = Annotator(caption)
        self._published_ns: int | None = None
        self._told: SourceStatus | None = None

    def run(self, control: Control) -> None:
        """Present until told to stop."""
        shown = 0
        while not control.stopping:
            control.beat()
            if not self._audience.wait(WAIT_S):
                continue
            source = self._source()
            if source.state in ("online", "ended"):
                got = self._scenes.wait_newer(shown, WAIT_S)
                if got is not None:
                    shown, scene = got
                    if scene.frame.seq >= source.since:  # not one from before the camera went and came back
                        self.show(scene)
                elif shown and self._due():
                    self._repeat()
            elif self._due() or self._news(source):
                # a face from before the camera went must not be shown as live
                self.show_notice(source, self._clock())
            else:
                control.wait(WAIT_S)

    def _news(self, source: SourceStatus) -> bool:
        """Whether the picture does not say yet what is wrong now."""
        return self._told is None or (self._told.state, self._told.reason) != (source.state, source.reason)

    def _due(self) -> bool:
        """Whether a viewer who came since the last picture has waited long enough for it."""
        return self._published_ns is None or self._clock() - self._published_ns >= REPEAT_S * 1e9

    def _repeat(self) -> None:
        packet = self._jpegs.newer(0)
        if packet is not None:
            self._published_ns = self._clock()
            self._jpegs.put(packet[1])

    def show(self, scene: Scene) -> None:
        """Draw, encode and publish one scene."""
        start_ns = self._clock()
        canvas = self._annotator.draw(scene)
        self._told = None
        self._publish(canvas, scene.frame.seq, scene.frame.t_ns, start_ns)

    def show_notice(self, source: SourceStatus, t_ns: int) -> None:
        """Publish a picture that says why there is none."""
        title = "Waiting for the camera" if source.state == "starting" else f"Camera {source.state}"
        canvas = self._annotator.notice(source.width or 640, source.height or 480, title, source.reason)
        self._told = source
        self._publish(canvas, source.frames, t_ns, t_ns, notice=True)

    def _publish(self, canvas: Pixels, seq: int, t_ns: int, start_ns: int, *, notice: bool = False) -> None:
        drawn_ns = self._clock()
        data = encode_jpeg(canvas, self._quality)
        self._published_ns = self._clock()
        self._on_encoded(drawn_ns - start_ns, self._published_ns - drawn_ns)
        height, width = canvas.shape[:2]
        self._jpegs.put(JpegPacket(seq, t_ns, data, width, height, notice))
