"""A source on the real workers, from its opening to the picture that is shown, with every state it goes through."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from edge.audience import Audience
from edge.capture import Capture
from edge.config import Config
from edge.events import scene_event
from edge.live import LiveSettings
from edge.ports import FrameSource
from edge.present import Present
from edge.press import Press
from edge.slot import LatestSlot
from edge.types import Box, Decision, Frame, JpegPacket, Scene, Track
from edge.worker import Backoff, Control, Worker

LIVE = ("online", "ended")
ON_ITS_WAY_S = 0.1
"""A picture may be drawn while its source breaks; the notice follows it."""
QUICK = Backoff(first_s=0.05, cap_s=0.2)
FACE = Track(1, Box(0.3, 0.3, 0.3, 0.3), 0.9, None, 2, 0, 1, 0, label="happy", confidence=0.9)


class Noted(Capture):
    """Keeps every state it says.

    Attributes:
        states: in turn, the first is `starting`; states that follow themselves count once.
        reasons: of all states, likewise.
        since_s: when the newest one began, on the monotonic clock.
    """

    states: list[str]
    reasons: list[str]
    since_s: float

    def _set(self, **changes: object) -> None:
        super()._set(**changes)
        if self.status.reason != self.reasons[-1]:
            self.reasons.append(self.status.reason)
        if self.status.state != self.states[-1]:
            self.since_s = time.monotonic()
            self.states.append(self.status.state)


class Rig:
    """Capture, something that finds a face on every frame, and the presenter, with somebody watching.

    Attributes:
        waits_s: before each retry.
        ended: set when the capture worker is over.
        showed_a_face_while_broken: whether a frame took the place of the notice before the source was back.
    """

    def __init__(self, open_source: Callable[[], FrameSource], timeout_s: float, backoff: Backoff = QUICK) -> None:
        self.frames: LatestSlot[Frame] = LatestSlot()
        self.scenes: LatestSlot[Scene] = LatestSlot()
        self._audience = Audience()
        self.jpegs: LatestSlot[JpegPacket] = self._audience.default.jpegs
        self.capture = Noted("camera", "asked for", open_source, self.frames, timeout_s)
        self.capture.states, self.capture.reasons = ["starting"], [""]
        self.waits_s: list[float] = []
        self.ended = threading.Event()
        self.showed_a_face_while_broken = False
        self._noticed = False
        self.jpegs.subscribe(self._published)
        settings, clock = LiveSettings(Config()), time.monotonic_ns
        press = Press(settings, clock, lambda *_: None, lambda scene: scene_event(scene, "camera", None))
        present = Present(self.scenes, self._audience, lambda: self.capture.status, settings, clock, press)
        self._workers = [
            Worker("capture", self.capture.run, on_end=self._over, on_retry=self._retrying, backoff=backoff),
            Worker("infer", self._find_faces, on_end=lambda _: None),
            Worker("present", present.run, on_end=lambda _: None),
        ]

    def _retrying(self, error: Exception, wait_s: float) -> None:
        self.waits_s.append(wait_s)
        self.capture.retrying(error, wait_s)  # type: ignore[arg-type]

    def _over(self, worker: Worker) -> None:
        if worker.failure is not None:
            self.capture.failed(worker.failure)
        self.ended.set()

    def _find_faces(self, control: Control) -> None:
        taken = 0
        while not control.stopping:
            got = self.frames.wait_newer(taken, 0.05)
            if got is not None:
                taken, frame = got
                self.scenes.put(Scene(frame, (FACE,), ("happy",), Decision(True, "first"), {}))

    @property
    def retries(self) -> int:
        """How often the source broke."""
        return len(self.waits_s)

    @property
    def state(self) -> str:
        """As of now."""
        return self.capture.status.state

    @property
    def _broke_just_now(self) -> bool:
        states = self.capture.states
        return len(states) > 1 and states[-2] in LIVE and time.monotonic() < self.capture.since_s + ON_ITS_WAY_S

    def _published(self) -> None:
        shown = self.shown
        if shown is not None:
            live = self.state in LIVE or self._broke_just_now
            self.showed_a_face_while_broken |= self._noticed and not shown.notice and not live
            self._noticed = shown.notice

    @property
    def shows_a_face(self) -> bool:
        """Whether the viewer sees a frame."""
        return self.shown is not None and not self.shown.notice

    @property
    def shows_a_notice(self) -> bool:
        """Whether the viewer sees why there is no frame."""
        return self.shown is not None and self.shown.notice

    @property
    def shown(self) -> JpegPacket | None:
        """The picture that a viewer has before them."""
        newest = self.jpegs.newer(0)
        return None if newest is None else newest[1]

    def wait_for(self, what: Callable[[], bool], within_s: float = 10.0) -> float:
        """Wait until something is so.

        Returns:
            The seconds that took.
        """
        start_s = time.monotonic()
        while time.monotonic() < start_s + within_s:
            if what():
                return time.monotonic() - start_s
            time.sleep(0.005)
        raise AssertionError(f"not within {within_s:g} s; {self.capture.states}: {self.capture.status.reason}")

    @contextmanager
    def running(self) -> Iterator[None]:
        """At work for as long as the context lasts."""
        with self._audience.watching():
            for worker in self._workers:
                worker.start()
            try:
                yield
            finally:
                for worker in self._workers:
                    worker.stop()
                for worker in self._workers:
                    worker.join(5.0)


class Held:
    """What the process holds."""

    def __init__(self) -> None:
        self.threads = threading.active_count()
        self.handles = psutil.Process().num_fds()
        self.rss_mb = psutil.Process().memory_info().rss / 2**20
