"""Which kinds of picture there are, how small they get, and how often they are made."""

import numpy as np
import pytest

from edge.variants import DEFAULT, Variant, next_opening_ns, scaled

MS = 1_000_000


@pytest.mark.parametrize(
    ("width", "shape"),
    [(320, (240, 320)), (322, (242, 322)), (32, (24, 32)), (640, (480, 640)), (8192, (480, 640)), (0, (480, 640))],
)
def test_a_picture_is_made_smaller_never_larger_and_keeps_its_shape(width: int, shape: tuple[int, int]):
    assert scaled(np.zeros((480, 640, 3), np.uint8), width).shape == (*shape, 3)


def test_a_strip_keeps_two_rows():
    assert scaled(np.zeros((4, 640, 3), np.uint8), 32).shape == (2, 32, 3)


def test_a_thin_line_survives():
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, 101] = 255
    assert scaled(picture, 160).max() > 50


def test_what_makes_no_difference_is_shared():
    assert Variant(640, 80).fitted(640, 80) == DEFAULT
    assert Variant(1280, raw=True).fitted(640, 80) == Variant(raw=True)
    assert Variant(320, 60).fitted(640, 80) == Variant(320, 60)
    assert Variant(640).fitted(0, 80) == Variant(640), "the frame's size is not known yet"


def test_a_variant_says_what_it_is_in_the_words_of_the_url():
    assert DEFAULT.text() == ""
    assert Variant(320, 50, raw=True).text() == "width=320&quality=50&raw=1"


def passed(arrivals_ms: list[float], interval_ms: float) -> list[float]:
    open_ns, through = 0, []
    for arrival_ms in arrivals_ms:
        now_ns = round(arrival_ms * MS)
        if open_ns <= now_ns:
            through.append(arrival_ms)
            open_ns = next_opening_ns(open_ns, now_ns, round(interval_ms * MS))
    return through


@pytest.mark.parametrize(("wanted", "got"), [(30, 30), (29.97, 30), (25, 25), (15, 15), (10, 10), (5, 5), (1, 1)])
def test_at_thirty_pictures_a_second_as_many_pass_as_are_wanted(wanted: float, got: float):
    # a source that jitters by up to 8 ms
    jitter = np.random.default_rng(7).uniform(-8, 8, 900)
    arrivals = [10 + index * 1000 / 30 + float(jitter[index]) for index in range(900)]
    assert len(passed(arrivals, 1000 / wanted)) / 30 == pytest.approx(got, abs=0.2)


def test_two_that_want_five_a_second_one_behind_the_other_stay_in_step():
    jitter = np.random.default_rng(3).uniform(-8, 8, 900)
    made = passed([10 + index * 1000 / 30 + float(jitter[index]) for index in range(900)], 200)
    assert passed([moment + 3 for moment in made], 200) == [moment + 3 for moment in made]


def test_what_was_missed_is_not_made_up_for():
    through = passed([1, *range(5000, 5400, 10)], 100)
    assert len([moment for moment in through if moment >= 5000]) <= 5


def test_all_pass_where_no_interval_is_asked_for():
    assert passed([1, 2, 3], 0) == [1, 2, 3]
