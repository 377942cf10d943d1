"""The worker that owns the camera: what it says of it, and when it opens it again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from edge.capture import SLICE_S, Capture
from edge.errors import Idle, NotDue, NotYet, PermanentError, TemporaryError
from edge.slot import LatestSlot
from edge.types import Frame
from edge.worker import Control
from tests.fakes import FakeSource, Ticking, frame
from tests.wire import eventually


def test_capture_fills_the_slot_and_says_when_it_is_over():
    frames: LatestSlot[Frame] = LatestSlot()
    source = FakeSource([frame(1), frame(2)], name="film")
    capture = Capture("uri", "asked for", lambda: source, frames, 1)
    capture.run(Control(Ticking()))
    assert frames.closed
    assert source.closed == 1
    status = capture.status
    assert (status.name, status.state, status.frames, status.width, status.height) == ("film", "ended", 2, 64, 48)


def test_a_camera_that_dies_is_given_back_and_its_frame_numbers_go_on_when_it_returns():
    frames: LatestSlot[Frame] = LatestSlot()
    first = FakeSource([frame(1), frame(2)], TemporaryError("unplugged"))
    second = FakeSource([frame(1)])
    sources = [first, second]
    capture = Capture("cam", "asked for", lambda: sources.pop(0), frames, 1)
    with pytest.raises(TemporaryError):
        capture.run(Control(Ticking()))
    assert first.closed == 1
    capture.retrying(TemporaryError("unplugged"), 0.5)
    assert (capture.status.state, capture.status.reason) == ("reconnecting", "unplugged")
    capture.run(Control(Ticking()))
    newest = frames.newer(0)
    assert newest is not None
    assert newest[1].seq == 3
    assert capture.status.reconnects == 1


def test_what_was_spared_goes_on_counting_with_the_frame_numbers():
    frames: LatestSlot[Frame] = LatestSlot()
    sources = [FakeSource([spared(5, 3)], TemporaryError("unplugged")), FakeSource([frame(1), spared(4, 2)])]
    capture = Capture("cam", "asked for", lambda: sources.pop(0), frames, 1)
    with pytest.raises(TemporaryError):
        capture.run(Control(Ticking()))
    capture.run(Control(Ticking()))
    newest = frames.newer(0)
    assert newest is not None
    assert (newest[1].seq, newest[1].spared) == (9, 5)


def spared(seq: int, count: int) -> Frame:
    return Frame(seq, frame(seq).t_ns, frame(seq).pixels, spared=count)


def test_a_source_that_spares_frames_nobody_wants_is_not_silent():
    source = FakeSource([frame(1), *[NotDue("nobody wants it")] * 1000, frame(2)])
    capture = Capture("cam", "asked for", lambda: source, LatestSlot(), 2.0)
    states = watched(capture)
    capture.run(Control(Ticking()))
    assert states == ["starting", "online", "ended"]


def test_a_pause_is_shown_though_nobody_wants_a_frame():
    source = FakeSource([frame(1), *[NotDue("nobody wants it")] * 3])
    capture = Capture("cam", "asked for", lambda: source, LatestSlot(), 2.0)
    states = watched(capture)
    read = source.read

    def paused_meanwhile(timeout_s: float) -> Frame:
        if capture.status.frames:
            capture.ask("pause")
        return read(timeout_s)

    source.read = paused_meanwhile  # type: ignore[method-assign]
    source.hold = lambda: False  # type: ignore[method-assign]
    capture.run(Control(Ticking()))
    assert states == ["starting", "online", "paused", "ended"]


def test_a_camera_that_was_never_there_is_still_starting():
    capture = Capture("cam", "asked for", lambda: FakeSource([]), LatestSlot(), 1)
    capture.retrying(TemporaryError("/dev/video0 is not there"), 0.5)
    assert (capture.status.state, capture.status.reason) == ("starting", "/dev/video0 is not there")


def watched(capture: Capture) -> list[str]:
    """All states in turn, each once."""
    states = [capture.status.state]
    told = capture._set

    def note(**changes: object) -> None:
        told(**changes)
        if capture.status.state != states[-1]:
            states.append(capture.status.state)

    capture._set = note  # type: ignore[method-assign]
    return states


def test_a_silent_camera_is_stalled_within_a_second_and_online_again_with_its_next_frame():
    silence = [NotYet("no picture comes")] * round(1.0 / SLICE_S)
    source = FakeSource([frame(1), *silence, frame(2)])
    capture = Capture("cam", "asked for", lambda: source, LatestSlot(), 5.0)
    states = watched(capture)
    capture.run(Control(Ticking()))
    assert states == ["starting", "online", "stalled", "online", "ended"]
    assert capture.status.since == 2, "what is older is not shown any more"


def test_a_camera_silent_for_too_long_is_given_back_to_be_opened_again():
    source = FakeSource([frame(1), *[NotYet("no picture comes")] * 1000])
    capture = Capture("cam", "asked for", lambda: source, LatestSlot(), 2.0)
    with pytest.raises(TemporaryError, match="no picture comes"):
        capture.run(Control(Ticking()))
    assert source.closed == 1


def test_short_silences_do_not_add_up():
    pause = [NotYet("no picture comes")] * 3
    source = FakeSource([entry for n in range(1, 20) for entry in (frame(n), *pause)])
    capture = Capture("cam", "asked for", lambda: source, LatestSlot(), 1.0)
    states = watched(capture)
    capture.run(Control(Ticking()))
    assert states == ["starting", "online", "ended"]


def test_a_source_that_keeps_a_slow_pace_is_neither_stalled_nor_opened_again():
    source = FakeSource([frame(1), *[NotDue("not due")] * 100, frame(2)])
    capture = Capture("pictures", "asked for", lambda: source, LatestSlot(), 1.0)
    states = watched(capture)
    capture.run(Control(Ticking()))
    assert states == ["starting", "online", "ended"]


@pytest.mark.parametrize("timeout_s", [0.1, 5.0, 60.0])
def test_signs_of_life_come_at_every_slice_however_long_the_deadline(timeout_s: float):
    beats: list[int] = []
    control = Control(Ticking())
    control.beat = lambda: beats.append(1)  # type: ignore[method-assign]
    source = FakeSource([frame(1), *[NotYet("no picture comes")] * 1000])
    capture = Capture("cam", "asked for", lambda: source, LatestSlot(), timeout_s)
    with pytest.raises(TemporaryError):
        capture.run(control)
    assert len(beats) >= timeout_s / SLICE_S


def test_failed_attempts_are_not_reconnects():
    capture = Capture("cam", "asked for", lambda: FakeSource([]), LatestSlot(), 1)
    for _ in range(5):
        capture.retrying(TemporaryError("not there"), 0.5)
    assert capture.status.reconnects == 0


def test_what_opening_again_cannot_mend_is_a_failure_with_its_reason():
    capture = Capture("cam", "asked for", lambda: FakeSource([]), LatestSlot(), 1)
    capture.failed(PermanentError("film.mp4 is a text file"))
    assert (capture.status.state, capture.status.reason) == ("failed", "film.mp4 is a text file")
    capture.failed(ZeroDivisionError("in the driver"))
    assert capture.status.reason == "an unexpected error, ZeroDivisionError: in the driver"


@pytest.mark.parametrize(("frames", "steady"), [(2, False), (75, False), (77, True)])
def test_only_a_source_that_goes_on_for_three_seconds_has_recovered(frames: int, steady: bool):
    recovered: list[int] = []
    control = Control(Ticking())
    control.recovered = lambda: recovered.append(1)  # type: ignore[method-assign]
    source = FakeSource([frame(n) for n in range(1, frames + 1)])  # 25 a second
    Capture("cam", "asked for", lambda: source, LatestSlot(), 1.0).run(control)
    assert bool(recovered) == steady


class Camera(FakeSource):
    """Goes on for ever; what it gives is numbered."""

    def __init__(self) -> None:
        super().__init__([])
        self.reads = 0

    def read(self, timeout_s: float) -> Frame:
        """The next one."""
        threading.Event().wait(0.001)
        self.reads += 1
        return frame(self.reads)

    def hold(self) -> bool:
        """Keeps no place."""
        return False


class Film(Camera):
    """Keeps its place."""

    def hold(self) -> bool:
        """Says so."""
        return True


@contextmanager
def at_work(capture: Capture) -> Iterator[Control]:
    """The worker's body on a thread, for as long as the context lasts."""
    control = Control(Ticking())
    thread = threading.Thread(target=capture.run, args=[control])
    thread.start()
    try:
        yield control
    finally:
        control._stop.set()
        thread.join(5)
        assert not thread.is_alive()


