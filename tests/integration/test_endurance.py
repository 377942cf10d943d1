"""A source that breaks hundreds of times, never ends a call, or is faster than who watches: nothing piles up."""

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from edge.errors import TemporaryError
from edge.sources import open_source
from edge.sources.newest import NewestFrame
from edge.types import PixelFormat, Pixels
from edge.worker import Backoff
from tests.mjpeg_server import mjpeg_server
from tests.rig import Held, Rig
from tests.senders import Sender, jpegs, receiving

AT_ONCE = Backoff(0.0, 0.0, 0.0)
RECONNECTS = 500


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What pytest keeps of the log would count as memory that grows."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Brittle:
    """A camera with a handle and a buffer, that breaks after two pictures, each time of another size."""

    opened = 0

    def __init__(self) -> None:
        Brittle.opened += 1
        self._handle = os.open(os.devnull, os.O_RDONLY)
        self._buffer = np.ones(1_000_000, np.uint8)
        self._count = 0

    def grab(self, wanted: Callable[[], bool]) -> tuple[Pixels, PixelFormat]:
        self._count += 1
        if self._count > 1:
            time.sleep(0.003)  # else the error overtakes the picture
        if self._count > 2:
            raise TemporaryError("the cable is loose")
        wanted()
        side = 120 + 2 * (Brittle.opened % 3)
        return np.full((side, 160, 3), self._count, np.uint8), PixelFormat.BGR

    def close(self) -> None:
        os.close(self._handle)


def test_threads_handles_and_memory_stay_flat_over_500_reconnects() -> None:
    rig = Rig(lambda: NewestFrame("camera", Brittle, time.monotonic_ns, 5.0, "look"), 5.0, AT_ONCE)
    with rig.running():
        rig.wait_for(lambda: rig.capture.status.reconnects >= 50, 30.0)
        tracemalloc.start()
        before = Held()
        rig.wait_for(lambda: rig.capture.status.reconnects >= 50 + RECONNECTS, 90.0)
        gc.collect()  # a traceback holds its device until then
        after, traced_mb = Held(), tracemalloc.get_traced_memory()[0] / 1e6
        tracemalloc.stop()
        # one of them may be between its opening and its end
        assert after.threads <= before.threads + 1
        assert after.handles <= before.handles + 1
        assert traced_mb < 5, "each holds a megabyte: room for the one or two that are open"
        assert after.rss_mb - before.rss_mb < 30
    print(f"\n{RECONNECTS} reconnects: RSS {after.rss_mb - before.rss_mb:+.1f} MB, Python {traced_mb:.1f} MB")


def test_they_stay_flat_over_real_connections_too() -> None:
    with mjpeg_server() as camera:
        camera.fault = "dies after each picture"
        rig = Rig(lambda: open_source(f"{camera.url}/faulty", silence_s=2.0), 5.0, AT_ONCE)
        with rig.running():
            rig.wait_for(lambda: rig.retries >= 10, 30.0)
            before = Held()
            rig.wait_for(lambda: rig.retries >= 60, 60.0)
            after = Held()
    # the server's own threads and sockets are in these figures
    assert after.threads <= before.threads + 3
    assert after.handles <= before.handles + 4
    assert after.rss_mb - before.rss_mb < 16
    print(f"\n50 real reconnects: RSS {after.rss_mb - before.rss_mb:+.1f} MB")


def test_they_stay_flat_over_300_senders_half_of_which_vanish() -> None:
    pictures = jpegs(4)
    with receiving() as at:

        def one(number: int) -> None:
            sender = Sender(at.port).greeted()
            sender.post(b"no picture")
            sender.post(pictures[number % 4])
            assert "result" in sender.answer(2)
            if number % 2:
                sender.vanish()
            else:
                sender.close()
            at.rig.wait_for(lambda: not at.mailbox.sender)

        for number in range(50):
            one(number)
        before = Held()
        for number in range(300):
            one(number)
        at.rig.wait_for(lambda: not at.stage.clients.status())
        gc.collect()
        after = Held()
        assert at.rig.retries == 0
        assert after.threads <= before.threads
        assert after.handles <= before.handles + 1
        assert after.rss_mb - before.rss_mb < 8
    print(f"\n300 senders: RSS {after.rss_mb - before.rss_mb:+.1f} MB, handles {after.handles - before.handles:+d}")


class Fast:
    """Sixty pictures a second."""

    def grab(self, wanted: Callable[[], bool]) -> tuple[Pixels, PixelFormat]:
        time.sleep(1 / 60)
        wanted()
        return np.zeros((48, 64, 3), np.uint8), PixelFormat.BGR

    def close(self) -> None:
        pass


def test_a_slow_reader_of_sixty_pictures_a_second_gets_new_ones_and_no_queue_builds_up() -> None:
    source = NewestFrame("camera", Fast, time.monotonic_ns, 5.0, "look")
    ages_s, numbers = [], []
    for _ in range(6):
        frame = source.read(1.0)
        time.sleep(0.2)  # what is done with it
        newer = source.read(1.0)
        ages_s.append((time.monotonic_ns() - newer.t_ns) / 1e9)
        numbers += [frame.seq, newer.seq]
    source.close()
    assert np.median(ages_s) < 0.05, ages_s
    assert max(ages_s) < 0.15, "a queue would be 0.2 s behind after the first, and further with each"
    assert numbers[-1] > 60, "what is between was left out"


def test_a_picture_is_never_shown_as_live_for_much_longer_than_a_second() -> None:
    hanging = threading.Event()

    class Hanging(Fast):
        def grab(self, wanted: Callable[[], bool]) -> tuple[Pixels, PixelFormat]:
            hanging.wait()  # cleared: the native call does not return
            return super().grab(wanted)

    hanging.set()
    rig = Rig(lambda: NewestFrame("camera", Hanging, time.monotonic_ns, 5.0, "look"), 30.0)
    with rig.running():
        rig.wait_for(lambda: rig.shows_a_face)
        hanging.clear()
        rig.wait_for(lambda: rig.shows_a_notice, 3.0)
        newest = rig.scenes.newer(0)
        assert newest is not None
        assert (time.monotonic_ns() - newest[1].frame.t_ns) / 1e9 < 2.0
        hanging.set()
        rig.wait_for(lambda: rig.shows_a_face, 3.0)
    assert rig.capture.states == ["starting", "online", "stalled", "online"]


HANGS = """
import sys, threading, time
import numpy as np
import edge.app
from edge.cli import main
from edge.sources.newest import NewestFrame
from edge.types import PixelFormat

class Hangs:
    pictures = {pictures}
    def grab(self, wanted):
        Hangs.pictures -= 1
        if Hangs.pictures < 0:
            print("hangs", flush=True)
            threading.Event().wait()
        wanted()
        return np.random.randint(0, 255, (48, 64, 3), np.uint8), PixelFormat.BGR
    def close(self):
        threading.Event().wait()

edge.app.open_source = lambda uri, *, clock, **_: NewestFrame("camera", Hangs, clock, 60.0, "look")
sys.exit(main(["run", "--source", "rtsp://camera/", "--port", "0", "--detector", "haar"]))
"""


@pytest.mark.parametrize("pictures", [0, 3], ids=["the first", "a later one"])
def test_a_read_that_never_returns_does_not_hold_up_the_end_of_the_program(pictures: int) -> None:
    code = HANGS.format(pictures=pictures)
    program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        for line in program.stdout:
            if line.startswith("hangs"):
                break
        time.sleep(0.3)
        start_s = time.monotonic()
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0
        assert time.monotonic() - start_s <= 2.0
    finally:
        program.kill()
        program.communicate()
