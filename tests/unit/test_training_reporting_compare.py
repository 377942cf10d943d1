"""Which of two models is better, and several models as one."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from edge.contract.chip import ChipSpec
from edge.errors import ConfigError
from tests.training_fakes import fake_dataset
from training.compare import mcnemar, sentence, table, weigh
from training.evaluate import Answers, Material
from training.metrics import paired_difference
from training.predictors import Predictor, _fitting, ensemble, flipped

COUNT = 700


def answers(right: NDArray[np.bool_], name: str) -> Answers:
    """A model that is right where it shall be, and names the next class elsewhere."""
    part = fake_dataset(np.zeros((COUNT, 48, 48, 1), np.uint8), ["Test"] * COUNT)
    named = np.where(right, part.labels, (part.labels + 1) % 7)
    material = Material(Path("data.csv"), "0", "fer2013-csv", part, "Test", part)
    predictor = Predictor(part.label_names, lambda chips: np.eye(7)[named], 1.0)
    return Answers(name, "1", predictor, material, np.eye(7)[named], None, False)


def right_but(*wrong: slice) -> NDArray[np.bool_]:
    right = np.ones(COUNT, np.bool_)
    for each in wrong:
        right[each] = False
    return right


def test_mcnemars_exact_test_is_a_coins():
    # 2 · P(X ≤ 2) of ten tosses: 2 · 56 / 1024
    assert mcnemar(2, 8) == pytest.approx(0.109375)
    assert mcnemar(8, 2) == mcnemar(2, 8)
    assert mcnemar(0, 0) == 1


def test_the_better_model_is_named_whichever_comes_first():
    good, bad = answers(right_but(slice(0, 100)), "good.keras"), answers(right_but(slice(0, 200)), "bad.keras")
    found = weigh(bad, good)
    assert (found.only_a, found.only_b, found.both_right, found.neither) == (0, 100, 500, 100)
    assert found.verdict == "b"
    assert weigh(good, bad).verdict == "a"
    assert sentence(found).startswith("B is better, by 14.3 points of accuracy, p = ")
    low, high = found.accuracy.interval
    assert 0 < low < found.accuracy.difference < high
    # Wald's interval for a paired difference is what the bootstrap comes to
    assert (low, high) == pytest.approx(
        paired_difference(right_but(slice(100, 100)), right_but(slice(0, 100)))[1], abs=0.003
    )


def test_nothing_is_said_where_nothing_can_be():
    a, b = answers(right_but(slice(0, 100), slice(200, 205)), "a.keras"), answers(right_but(slice(0, 103)), "b.keras")
    found = weigh(a, b)
    assert (found.only_a, found.only_b, found.verdict) == (3, 5, "none")
    assert sentence(found).startswith("Nothing can be said: B is at +0.3 points (95 % interval −0.4 to +1.1), p = 0.73")
    assert "Nothing can be said" in table(found)
    same = weigh(a, a)
    assert (same.p_value, same.accuracy.difference, same.accuracy.interval, same.agreement) == (1, 0, (0, 0), 1)


def test_macro_f1_is_scikit_learns():
    rng = np.random.default_rng(0)
    a, b = (answers(rng.random(COUNT) < share, "m.keras") for share in (0.6, 0.7))
    found = weigh(a, b)
    labels = a.material.part.labels
    assert found.macro_f1.a == pytest.approx(f1_score(labels, a.probabilities.argmax(axis=1), average="macro"))
    assert found.macro_f1.b == pytest.approx(f1_score(labels, b.probabilities.argmax(axis=1), average="macro"))
    assert found.macro_f1.interval[0] < found.macro_f1.difference < found.macro_f1.interval[1]
    assert weigh(a, b) == found  # the bootstrap is seeded


def constant(labels: tuple[str, ...], probabilities: list[float]) -> Predictor:
    return Predictor(labels, lambda chips: np.tile(probabilities, (len(chips), 1)), 2.0)


def test_an_ensemble_is_the_mean_with_classes_matched_by_name():
    chips = np.zeros((3, 48, 48, 1), np.uint8)
    one, other = constant(("happy", "sad"), [0.9, 0.1]), constant(("sad", "happy"), [0.5, 0.5])
    both = ensemble([one, other, constant(("sad", "happy"), [0.6, 0.4])])
    assert both.labels == ("happy", "sad")
    assert both.probabilities(chips) == pytest.approx(np.tile([0.6, 0.4], (3, 1)))
    assert both.temperature == 1
    assert ensemble([one]) is one


def test_models_of_other_classes_are_no_ensemble():
    with pytest.raises(ConfigError, match="the model knows happy, angry, expected the labels happy, sad"):
        ensemble([constant(("happy", "sad"), [1, 0]), constant(("happy", "angry"), [1, 0])])


def test_an_answer_can_be_averaged_with_that_for_the_mirror_image():
    left = Predictor(("left", "right"), lambda chips: np.eye(2)[(chips[:, 0, 0, 0] == 0).astype(int)], 1.0)
    chip = np.zeros((1, 48, 48, 1), np.uint8)
    chip[:, :, :24] = 255
    assert left.probabilities(chip).tolist() == [[1, 0]]
    assert flipped(left).probabilities(chip).tolist() == [[0.5, 0.5]]


def test_chips_are_brought_to_what_the_model_takes():
    colour = np.zeros((2, 48, 48, 3), np.uint8)
    colour[..., 0] = 200  # red
    grey = _fitting(colour, ChipSpec(size=24, channels=1))
    assert grey.shape == (2, 24, 24, 1)
    assert np.unique(grey).tolist() == [60]  # 0.299 of red, not 0.114 as of blue
    assert _fitting(grey, ChipSpec(size=64, channels=3)).shape == (2, 64, 64, 3)
    assert _fitting(colour, ChipSpec(size=32, channels=3))[0, 0, 0].tolist() == [200, 0, 0]
    assert _fitting(grey, ChipSpec(size=24, channels=1)) is grey
