import logging
import subprocess
import sys
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest

from edge.errors import ConfigError, PermanentError, SourceEnded
from edge.sources.file import FileSource
from edge.sources.images import ImagesSource
from edge.sources.opening import check
from edge.sources.specs import FileSpec, ImagesSpec
from edge.types import Frame
from tests.closed_folder import close
from tests.films import film, index_of, pictures
from tests.world import World


def all_of(source: FileSource | ImagesSource) -> list[Frame]:
    frames = []
    try:
        for _ in range(200):
            frames.append(source.read(1.0))
    except SourceEnded:
        return frames
    pytest.fail("it did not end")


@pytest.fixture(scope="module", params=["mp4", "avi"])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("clip") / f"clip.{request.param}", 20)


def test_in_lockstep_every_frame_comes_in_turn_on_the_films_clock(clip: Path) -> None:
    world = World()
    frames = all_of(FileSource(FileSpec(path=str(clip), realtime=False), world.clock, world.sleep))
    assert [index_of(frame.bgr) for frame in frames] == list(range(20))
    assert [frame.seq for frame in frames] == list(range(1, 21))
    assert [frame.t_ns for frame in frames] == [40_000_000 * index for index in range(20)]
    assert world.slept_s == []


def test_live_it_runs_at_its_own_speed(clip: Path) -> None:
    world = World()
    frames = all_of(FileSource(FileSpec(path=str(clip)), world.clock, world.sleep))
    assert [index_of(frame.bgr) for frame in frames] == list(range(20))
    assert [frame.t_ns - frames[0].t_ns for frame in frames] == pytest.approx(
        [40_000_000 * i for i in range(20)], abs=9
    )


def test_a_late_reader_finds_the_film_where_it_should_be(clip: Path) -> None:
    world = World()
    source = FileSource(FileSpec(path=str(clip)), world.clock, world.sleep)
    source.read(1.0)
    world.pass_by(0.41)
    frame = source.read(1.0)
    assert index_of(frame.bgr) == 10
    assert frame.seq == 11, "the gap shows what was dropped"
    assert index_of(source.read(1.0).bgr) == 11


def test_a_loop_begins_again_and_goes_on_counting(clip: Path) -> None:
    world = World()
    source = FileSource(FileSpec(path=str(clip), loop=True, realtime=False), world.clock, world.sleep)
    frames = [source.read(1.0) for _ in range(45)]
    assert [index_of(frame.bgr) for frame in frames] == [*range(20), *range(20), *range(5)]
    assert [frame.seq for frame in frames] == list(range(1, 46))
    assert frames[-1].t_ns == 44 * 40_000_000


def test_it_begins_where_it_is_told_to_and_keeps_the_films_time(clip: Path) -> None:
    world = World()
    frames = all_of(FileSource(FileSpec(path=str(clip), start_s=0.48, realtime=False), world.clock, world.sleep))
    assert [index_of(frame.bgr) for frame in frames] == list(range(12, 20))
    assert [frame.seq for frame in frames] == list(range(1, 9))
    assert frames[0].t_ns == 480_000_000


def test_a_loop_begins_there_again(clip: Path) -> None:
    world = World()
    source = FileSource(FileSpec(path=str(clip), start_s=0.6, loop=True), world.clock, world.sleep)
    assert [index_of(source.read(1.0).bgr) for _ in range(12)] == [*range(15, 20), *range(15, 20), 15, 16]


def test_a_beginning_after_the_end_is_the_users_mistake(clip: Path) -> None:
    world = World()
    with pytest.raises(ConfigError, match="is over before start=9 s"):
        FileSource(FileSpec(path=str(clip), start_s=9), world.clock, world.sleep)


