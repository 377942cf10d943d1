import logging
import threading
from collections.abc import Callable

import numpy as np
import pytest

from edge.demand import every
from edge.errors import ConfigError, EdgeError, NotDue, NotYet, PermanentError, TemporaryError
from edge.ports import Wanted
from edge.sources import newest
from edge.sources.newest import NewestFrame
from edge.types import PixelFormat, Pixels
from tests.world import World


class FakeDevice:
    """Delivers a picture each time the test lets it, numbered in its pixels."""

    def __init__(self, pictures: int = 1) -> None:
        self.permits = threading.Semaphore(pictures)
        self.waiting = threading.Semaphore(0)
        self.fails: Exception | None = None
        self.closed_by: list[str] = []
        self.count = 0
        self.decoding: Callable[[], None] = lambda: None

    def grab(self, wanted: Callable[[], bool]) -> tuple[Pixels, PixelFormat] | None:
        self.waiting.release()
        self.permits.acquire()
        if self.fails:
            raise self.fails
        self.count += 1
        if not wanted():
            return None
        self.decoding()
        return np.full((2, 4, 3), self.count, np.uint8), PixelFormat.BGR

    def close(self) -> None:
        self.closed_by.append(threading.current_thread().name)

    def deliver(self, count: int) -> None:
        """Let `count` pictures through, and return when the device is asked for the one after."""
        for _ in range(count):
            self.permits.release()
            assert self.waiting.acquire(timeout=5)


def opened(device: FakeDevice, world: World | None = None, wanted: Wanted = every) -> NewestFrame:
    source = NewestFrame("cam", lambda: device, (world or World()).clock, 5.0, "look at the cable", wanted)
    # one for the picture that opening waits for, one for the next
    for _ in range(2):
        assert device.waiting.acquire(timeout=5)
    return source


def let_go(source: NewestFrame, device: FakeDevice) -> None:
    device.fails = TemporaryError("over")
    device.permits.release()
    source.close()


def test_what_nobody_wants_is_not_made_and_is_no_silence() -> None:
    device, wants = FakeDevice(), [False]
    source = opened(device, wanted=lambda _: wants[0])
    assert source.read(1.0).seq == 1, "the first picture is always wanted: it tells the size"
    device.deliver(3)
    with pytest.raises(NotDue, match="none is wanted yet"):
        source.read(0.0)
    with pytest.raises(NotYet) as silent:
        source.read(0.0)
    assert not isinstance(silent.value, NotDue), "no more have come since"
    wants[0] = True
    device.deliver(1)
    frame = source.read(1.0)
    assert (frame.seq, frame.spared) == (5, 3)
    let_go(source, device)


def test_a_pictures_time_is_when_it_was_there_and_not_when_it_was_decoded() -> None:
    device, world = FakeDevice(), World()
    device.decoding = lambda: world.pass_by(0.006)
    source = opened(device, world)
    before_ns = world.now_ns
    device.deliver(1)
    assert source.read(1.0).t_ns == before_ns
    assert world.now_ns == before_ns + 6_000_000
    let_go(source, device)


def test_the_newest_picture_wins_and_the_gap_shows() -> None:
    device, world = FakeDevice(), World()
    source = opened(device, world)
    assert source.read(1.0).seq == 1
    world.pass_by(0.5)
    device.deliver(3)
    frame = source.read(1.0)
    assert (frame.seq, int(frame.pixels[0, 0, 0]), frame.t_ns) == (4, 4, world.now_ns)
    let_go(source, device)


def test_its_name_tells_the_size_that_came() -> None:
    device = FakeDevice()
    source = opened(device)
    assert source.name == "cam 4×2"
    let_go(source, device)


def test_a_silent_device_times_out_and_may_come_back() -> None:
    device = FakeDevice()
    source = opened(device)
    source.read(1.0)
    with pytest.raises(NotYet, match=r"no picture comes; look at the cable"):
        source.read(0.01)
    device.deliver(1)
    assert source.read(1.0).seq == 2
    let_go(source, device)


def test_what_the_device_says_reaches_the_reader() -> None:
    device = FakeDevice()
    source = opened(device)
    source.read(1.0)
    device.fails = TemporaryError("unplugged")
    device.permits.release()
    for _ in range(2):
        with pytest.raises(TemporaryError, match="unplugged"):
            source.read(5.0)
    source.close()
    assert device.closed_by == ["grab cam"]


def test_an_error_on_opening_is_raised_by_the_constructor() -> None:
    def fails() -> FakeDevice:
        raise ConfigError("no library")

    with pytest.raises(ConfigError, match="no library"):
        NewestFrame("cam", fails, World().clock, 5.0, "")


def test_a_device_that_opens_but_stays_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "CLOSE_S", 0.05)
    device = FakeDevice(pictures=0)
    with pytest.raises(TemporaryError, match="look at the cable"):
        NewestFrame("cam", lambda: device, World().clock, 0.05, "look at the cable")
    device.permits.release()


def test_what_nobody_foresaw_reaches_the_reader_too() -> None:
    device = FakeDevice()
    source = opened(device)
    source.read(1.0)
    device.fails = ZeroDivisionError("in the driver")
    device.permits.release()
    with pytest.raises(ZeroDivisionError, match="in the driver"):
        source.read(5.0)
    source.close()


def test_a_device_held_by_a_call_that_never_returned_asks_for_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "CLOSE_S", 0.01)
    monkeypatch.setattr(newest, "_left_behind", [])
    world, hanging = World(), FakeDevice()
    opened(hanging, world).close()

    def busy() -> FakeDevice:
        raise TemporaryError("in use")

    with pytest.raises(TemporaryError, match="in use"):
        NewestFrame("cam", busy, world.clock, 5.0, "")
    world.pass_by(60)
    with pytest.raises(EdgeError, match="only a restart") as caught:
        NewestFrame("cam", busy, world.clock, 5.0, "")
    assert not isinstance(caught.value, TemporaryError | PermanentError)
    hanging.permits.release()


def test_threads_left_behind_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "CLOSE_S", 0.01)
    monkeypatch.setattr(newest, "_left_behind", [])
    hanging = [FakeDevice() for _ in range(newest.MOST_LEFT_BEHIND)]
    for device in hanging:
        opened(device).close()
    with pytest.raises(EdgeError, match="hangs again and again"):
        opened(FakeDevice())
    for device in hanging:
        device.permits.release()


def test_close_does_not_wait_for_a_device_that_hangs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(newest, "CLOSE_S", 0.05)
    device = FakeDevice()
    source = opened(device)
    with caplog.at_level(logging.WARNING):
        source.close()
        source.close()
    assert "does not let go" in caplog.text
    with pytest.raises(PermanentError, match="closed"):
        source.read(1.0)
    assert device.closed_by == []
    device.permits.release()  # the native call returns at last
    wait_until(lambda: device.closed_by == ["grab cam"])


def wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(500):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("it did not happen within 5 s")
