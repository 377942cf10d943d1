"""Real pipes, fed as other programs feed them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import psutil
import pytest

from edge.errors import ConfigError, NotYet, PermanentError, TemporaryError
from edge.sources.fifo import FifoSource
from edge.sources.opening import check, open_source
from edge.sources.specs import FifoSpec
from tests.films import index_of, scenes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="named pipes are a POSIX system's")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "camera"
    os.mkfifo(path)
    return path


@pytest.fixture(scope="module")
def jpegs() -> list[bytes]:
    return [cv2.imencode(".jpg", picture)[1].tobytes() for picture in scenes(6)]


@pytest.fixture
def source(pipe: Path) -> Iterator[FifoSource]:
    opened = FifoSource(FifoSpec(path=str(pipe)), time.monotonic_ns)
    yield opened
    opened.close()


def test_it_waits_for_a_writer_without_holding_anybody_up(source: FifoSource, pipe: Path) -> None:
    with pytest.raises(NotYet, match=rf"nobody writes to it yet.*-f mjpeg {pipe}"):
        source.read(0.01)


def test_pictures_come_as_they_are_written(source: FifoSource, pipe: Path, jpegs: list[bytes]) -> None:
    with pipe.open("wb", buffering=0) as writer:
        for number, jpeg in enumerate(jpegs[:3]):
            writer.write(jpeg)
            frame = source.read(5.0)
            assert (index_of(frame.bgr), frame.seq) == (number, number + 1)
            assert 0 <= time.monotonic_ns() - frame.t_ns < 60e9
        with pytest.raises(NotYet, match="no whole JPEG comes"):
            source.read(0.01)


def test_of_several_the_newest_is_taken_and_the_gap_shows(source: FifoSource, pipe: Path, jpegs: list[bytes]) -> None:
    with pipe.open("wb", buffering=0) as writer:
        writer.write(b"".join(jpegs[:4]) + jpegs[4][:100])
        frame = source.read(5.0)
        assert (index_of(frame.bgr), frame.seq) == (3, 4)
        writer.write(jpegs[4][100:])
        assert (index_of(source.read(5.0).bgr), source.broken) == (4, 0)


def test_broken_pictures_are_dropped_counted_and_told_once(
    source: FifoSource, pipe: Path, jpegs: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    with pipe.open("wb", buffering=0) as writer:
        writer.write(jpegs[0][:500] + jpegs[1])
        frame = source.read(5.0)
        assert (index_of(frame.bgr), frame.seq, source.broken) == (1, 2, 1)
        # whole by its markers, and yet no picture
        writer.write(b"\xff\xd8\xff\xdb\x00\x02\xff\xd9")
        with pytest.raises(NotYet):
            source.read(0.05)
        writer.write(jpegs[2])
        assert (source.read(5.0).seq, source.broken) == (4, 2)
    with pytest.raises(TemporaryError, match="2 broken pictures were dropped"):
        source.read(5.0)
    assert caplog.text.count("holds broken pictures") == 1


def test_a_writer_that_goes_is_waited_for_again(pipe: Path, jpegs: list[bytes]) -> None:
    for _ in range(3):
        source = open_source(f"fifo:{pipe}")
        with pipe.open("wb", buffering=0) as writer:
            writer.write(jpegs[0])
            source.read(5.0)
        with pytest.raises(TemporaryError, match="its writer has gone") as error:
            source.read(5.0)
        assert not isinstance(error.value, NotYet), "it is to be opened again"
        source.close()


def test_after_close_a_read_fails_and_another_close_does_not(source: FifoSource) -> None:
    handles = psutil.Process().num_fds()
    source.close()
    source.close()
    with pytest.raises(PermanentError, match="closed"):
        source.read(0.1)
    assert psutil.Process().num_fds() == handles - 1


def test_what_is_no_pipe_is_the_users_mistake_and_what_is_missing_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "film.mjpg").write_bytes(b"x")
    with pytest.raises(ConfigError, match=rf"no named pipe.*mkfifo.*file:{tmp_path}"):
        check(f"fifo:{tmp_path}/film.mjpg")
    check(f"fifo:{tmp_path}/later")
    with pytest.raises(TemporaryError, match=f"mkfifo {tmp_path}/later"):
        open_source(f"fifo:{tmp_path}/later")


READER = """
import sys, numpy
from edge.errors import EdgeError
from edge.sources import check, open_source
from tests.films import index_of
try:
    check("fifo:-")
    source = open_source("fifo:-")
    while True:
        frame = source.read(5.0)
        print(frame.seq, index_of(frame.bgr), flush=True)
except EdgeError as error:
    print(type(error).__name__, error)
"""


def test_standard_input_is_read_to_its_end(jpegs: list[bytes]) -> None:
    reader = subprocess.Popen([sys.executable, "-c", READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False)
    assert reader.stdin is not None
    assert reader.stdout is not None
    for number, jpeg in enumerate(jpegs[:3]):
        reader.stdin.write(jpeg)
        reader.stdin.flush()
        assert reader.stdout.readline().split() == [b"%d" % (number + 1), b"%d" % number]
    rest, _ = reader.communicate(timeout=20)
    assert rest.startswith(b"SourceEnded standard input is at its end")


def test_a_standard_input_that_is_no_pipe_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-c", READER], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("ConfigError standard input is no pipe")
