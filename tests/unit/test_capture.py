"""The worker that owns the camera: what it says of it, and when it opens it again."""

import pytest

from edge.capture import SLICE_S, Capture
from edge.errors import NotDue, NotYet, PermanentError, TemporaryError
from edge.slot import LatestSlot
from edge.types import Frame
from edge.worker import Control
from tests.fakes import FakeSource, Ticking, frame


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