def is_(capture: Capture, state: str) -> Callable[[], bool]:
    return lambda: capture.status.state == state


def test_a_stop_gives_the_camera_back_and_a_start_opens_it_anew_which_is_no_reconnect():
    cameras: list[Camera] = []
    frames: LatestSlot[Frame] = LatestSlot()
    capture = Capture("cam", "asked for", lambda: cameras.append(Camera()) or cameras[-1], frames, 1)
    with at_work(capture):
        eventually(is_(capture, "online"), "frames come")
        assert capture.ask("stop").stopped
        eventually(is_(capture, "stopped"), "it is stopped")
        eventually(lambda: cameras[0].closed == 1, "the camera is given back")
        assert "person" in capture.status.reason
        seen, slot = capture.status.frames, frames.newer(0)
        capture.ask("stop")
        assert len(cameras) == 1
        assert not capture.ask("start").stopped
        eventually(is_(capture, "online"), "it is back")
        assert capture.status.reconnects == 0
        assert capture.status.since == seen + 1, "the numbers go on, and what is older is not shown any more"
        assert slot is not None
        assert slot[1].seq == seen, "none was taken meanwhile"
    assert len(cameras) == 2


def test_it_may_be_stopped_before_it_is_opened():
    capture = Capture("cam", "asked for", lambda: pytest.fail("it was opened"), LatestSlot(), 1)
    capture.ask("stop")
    with at_work(capture):
        eventually(is_(capture, "stopped"), "it is stopped")


