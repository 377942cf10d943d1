"""systemd hears of progress while there is progress, or while a camera is looked for; and of nothing else."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from edge.analysis import LiveAnalysis, Outlet
from edge.audience import Audience
from edge.capture import Capture
from edge.errors import TemporaryError
from edge.mailbox import Limits, Mailbox
from edge.present import Present
from edge.server.settings import ServerSettings
from edge.slot import LatestSlot
from edge.sources.push import PushSource
from edge.supervisor import Supervisor, Task
from edge.types import Frame, Scene
from edge.worker import Backoff
from tests.drawn import scene
from tests.fakes import FakeSource, frame
from tests.service_manager import Told, listening
from tests.stage import Stage

SILENT_S = 0.35
SLICE_S = 0.02
RUN_S = 0.8


@dataclass
class Service:
    """The workers of a program, of which one may be stuck, and what systemd hears.

    Attributes:
        stuck: holds up whatever waits for it, until the end.
    """

    stuck: threading.Event = field(default_factory=threading.Event)
    frames: LatestSlot[Frame] = field(default_factory=LatestSlot)
    scenes: LatestSlot[Scene] = field(default_factory=LatestSlot)
    stage: Stage = field(default_factory=Stage)

    def capture(self, *sources: FakeSource | PushSource | Exception) -> Capture:
        """A camera that is opened to these in turn, to the last one again and again."""
        left = list(sources)

        def open_source() -> FakeSource | PushSource:
            found = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(found, Exception):
                raise found
            return found

        return Capture("cam", "asked for", open_source, self.frames, 5.0)

    def hear(self, *tasks: Task, announce: Callable[[str], None] = lambda _: None) -> Told:
        """What systemd hears while these workers run."""
        supervisor = Supervisor(tasks, ())
        backstage = self.stage.backstage()
        with listening() as systemd, pytest.MonkeyPatch.context() as patch:
            patch.setenv("NOTIFY_SOCKET", f"@{systemd.name}")
            patch.setenv("WATCHDOG_USEC", "200000")
            asyncio.run(supervisor.run(backstage, ServerSettings(port=0), announce=announce, duration_s=RUN_S))
            self.stuck.set()
            systemd.wait_for(lambda: any("STOPPING=1" in text for text in systemd.texts), "the end")
        return systemd


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """With the same rules as ever, sooner."""
    monkeypatch.setattr("edge.supervisor.SILENT_S", SILENT_S)
    monkeypatch.setattr("edge.supervisor.STOP_S", 0.1)
    for place in ("edge.capture.SLICE_S", "edge.analysis.WAIT_S", "edge.present.WAIT_S"):
        monkeypatch.setattr(place, SLICE_S)
    monkeypatch.setattr("edge.worker.Backoff", lambda: Backoff(first_s=0.05, cap_s=0.3))
    service = Service()
    yield service
    service.stuck.set()


def assert_kept_alive(heard: Told) -> None:
    """At every look at the workers, systemd was told that there is progress."""
    looks = len(heard.statuses) - 1  # the last one says that it stops
    assert looks > 5
    assert heard.texts.count("WATCHDOG=1") == looks
    assert not [status for status in heard.statuses if "silent" in status]


def assert_given_up(heard: Told, worker: str) -> None:
    """From some moment on systemd was told no more, but for who is stuck."""
    assert heard.texts[0] == "READY=1"
    assert "WATCHDOG=1" in heard.texts[1:3], "it was well in the beginning"
    named = [index for index, text in enumerate(heard.texts) if f"{worker} has been silent for" in text]
    assert len(named) > 3
    assert "WATCHDOG=1" not in heard.texts[named[0] :]


class Film(FakeSource):
    """A camera without an end."""

    live = True

    def __init__(self) -> None:
        super().__init__([])
        self._seq = 0

    def read(self, timeout_s: float) -> Frame:
        """The next frame, after a while."""
        time.sleep(0.01)
        self._seq += 1
        return frame(self._seq, t_ns=time.monotonic_ns())

    def hold(self) -> bool:
        """What comes must be thrown away."""
        return False


class Stuck(Film):
    """One that gives a few frames, and then never returns."""

    def __init__(self, service: Service, after: int = 3) -> None:
        super().__init__()
        self._service = service
        self._after = after

    def read(self, timeout_s: float) -> Frame:
        """The next frame, or nothing for ever."""
        if self._seq >= self._after:
            self._service.stuck.wait()
        return super().read(timeout_s)


class Pipeline:
    """Sees nothing; may get stuck with a frame."""

    effort = None

    def __init__(self, stuck: threading.Event | None = None) -> None:
        self._stuck = stuck

    def step(self, taken: Frame) -> Scene:
        """An empty scene."""
        if self._stuck is not None and taken.seq > 3:
            self._stuck.wait()
        return scene(seq=taken.seq)


class Nobody:
    """Keeps no figures."""

    def analysed(self, _: Scene) -> None:
        """A scene is done."""

    def skipped(self, reason: str, frames: int) -> None:
        """Frames were not analysed."""


class Press:
    """Draws nothing; may get stuck with it."""

    def __init__(self, stuck: threading.Event | None = None) -> None:
        self._stuck = stuck

    def print_scene(self, *_: object, **__: object) -> None:
        """A picture of a scene."""
        if self._stuck is not None:
            self._stuck.wait()

    print_notice = print_scene


def inference(service: Service, stuck: threading.Event | None = None) -> Task:
    outlet = Outlet(service.scenes, (), Nobody())
    return Task("infer", LiveAnalysis(service.frames, Pipeline(stuck), outlet).run)  # type: ignore[arg-type]


def presenter(service: Service, audience: Audience, capture: Capture, stuck: threading.Event | None = None) -> Task:
    stage, clock = service.stage, time.monotonic_ns
    press = Press(stuck)
    return Task(
        "present",
        Present(service.scenes, audience, lambda: capture.status, stage.settings, clock, press).run,  # type: ignore[arg-type]
    )


def capturing(capture: Capture) -> Task:
    return Task("capture", capture.run, on_retry=capture.retrying, on_failure=capture.failed)


@pytest.mark.parametrize("viewers", [0, 1])
def test_while_frames_come_whether_somebody_watches_or_not(service: Service, viewers: int):
    capture, audience = service.capture(Film()), Audience()
    with ExitStack() as stack:
        for _ in range(viewers):
            stack.enter_context(audience.watching())
        heard = service.hear(capturing(capture), inference(service), presenter(service, audience, capture))
    assert service.scenes.newer(0) is not None
    assert_kept_alive(heard)


def test_while_a_camera_is_away_paused_or_stopped_or_nobody_sends_pictures(service: Service):
    cameras = {
        "starting": service.capture(TemporaryError("unplugged")),
        "paused": service.capture(Film()),
        "stopped": service.capture(Film()),
        "waiting": service.capture(PushSource(Mailbox(Limits(max_fps=30)), time.monotonic_ns)),
    }
    cameras["paused"].ask("pause")
    cameras["stopped"].ask("stop")
    tasks = [Task(state, capture.run, on_retry=capture.retrying) for state, capture in cameras.items()]
    heard = service.hear(*tasks, inference(service), presenter(service, Audience(), cameras["starting"]))
    assert [capture.status.state for capture in cameras.values()] == list(cameras)
    assert_kept_alive(heard)


def test_no_more_once_the_analysis_is_stuck_with_a_frame(service: Service, caplog: pytest.LogCaptureFixture):
    capture = service.capture(Film())
    heard = service.hear(capturing(capture), inference(service, service.stuck))
    assert_given_up(heard, "infer")
    told = [record for record in caplog.records if getattr(record, "event", "") == "worker.stuck"]
    assert len(told) > 1
    assert {record.getMessage() for record in told} == {"infer has been silent for too long"}, "no repeat is held back"


def test_no_more_once_a_camera_never_returns_from_a_read(service: Service):
    capture = service.capture(Stuck(service))
    heard = service.hear(capturing(capture), inference(service))
    assert_given_up(heard, "capture")


def test_no_more_once_the_making_of_pictures_is_stuck(service: Service):
    capture, audience = service.capture(Film()), Audience()
    with audience.watching():
        heard = service.hear(
            capturing(capture), inference(service), presenter(service, audience, capture, service.stuck)
        )
    assert_given_up(heard, "present")


def test_nothing_at_all_while_the_event_loop_is_stuck(service: Service):
    held: list[float] = []

    def hold_up() -> None:
        held.append(time.monotonic())
        time.sleep(0.3)
        held.append(time.monotonic())

    def announce(_: str) -> None:
        asyncio.get_running_loop().call_later(0.2, hold_up)

    heard = service.hear(inference(service), announce=announce)
    begun_s, over_s = held
    meanwhile = [text for at_s, text in heard.messages if begun_s + 0.01 < at_s < over_s]
    assert meanwhile == []
    assert [text for at_s, text in heard.messages if at_s < begun_s and text == b"WATCHDOG=1"]
    assert [text for at_s, text in heard.messages if at_s > over_s and text == b"WATCHDOG=1"]


def test_a_worker_that_goes_on_again_is_believed(service: Service):
    released = threading.Event()
    capture = service.capture(Film())
    threading.Timer(0.6, released.set).start()
    heard = service.hear(capturing(capture), inference(service, released))
    silent = [index for index, text in enumerate(heard.texts) if "infer has been silent for" in text]
    assert silent
    assert "WATCHDOG=1" not in heard.texts[silent[0] : silent[-1]]
    assert "WATCHDOG=1" in heard.texts[silent[-1] :]
