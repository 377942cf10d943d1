"""Scores over time."""

import numpy as np
import pytest

from edge.smoothing import name, smooth
from edge.types import UNCERTAIN

A = np.array([1, 0], np.float32)
B = np.array([0, 1], np.float32)


def run(steps: int, seconds: float) -> np.ndarray:
    scores = A
    for _ in range(steps):
        scores = smooth(scores, B, seconds / steps, 0.25)
    return scores


def test_the_first_scores_are_taken_as_they_are():
    assert smooth(None, A, 0, 0.25) is A


def test_no_time_constant_means_no_smoothing():
    assert smooth(A, B, 0.03, 0) is B


def test_after_one_time_constant_63_percent_of_a_change_show():
    assert smooth(A, B, 0.25, 0.25)[1] == pytest.approx(0.632, abs=1e-3)


def test_five_and_thirty_frames_a_second_give_the_same_course():
    np.testing.assert_allclose(run(5, 1.0), run(30, 1.0), atol=1e-5)


def test_smoothed_scores_still_sum_to_one_and_cannot_be_written_to():
    scores = smooth(A, B, 0.1, 0.25)
    assert scores.sum() == pytest.approx(1)
    assert not scores.flags.writeable


def test_below_the_threshold_a_face_is_uncertain():
    assert name(np.array([0.6, 0.4], np.float32), ("a", "b"), 0.5) == ("a", pytest.approx(0.6))
    assert name(np.array([0.45, 0.4], np.float32), ("a", "b"), 0.5) == (UNCERTAIN, pytest.approx(0.45))
