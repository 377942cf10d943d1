"""What every source promises, whatever it is made of."""

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.errors import EdgeError, NotYet, SourceEnded, TemporaryError
from edge.mailbox import Limits, Mailbox
from edge.ports import FrameSource
from edge.sources import open_source
from edge.sources.turned import turned
from edge.sources.uri import parse
from tests.films import film, pictures
from tests.mjpeg_server import MjpegServer, mjpeg_server

TURNED = "turned and mirrored "
"""Before a URI: with the wrapper around it."""
ENDLESS = {
    "demo": "demo:?size=160x120",
    "demo in lockstep": "demo:?size=160x120&realtime=0",
    "looping file": "file:{films}/a.avi?loop=1",
    "looping file in lockstep": "file:{films}/a.mp4?loop=1&realtime=0",
    "looping images": "images:{films}/*.png?loop=1&fps=30",
    "network camera": "{camera}/stream",
    "named pipe": "fifo:{films}/pipe",
    "pictures that are sent": "push:?fps=120",
    "demo on its side": TURNED + "demo:?size=160x120",
    "network camera on its side": TURNED + "{camera}/stream",
}
ENDING = {
    "short demo": "demo:?size=160x120&duration=0.2",
    "short demo in lockstep": "demo:?size=160x120&duration=0.2&realtime=0",
    "file": "file:{films}/a.mp4",
    "file in lockstep": "{films}/a.avi?realtime=0",
    "images": "images:{films}?fps=50",
    "recording on a web server": "{camera}/a.mp4",
    "images in lockstep": "images:{films}?realtime=0",
    "file in lockstep on its side": TURNED + "{films}/a.avi?realtime=0",
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    film(folder / "a.avi", 8)
    film(folder / "a.mp4", 8)
    os.mkfifo(folder / "pipe")
    return pictures(folder, ["1.png", "2.png", "10.png"])


@pytest.fixture(scope="module")
def camera(films: Path) -> Iterator[MjpegServer]:
    with mjpeg_server() as server, fed(films / "pipe", server.pictures):
        server.files["/a.mp4"] = (films / "a.mp4").read_bytes()
        yield server


@contextlib.contextmanager
def fed(pipe: Path, jpegs: list[bytes]) -> Iterator[None]:
    """A pipe that somebody writes to whenever somebody reads."""
    over = threading.Event()

    def feed() -> None:
        while not over.is_set():
            with contextlib.suppress(BrokenPipeError), pipe.open("wb", buffering=0) as writer:
                for jpeg in itertools.cycle(jpegs):
                    if over.wait(0.02):
                        break
                    writer.write(jpeg)

    writes = threading.Thread(target=feed, daemon=True)
    writes.start()
    yield
    over.set()
    # it may wait for a reader
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
    writes.join(5)


@pytest.fixture(scope="module")
def mailbox(camera: MjpegServer) -> Iterator[Mailbox]:
    """One that somebody sends to all the time."""
    mailbox, over = Mailbox(Limits(max_fps=120)), threading.Event()

    def send() -> None:
        for jpeg in itertools.cycle(camera.pictures):
            if over.wait(0.02):
                break
            mailbox.post(jpeg, time.monotonic_ns())

    sends = threading.Thread(target=send, daemon=True)
    sends.start()
    yield mailbox
    over.set()
    sends.join(5)


@pytest.fixture
def opened(films: Path, camera: MjpegServer, mailbox: Mailbox) -> Iterator[Callable[[str], FrameSource]]:
    with contextlib.ExitStack() as stack:

        def opened(uri: str) -> FrameSource:
            uri_here = uri.removeprefix(TURNED).format(films=films, camera=camera.url)
            source = open_source(uri_here, mailbox=mailbox)
            if uri.startswith(TURNED):
                source = turned(source, 90, mirror=True)
            stack.callback(source.close)
            return source

        yield opened


@pytest.mark.parametrize("uri", [*ENDLESS.values(), *ENDING.values()], ids=[*ENDLESS, *ENDING])
class TestEverySource:
    def test_numbers_grow_and_time_never_goes_back(self, uri: str, opened: Callable[[str], FrameSource]) -> None:
        source = opened(uri)
        first, *rest = [source.read(5.0) for _ in range(3)]
        assert first.seq >= 1
        for frame in rest:
            assert frame.seq > first.seq
            assert frame.t_ns >= first.t_ns
            first = frame

    def test_pixels_are_bytes_and_nobody_may_write_to_them(
        self, uri: str, opened: Callable[[str], FrameSource]
    ) -> None:
        frame = opened(uri).read(5.0)
        assert frame.pixels.dtype == np.uint8
        assert frame.bgr.shape == (frame.height, frame.width, 3)
        assert frame.luma.shape == (frame.height, frame.width)
        for array in (frame.pixels, frame.bgr, frame.luma):
            with pytest.raises(ValueError, match="read-only"):
                array[0, 0] = 0

    def test_frames_do_not_share_memory(self, uri: str, opened: Callable[[str], FrameSource]) -> None:
        source = opened(uri)
        first = source.read(5.0)
        before = first.pixels.copy()
        second = source.read(5.0)
        assert not np.shares_memory(first.pixels, second.pixels)
        assert np.array_equal(first.pixels, before)

    def test_live_frames_are_stamped_by_the_monotonic_clock(
        self, uri: str, opened: Callable[[str], FrameSource]
    ) -> None:
        source = opened(uri)
        frame = source.read(5.0)
        age_s = (time.monotonic_ns() - frame.t_ns) / 1e9
        assert source.live == (0 <= age_s < 60 and frame.t_ns > 0)

    def test_after_close_a_read_fails_and_another_close_does_not(
        self, uri: str, opened: Callable[[str], FrameSource]
    ) -> None:
        source = opened(uri)
        source.read(5.0)
        source.close()
        source.close()
        with pytest.raises(EdgeError, match="closed"):
            source.read(0.1)

    def test_it_can_be_opened_again(self, uri: str, opened: Callable[[str], FrameSource]) -> None:
        for _ in range(2):
            source = opened(uri)
            assert source.read(5.0).seq >= 1
            source.close()

    def test_a_pause_keeps_its_place_or_what_comes_is_thrown_away(
        self, uri: str, opened: Callable[[str], FrameSource]
    ) -> None:
        source = opened(uri)
        first = source.read(5.0)
        paused_ns = time.monotonic_ns()
        while time.monotonic_ns() < paused_ns + 100_000_000:
            if source.hold():
                time.sleep(0.02)
            else:
                with contextlib.suppress(NotYet):
                    source.read(0.02)
        resumed_ns = time.monotonic_ns()
        after = source.read(5.0)
        if source.hold():
            assert after.seq == first.seq + 1
        else:
            assert after.t_ns > resumed_ns - 100_000_000, "nothing old comes"

    def test_it_has_a_name_for_people(self, uri: str, opened: Callable[[str], FrameSource]) -> None:
        assert len(opened(uri).name) >= 4


@pytest.mark.parametrize("uri", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_source_goes_on(uri: str, opened: Callable[[str], FrameSource]) -> None:
    source = opened(uri)
    assert [source.read(5.0) for _ in range(20)][-1].seq >= 20


@pytest.mark.parametrize("uri", ENDING.values(), ids=ENDING)
def test_an_end_is_told_and_told_again(uri: str, opened: Callable[[str], FrameSource]) -> None:
    source = opened(uri)

    def drain() -> None:
        for _ in range(100):
            source.read(5.0)

    for _ in range(2):
        with pytest.raises(SourceEnded):
            drain()


@pytest.mark.parametrize(
    "uri",
    [TURNED + "demo:?size=160x120&fps=1", "demo:?size=160x120&fps=1", "images:{films}/*.png?fps=0.2", "{camera}/stall"],
)
def test_a_read_waits_no_longer_than_it_may(
    uri: str, opened: Callable[[str], FrameSource], camera: MjpegServer
) -> None:
    source = opened(uri)
    source.read(5.0)
    camera.silence.set()
    try:

        def drain() -> None:
            for _ in range(1000):
                source.read(0.05)

        with pytest.raises(TemporaryError):
            drain()
    finally:
        camera.silence.clear()


def test_every_kind_that_can_exist_here_is_in_this_file(films: Path, camera: MjpegServer) -> None:
    uris = [uri.removeprefix(TURNED).format(films=films, camera=camera.url) for uri in (ENDLESS | ENDING).values()]
    covered = {type(parse(uri)).__name__ for uri in uris}
    # v4l2 and picamera2 need hardware: see the unit tests
    assert covered == {"DemoSpec", "FileSpec", "ImagesSpec", "FifoSpec", "PushSpec", "UrlSpec"}
