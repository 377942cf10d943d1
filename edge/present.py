"""Body of the present worker: draws and encodes the newest scene, once for all, and only while somebody watches."""

from collections.abc import Callable

from edge.audience import Audience
from edge.live import LiveSettings
from edge.ports import Clock
from edge.press import Press
from edge.privacy import shows_pictures
from edge.slot import LatestSlot
from edge.status import SourceStatus
from edge.types import JpegPacket, Scene
from edge.worker import Control

WAIT_S = 0.2
REPEAT_S = 1.0
"""A picture that does not change (the end of a file, a slow source, a notice) is sent again for who came since."""

SHOWN_STATES = ("online", "ended")
"""Of the source: its newest picture is what there is to see now."""


class Present:
    """Decides when which picture is made."""

    def __init__(
        self,
        scenes: LatestSlot[Scene],
        audience: Audience,
        source: Callable[[], SourceStatus],
        settings: LiveSettings,
        clock: Clock,
        press: Press,
    ) -> None:
        """Args as named."""
        self._scenes = scenes
        self._audience = audience
        self._source = source
        self._settings = settings
        self._clock = clock
        self._press = press
        self._published_ns: int | None = None
        self._told: SourceStatus | None = None

    def run(self, control: Control) -> None:
        """Present until told to stop."""
        shown = 0
        while not control.stopping:
            control.beat()
            if not self._audience.wait(WAIT_S):
                continue
            if not shows_pictures(self._settings.current.privacy.video):
                self._audience.dismiss()
                control.wait(WAIT_S)
                continue
            source = self._source()
            if source.state in SHOWN_STATES:
                got = self._scenes.wait_newer(shown, WAIT_S)
                if got is not None:
                    shown, scene = got
                    if scene.frame.seq >= source.since:  # not one from before the camera went and came back
                        self._show(scene)
                elif shown and self._due():
                    self._repeat(source)
            elif self._due() or self._news(source):
                # a face from before the camera went must not be shown as live
                self._show_notice(source)
            else:
                # the first scene of a source that is online again, or for the first time, is shown at once
                newest = self._scenes.newer(0)
                self._scenes.wait_newer(newest[0] if newest else 0, WAIT_S)

    def _news(self, source: SourceStatus) -> bool:
        """Whether the picture does not say yet what is wrong now."""
        return self._told is None or (self._told.state, self._told.reason) != (source.state, source.reason)

    def _due(self) -> bool:
        """Whether a viewer who came since the last picture has waited long enough for it."""
        return self._published_ns is None or self._clock() - self._published_ns >= REPEAT_S * 1e9

    def _show(self, scene: Scene) -> None:
        now_ns = self._published_ns = self._clock()
        self._told = None
        audience = self._audience
        due = [showing for showing in audience.showings if not showing.interval_ns or showing.open_ns <= now_ns]
        if due:
            self._press.print_scene(scene, due, with_result=audience.readers > 0)

    def _show_notice(self, source: SourceStatus) -> None:
        self._published_ns = self._clock()
        self._told = source
        self._press.print_notice(source, self._published_ns, self._audience.showings)

    def _repeat(self, source: SourceStatus) -> None:
        """Send what is there again; make it where it is missing, such as for the first who wants it in that size."""
        self._published_ns = self._clock()
        audience = self._audience
        newest = self._scenes.newer(0)
        scene = None if newest is None or newest[1].frame.seq < source.since else newest[1]
        missing = []
        for showing in audience.showings:
            found = showing.jpegs.newer(0)
            if scene is not None and (found is None or not self._up_to_date(found[1], scene)):
                missing.append(showing)
            elif found is not None:
                showing.jpegs.put(found[1])
        if scene is not None and missing:
            self._press.print_scene(scene, missing, with_result=audience.readers > 0)

    def _up_to_date(self, packet: JpegPacket, scene: Scene) -> bool:
        """Whether a picture is what would be made of the scene now."""
        privacy = self._settings.current.privacy
        complete = packet.result is not None or not self._audience.readers or privacy.events != "faces"
        return packet.seq == scene.frame.seq and not packet.notice and complete and packet.privacy == privacy
