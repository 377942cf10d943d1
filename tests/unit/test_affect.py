"""Valence and arousal follow from the probabilities alone."""

import numpy as np
import pytest

from edge.affect import COORDINATES, Affect, affect
from edge.contract.labels import FER2013_LABELS
from edge.types import EmotionScores


def mixture(**probabilities: float) -> EmotionScores:
    """Probabilities in FER2013's order; classes that are not named get none."""
    return np.array([probabilities.get(label, 0.0) for label in FER2013_LABELS], np.float32)


def read(**probabilities: float) -> Affect:
    point = affect(mixture(**probabilities), FER2013_LABELS)
    assert point is not None
    return point


@pytest.mark.parametrize("label", FER2013_LABELS)
def test_each_pure_class_lies_at_its_coordinates(label: str):
    point = read(**{label: 1.0})
    assert (point.valence, point.arousal) == pytest.approx(COORDINATES[label])


def test_happy_is_right_of_sad_and_above_it():
    happy, sad = read(happy=1.0), read(sad=1.0)
    assert sad.valence < 0 < happy.valence
    assert sad.arousal < 0 < happy.arousal


@pytest.mark.parametrize("label", ["angry", "disgust", "fear"])
def test_anger_disgust_and_fear_are_unpleasant_and_excited(label: str):
    point = read(**{label: 1.0})
    assert point.valence < 0 < point.arousal


def test_neutral_is_the_origin():
    assert read(neutral=1.0) == Affect(0.0, 0.0)


def test_a_mixture_lies_between_its_parts_in_proportion():
    happy, sad = read(happy=1.0), read(sad=1.0)
    point = read(happy=0.75, sad=0.25)
    assert point.valence == pytest.approx(0.75 * happy.valence + 0.25 * sad.valence)
    assert point.arousal == pytest.approx(0.75 * happy.arousal + 0.25 * sad.arousal)
    assert sad.valence < point.valence < happy.valence


def test_a_neutral_share_draws_towards_the_origin():
    assert read(happy=0.5, neutral=0.5).valence == pytest.approx(read(happy=1.0).valence / 2)


def test_every_distribution_stays_within_the_coordinates():
    rng = np.random.default_rng(7)
    for scores in rng.dirichlet(np.full(len(FER2013_LABELS), 0.3), size=200).astype(np.float32):
        point = affect(scores, FER2013_LABELS)
        assert point is not None
        assert -0.64 - 1e-6 <= point.valence <= 0.81 + 1e-6
        assert -0.27 - 1e-6 <= point.arousal <= 0.67 + 1e-6


def test_the_order_of_the_labels_is_that_of_the_model():
    scores = np.array([0.9, 0.1], np.float32)
    one, other = affect(scores, ("happy", "sad")), affect(scores, ("sad", "happy"))
    assert one is not None
    assert other is not None
    assert one.valence == pytest.approx(0.9 * 0.81 - 0.1 * 0.63)
    assert other.valence == pytest.approx(0.1 * 0.81 - 0.9 * 0.63)


def test_a_class_without_coordinates_gives_no_point_however_unlikely_it_is():
    assert affect(np.array([1.0, 0.0], np.float32), ("happy", "contempt")) is None


def test_all_coordinates_lie_in_range():
    assert set(COORDINATES) == set(FER2013_LABELS)
    assert all(-1 <= value <= 1 for point in COORDINATES.values() for value in point)
