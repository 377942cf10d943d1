"""The figures, against cases worked out by hand."""

import math

import numpy as np
import pytest

from training.metrics import (
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    paired_difference,
    score,
    softmax,
    wilson_interval,
)

NAMES = ("a", "b", "c")
TRUTH = np.array([0, 0, 0, 1, 1, 2])
PROBABILITIES = np.array(
    [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.5, 0.25, 0.25]]
)


def test_accuracy_f1_and_confusion_are_those_of_the_textbook():
    scores = score(PROBABILITIES, TRUTH, NAMES)
    assert scores.n == 6
    assert scores.accuracy == pytest.approx(4 / 6)
    assert scores.confusion == ((2, 1, 0), (0, 2, 0), (1, 0, 0))
    a, b, c = scores.per_class
    assert (a.precision, a.recall, a.f1, a.support) == pytest.approx((2 / 3, 2 / 3, 2 / 3, 3))
    assert (b.precision, b.recall, b.f1, b.support) == pytest.approx((2 / 3, 1, 0.8, 2))
    assert (c.precision, c.recall, c.f1, c.support) == (0, 0, 0, 1)
    assert scores.macro_f1 == pytest.approx((2 / 3 + 0.8) / 3)


def test_a_class_without_pictures_still_has_its_line():
    scores = score(PROBABILITIES[:3], TRUTH[:3], NAMES)
    assert [each.support for each in scores.per_class] == [3, 0, 0]


def test_wilsons_interval_is_the_published_one():
    # 15 of 148 (Newcombe 1998, table I): 0.0624 to 0.1605
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 10)[0] == pytest.approx(0)
    assert wilson_interval(10, 10)[1] == pytest.approx(1)


def test_likelihood_is_finite_even_for_a_model_that_is_sure_and_wrong():
    assert negative_log_likelihood(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(-math.log(1e-12))
    assert negative_log_likelihood(np.array([[0.25, 0.75]]), np.array([1])) == pytest.approx(-math.log(0.75))


def test_calibration_error_is_the_gap_between_confidence_and_success():
    sure = np.tile([0.9, 0.1], (10, 1))
    assert expected_calibration_error(sure, np.array([0] * 9 + [1])) == pytest.approx(0)
    assert expected_calibration_error(sure, np.array([0] * 5 + [1] * 5)) == pytest.approx(0.4)
    two_bins = np.array([[0.9, 0.1], [0.6, 0.4]])
    assert expected_calibration_error(two_bins, np.array([0, 1])) == pytest.approx((0.1 + 0.6) / 2)
    assert expected_calibration_error(np.array([[1.0, 0.0]]), np.array([0])) == 0


def test_softmax_does_not_overflow():
    assert softmax(np.array([[1000.0, 1000.0]])).tolist() == [[0.5, 0.5]]
    assert softmax(np.array([[2.0, 0.0]]), temperature=2).tolist() == [pytest.approx([0.7310586, 0.2689414])]


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_the_labels_were_drawn_with_is_found(true_temperature: float):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 7))
    chances = softmax(logits, true_temperature).cumsum(axis=1)
    labels = (rng.random((20_000, 1)) > chances).sum(axis=1).clip(0, 6)
    found = fit_temperature(logits, labels)
    assert found == pytest.approx(true_temperature, rel=0.05)
    assert negative_log_likelihood(softmax(logits, found), labels) <= negative_log_likelihood(
        softmax(logits, true_temperature), labels
    )


def test_the_interval_of_a_paired_difference_narrows_with_agreement():
    one = np.array([True] * 80 + [False] * 20)
    difference, (low, high) = paired_difference(one, np.roll(one, 10))
    assert difference == 0
    assert (low, high) == pytest.approx((-0.0877, 0.0877), abs=1e-4)  # 1.96 · √20 / 100
    difference, (low, high) = paired_difference(one, one[::-1])
    assert (difference, high) == pytest.approx((0, 0.1240), abs=1e-4)  # 1.96 · √40 / 100
    assert paired_difference(one, one) == (0, (0, 0))
