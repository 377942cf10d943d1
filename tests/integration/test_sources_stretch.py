"""Films from any time on: their frames and times are those of the whole film, whatever made them."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import PermanentError
from edge.sources.file import FileSource
from edge.sources.specs import FileSpec
from edge.sources.stretch import Stretch
from tests.films import ENCODINGS, encoder, read

EVERY = pytest.mark.parametrize("name", ENCODINGS)


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return encoder(tmp_path_factory.mktemp("encoded"))


@EVERY
def test_from_any_time_on_a_film_has_the_frames_it_has_there(name: str, encoded: Callable[[str], Path]):
    path = encoded(name)
    whole = read(Stretch(path, 0.0))
    assert len(whole) > 100
    assert [t_ns for t_ns, _ in whole] == sorted({t_ns for t_ns, _ in whole})
    for begin_s in (0.01, 0.5, 1.0, 3.33, 4.0, 6.1, 7.96, 9.0):
        stretch = Stretch(path, begin_s)
        expected = [frame for frame in whole if frame[0] >= begin_s * 1e9]
        assert read(stretch) == expected
        assert stretch.passed_ns in (None, max(t_ns for t_ns, _ in whole if t_ns < begin_s * 1e9))


@EVERY
def test_frames_have_the_times_that_the_whole_film_has(name: str, encoded: Callable[[str], Path]):
    whole = FileSource(FileSpec(path=str(encoded(name)), realtime=False), time.monotonic_ns, time.sleep)
    assert read(Stretch(encoded(name), 0.0)) == read(whole)


def test_behind_its_end_a_film_has_no_frames_and_the_last_is_known(encoded: Callable[[str], Path]):
    for name in ("plain.avi", "h264.mp4", "h264.mkv"):
        whole = read(Stretch(encoded(name), 0.0))
        stretch = Stretch(encoded(name), 60.0)
        assert (read(stretch), stretch.passed_ns) == ([], whole[-1][0])


def test_times_that_do_not_run_on_are_told(encoded: Callable[[str], Path], tmp_path: Path):
    one = encoded("h264.ts").read_bytes()
    (tmp_path / "twice.ts").write_bytes(one + one)
    with pytest.raises(PermanentError, match="the times of its frames do not run on"):
        read(Stretch(tmp_path / "twice.ts", 0.0))