def test_a_stopped_camera_shows_signs_of_life_and_its_next_failure_is_the_first():
    beats: list[str] = []
    capture = Capture("cam", "asked for", Camera, LatestSlot(), 1)
    capture.ask("stop")
    with at_work(capture) as control:
        control.recovered = lambda: beats.append("recovered")  # type: ignore[method-assign]
        eventually(lambda: len(beats) >= 2, "signs of life")


def test_a_camera_that_fails_after_a_start_is_starting_not_reconnecting():
    capture = Capture("cam", "asked for", Camera, LatestSlot(), 1)
    with at_work(capture):
        eventually(is_(capture, "online"), "frames come")
        capture.ask("stop")
        eventually(is_(capture, "stopped"), "it is stopped")
    capture.ask("start")
    capture.retrying(TemporaryError("it was taken away"), 0.5)
    assert (capture.status.state, capture.status.reason) == ("starting", "it was taken away")


def test_a_paused_camera_stays_open_and_what_it_gives_is_thrown_away_without_a_number():
    camera, frames = Camera(), LatestSlot[Frame]()
    capture = Capture("cam", "asked for", lambda: camera, frames, 1)
    with at_work(capture):
        eventually(is_(capture, "online"), "frames come")
        assert capture.ask("pause").paused
        eventually(is_(capture, "paused"), "it is paused")
        before, reads = capture.status.frames, camera.reads
        eventually(lambda: camera.reads > reads + 20, "it is read on, or something old would come after the pause")
        assert capture.status.frames == before
        newest = frames.newer(0)
        assert newest is not None
        capture.ask("resume")
        eventually(is_(capture, "online"), "it is back")
        assert capture.status.since == before + 1
        after = frames.newer(newest[0])
        assert after is not None
        assert after[1].t_ns > newest[1].t_ns + 20 * 40_000_000, "the first one afterwards is new"
        assert capture.status.reconnects == 0
    assert camera.closed == 1


def test_a_paused_film_is_not_read_and_goes_on_where_it_was():
    film, frames = Film(), LatestSlot[Frame]()
    capture = Capture("film", "asked for", lambda: film, frames, 1)
    with at_work(capture):
        eventually(is_(capture, "online"), "frames come")
        capture.ask("pause")
        eventually(is_(capture, "paused"), "it is paused")
        reads = film.reads
        assert reads == capture.status.frames
        threading.Event().wait(0.05)
        assert film.reads == reads
        capture.ask("resume")
        eventually(is_(capture, "online"), "it is back")
        assert capture.status.since == reads + 1


def test_a_pause_survives_a_reconnect():
    broken = threading.Event()

    class Breaks(Camera):
        def read(self, timeout_s: float) -> Frame:
            if broken.is_set():
                raise TemporaryError("the cable")
            return super().read(timeout_s)

    capture = Capture("cam", "asked for", Breaks, LatestSlot(), 1)
    control = Control(Ticking())
    capture.ask("pause")

    def run_until_it_breaks() -> None:
        with pytest.raises(TemporaryError):
            capture.run(control)

    thread = threading.Thread(target=run_until_it_breaks)
    thread.start()
    eventually(is_(capture, "paused"), "it is paused")
    broken.set()
    thread.join(5)
    capture.retrying(TemporaryError("the cable"), 0.5)
    broken.clear()
    with at_work(capture):
        eventually(is_(capture, "paused"), "it is paused again")
    assert capture.status.frames == 0


def test_a_camera_that_is_silent_after_a_pause_is_stalled():
    camera = FakeSource([NotYet("no picture comes")] * 5)
    camera.hold = lambda: False  # type: ignore[method-assign]
    capture = Capture("cam", "asked for", lambda: camera, LatestSlot(), 5.0)
    capture.grabbed(frame(1))
    capture.paused()
    states = watched(capture)
    capture.run(Control(Ticking()))
    assert states == ["paused", "stalled", "ended"]


def test_a_source_that_nobody_sends_to_waits_is_not_live_and_is_not_opened_again():
    idle = [Idle("nobody sends")] * 200
    source = FakeSource([*idle, frame(1), *idle[:2], frame(2), *idle, frame(3)])
    capture = Capture("push:", "asked for", lambda: source, LatestSlot(), 1.0)
    states = watched(capture)
    capture.run(Control(Ticking()))
    assert states == ["starting", "waiting", "online", "waiting", "online", "ended"]
    assert capture.status.reconnects == 0
    assert capture.status.since == 3
