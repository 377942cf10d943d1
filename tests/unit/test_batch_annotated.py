from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.batch.annotated import LONGEST_HOLD_S, AnnotatedVideo, ConstantRate
from edge.types import Decision, Frame, Pixels, Scene


def shown(times_s: list[float], fps: float) -> list[int]:
    """Which frame stands at each place of the film of constant rate."""
    rate = ConstantRate(fps)
    film: list[int] = []
    for index, t_s in enumerate(times_s):
        held, taken = rate.place(t_s)
        film += [film[-1]] * held if film else []
        film += [index] if taken else []
    assert rate.repeated + len(times_s) - rate.skipped == len(film)
    return film


def test_a_film_of_constant_rate_stays_as_it_is():
    assert shown([index / 25 for index in range(100)], 25.0) == list(range(100))


def test_times_that_are_rounded_to_milliseconds_are_no_varying_rate():
    assert shown([round(index / 30, 3) for index in range(100)], 30.0) == list(range(100))


def test_where_frames_are_missing_the_last_one_stands():
    assert shown([0.0, 0.1, 0.4, 0.5], 10.0) == [0, 1, 1, 1, 2, 3]


def test_of_frames_that_come_too_soon_some_are_left_out():
    film = shown([index / 40 for index in range(40)], 10.0)
    assert film == pytest.approx([index * 4 for index in range(11)], abs=2)


def test_each_frame_is_within_half_a_frame_of_its_time():
    times = np.cumsum(np.random.default_rng(1).uniform(0.005, 0.2, 300)).tolist()
    film = shown(times, 20.0)
    for place, index in enumerate(film):
        if place and film[place - 1] != index:
            assert abs(place / 20.0 - (times[index] - times[0])) <= 0.5 / 20.0 + 1e-9


def test_a_broken_clock_does_not_fill_the_disk():
    film = shown([0.0, 1e6, 1e6 + 0.1], 10.0)
    assert len(film) == 10 * LONGEST_HOLD_S + 3
    assert film[-2:] == [1, 2]


def scene(seq: int, width: int, height: int) -> Scene:
    pixels = np.full((height, width, 3), 10 * seq, np.uint8)
    return Scene(Frame(seq, seq * 40_000_000, pixels), (), (), Decision(True, "start"), {})


def draw(scene: Scene) -> Pixels:
    return scene.frame.bgr


@pytest.mark.parametrize(("width", "height"), [(64, 48), (65, 49), (8, 6), (17, 200)])
def test_films_of_any_size_can_be_written(tmp_path: Path, width: int, height: int, capfd: pytest.CaptureFixture[str]):
    path = tmp_path / "film.webm"
    video = AnnotatedVideo(path, 25.0, "vp8", draw)
    for seq in range(1, 11):
        video.emit(scene(seq, width, height))
    video.close()
    assert video.problem is None
    capture = cv2.VideoCapture(str(path))
    grey = [int(capture.read()[1].mean()) for _ in range(10)]
    assert grey == pytest.approx(range(10, 101, 10), abs=4)
    assert not capture.grab()
    assert capfd.readouterr() == ("", "")


def test_a_film_whose_size_changes_keeps_its_first(tmp_path: Path):
    path = tmp_path / "film.webm"
    video = AnnotatedVideo(path, 25.0, "vp8", draw)
    for seq, width in enumerate((64, 64, 96, 64), start=1):
        video.emit(scene(seq, width, width))
    video.close()
    capture = cv2.VideoCapture(str(path))
    assert [capture.read()[1].shape for _ in range(4)] == [(64, 64, 3)] * 4


def test_a_machine_that_cannot_write_webm_is_told_of_in_words(tmp_path: Path):
    video = AnnotatedVideo(tmp_path / "no such folder" / "film.webm", 25.0, "vp9", draw)
    video.emit(scene(1, 64, 48))
    video.emit(scene(2, 64, 48))
    video.close()
    assert video.problem is not None
    assert "cannot write WebM with VP9" in video.problem


def test_without_a_scene_there_is_no_film(tmp_path: Path):
    video = AnnotatedVideo(tmp_path / "film.webm", 25.0, "vp8", draw)
    video.close()
    assert list(tmp_path.iterdir()) == []
    assert video.problem is None