def test_a_late_reader_of_a_loop_skips_across_its_end(clip: Path) -> None:
    world = World()
    source = FileSource(FileSpec(path=str(clip), loop=True), world.clock, world.sleep)
    source.read(1.0)
    world.pass_by(0.9)
    assert index_of(source.read(1.0).bgr) == 22 - 20


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.mp4", b"Dear diary,\ntoday I saw a cat.\n", "is a text file beginning with 'Dear diary"),
        ("notes.txt", "Überlänge: größer\n".encode() * 100, "is a text file"),
        ("empty.mp4", b"", "is empty"),
        ("junk.avi", bytes(range(256)) * 20, "begins with the bytes 00 01 02 03"),
    ],
)
def test_what_is_no_video_is_called_what_it_is(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    world = World()
    with pytest.raises(PermanentError) as error:
        FileSource(FileSpec(path=str(path)), world.clock, world.sleep)
    assert said in str(error.value)
    assert "expected a video" in str(error.value)


def test_half_a_video_is_no_video(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / f"half{clip.suffix}"
    path.write_bytes(clip.read_bytes()[:200])
    world = World()
    with pytest.raises(PermanentError, match="is it complete"):
        FileSource(FileSpec(path=str(path)), world.clock, world.sleep)


def test_neither_opencv_nor_ffmpeg_writes_to_stderr(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "half.mp4").write_bytes(clip.read_bytes()[:200])
    (tmp_path / "junk.avi").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    # in a process of its own: FFMPEG fixes its level when it is first used
    code = (
        "import sys, contextlib\n"
        "from edge.errors import EdgeError\n"
        "from edge.sources import open_source\n"
        "for uri in sys.argv[1:]:\n"
        "    with contextlib.suppress(EdgeError):\n"
        "        open_source(uri)\n"
        "        print('opened', uri)\n"
    )
    uris = [str(path) for path in tmp_path.iterdir()] + ["/dev/video77", "rtsp://127.0.0.1:1/none"]
    done = subprocess.run([sys.executable, "-c", code, *uris], capture_output=True, text=True, check=True)
    # what is left is our own warning, which names the picture
    assert done.stderr.splitlines() == [f"{tmp_path}/broken.png cannot be read as a picture and is left out"]
    assert done.stdout == ""


def test_a_picture_given_as_a_video_is_sent_to_the_right_place(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(b"\x00\x01")
    world = World()
    with pytest.raises(PermanentError, match=f"images:{path}"):
        FileSource(FileSpec(path=str(path)), world.clock, world.sleep)


def test_a_missing_file_is_the_users_mistake(tmp_path: Path) -> None:
    world = World()
    with pytest.raises(ConfigError, match="there is no file"):
        FileSource(FileSpec(path=str(tmp_path / "none.mp4")), world.clock, world.sleep)


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that this user may not look into, as homes are for the service."""
    folder = tmp_path / "closed"
    folder.mkdir()
    close(folder, monkeypatch)
    return folder


@pytest.mark.parametrize(
    "uri", ["{}/film.mp4", "file:{}/film.mp4", "{}/shots", "images:{}/shots", "images:{}", "{}", "images:{}/*.jpg"]
)
def test_what_may_not_be_looked_at_is_the_users_mistake_and_said_to_be_that(closed: Path, uri: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: Permission denied; .* put it below /var/lib/emotion-edge"):
        check(uri.format(closed))


def test_the_home_of_nobody_is_a_missing_file() -> None:
    with pytest.raises(ConfigError, match=r"there is no file ~no-such-user/film\.mp4"):
        check("~no-such-user/film.mp4")


def test_pictures_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    pictures(tmp_path, ["shot1.png", "shot2.jpg", "Shot10.png", "shot11.bmp"])
    (tmp_path / "notes.txt").write_text("not a picture, and not asked for")
    world = World()
    frames = all_of(ImagesSource(ImagesSpec(pattern=str(tmp_path), realtime=False), world.clock, world.sleep))
    assert [index_of(frame.bgr) for frame in frames] == [0, 1, 2, 3]
    assert [frame.t_ns for frame in frames] == [0, 500_000_000, 1_000_000_000, 1_500_000_000]


def test_one_picture_or_a_pattern_will_do(tmp_path: Path) -> None:
    pictures(tmp_path, ["a.png", "b.png", "c.jpg"])
    world = World()
    for pattern, expected in ((f"{tmp_path}/b.png", [1]), (f"{tmp_path}/*.png", [0, 1]), (f"{tmp_path}/?.jpg", [2])):
        frames = all_of(ImagesSource(ImagesSpec(pattern=pattern, realtime=False), world.clock, world.sleep))
        assert [index_of(frame.bgr) for frame in frames] == expected


def test_live_pictures_are_paced_and_late_ones_skipped(tmp_path: Path) -> None:
    pictures(tmp_path, [f"{index}.png" for index in range(6)])
    world = World()
    source = ImagesSource(ImagesSpec(pattern=str(tmp_path), fps=10), world.clock, world.sleep)
    assert [index_of(source.read(1.0).bgr) for _ in range(2)] == [0, 1]
    assert world.slept_s == pytest.approx([0.1])
    world.pass_by(0.25)
    frame = source.read(1.0)
    assert (index_of(frame.bgr), frame.seq) == (3, 4)


def test_a_loop_of_pictures_begins_again(tmp_path: Path) -> None:
    pictures(tmp_path, ["0.png", "1.png", "2.png"])
    world = World()
    source = ImagesSource(ImagesSpec(pattern=str(tmp_path), loop=True, realtime=False), world.clock, world.sleep)
    frames = [source.read(1.0) for _ in range(7)]
    assert [index_of(frame.bgr) for frame in frames] == [0, 1, 2, 0, 1, 2, 0]
    assert [frame.seq for frame in frames] == [1, 2, 3, 4, 5, 6, 7]


def test_a_broken_picture_is_named_once_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    pictures(tmp_path, ["0.png", "1.png", "2.png"])
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (tmp_path / "00.jpg").write_bytes(b"")
    world = World()
    with caplog.at_level(logging.WARNING):
        source = ImagesSource(ImagesSpec(pattern=str(tmp_path), loop=True, realtime=False), world.clock, world.sleep)
        frames = [source.read(1.0) for _ in range(5)]
    assert [index_of(frame.bgr) for frame in frames] == [0, 2, 0, 2, 0]
    assert [record.args for record in caplog.records] == [(tmp_path / "00.jpg",), (tmp_path / "1.png",)]
    assert capfd.readouterr().err == ""


def test_nothing_but_broken_pictures_is_an_error(tmp_path: Path) -> None:
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).write_text("no picture")
    world = World()
    with pytest.raises(PermanentError, match=r"none of the 2 files.*1\.jpg.*expected JPEG"):
        ImagesSource(ImagesSpec(pattern=str(tmp_path)), world.clock, world.sleep)


def test_pictures_that_vanish_are_an_error_not_an_endless_loop(tmp_path: Path) -> None:
    pictures(tmp_path, ["0.png", "1.png"])
    world = World()
    source = ImagesSource(ImagesSpec(pattern=str(tmp_path), loop=True, realtime=False), world.clock, world.sleep)
    source.read(1.0)
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(PermanentError, match="no longer there"):
        source.read(1.0)


def test_grey_deep_and_oddly_named_pictures_can_be_read(tmp_path: Path) -> None:
    deep = tmp_path / "größe 16 bit.png"
    data = cv2.imencode(".png", np.full((5, 7), 0x80FF, np.uint16))[1]
    deep.write_bytes(data.tobytes())
    world = World()
    frame = ImagesSource(ImagesSpec(pattern=str(deep), realtime=False), world.clock, world.sleep).read(1.0)
    assert frame.bgr.shape == (5, 7, 3)
    assert frame.bgr[0, 0].tolist() == [128, 128, 128]


class Told:
    """Answers as a capture does when it is asked for the time of the frame at hand."""

    def __init__(self, seconds: list[float]) -> None:
        self._left = iter(seconds)

    def get(self, _what: int) -> float:
        return next(self._left) * 1e3


def times(path: Path, told_s: list[float]) -> list[float]:
    """What frames are stamped with in a film of 25 a second whose container tells these times."""
    world = World()
    source = FileSource(FileSpec(path=str(path), realtime=False), world.clock, world.sleep)
    capture = cast(cv2.VideoCapture, Told(told_s))
    stamps = [source._film_s(capture, index) for index in range(len(told_s))]
    source.close()
    return stamps


def test_a_film_slightly_off_its_rate_keeps_its_own_time(clip: Path) -> None:
    told = [index * 0.0401 for index in range(200)]
    assert times(clip, told) == pytest.approx(told, abs=0.0016)


def test_times_that_jump_far_ahead_and_back_are_not_believed(clip: Path) -> None:
    told = [0, 0.04, 7200, 7200.04, 0, 0.04, 0.14]
    assert times(clip, told) == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.20, 0.30])
