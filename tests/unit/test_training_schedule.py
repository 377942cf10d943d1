"""Which step sees what, how fast it learns: functions of seed and step."""

import itertools

import numpy as np
import pytest

from tests.training_fakes import fake_dataset, noise_chips
from training.batches import batches, epoch_order, steps_per_epoch
from training.networks.settings import QaRepVgg
from training.recipe import AugmentSettings, OptimiserSettings, Recipe
from training.schedule import learning_rate

SETTINGS = OptimiserSettings(epochs=10, batch=4, learning_rate=0.1, warmup_epochs=2)
RECIPE = Recipe("test", "for tests", SETTINGS, QaRepVgg(), augment=AugmentSettings(flip_share=0.5, noise_share=0.5))
TRAIN = fake_dataset(noise_chips(18), ["Training"] * 18)


def test_the_rate_warms_up_peaks_and_falls_to_nothing():
    rates = [learning_rate(SETTINGS, step, 50) for step in range(500)]
    assert 0 < rates[0] < 0.002
    assert np.all(np.diff(rates[:100]) > 0)
    assert max(rates) == rates[100] == pytest.approx(0.1)
    assert np.all(np.diff(rates[100:]) < 0)
    assert 0 < rates[-1] < 1e-5
    assert rates[300] == pytest.approx(0.05)


def test_without_warm_up_the_first_step_has_the_peak():
    assert learning_rate(OptimiserSettings(epochs=1, warmup_epochs=0, learning_rate=0.2), 0, 9) == pytest.approx(0.2)


def test_an_epoch_shows_each_picture_at_most_once_and_another_order_follows():
    first, second = (epoch_order(TRAIN.rows, epoch, seed=1) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(18))
    assert first.tolist() != second.tolist()
    assert epoch_order(TRAIN.rows, 0, seed=2).tolist() != first.tolist()


def test_a_run_has_whole_batches_only():
    assert steps_per_epoch(18, 4) == 4
    shapes = [(chips.shape, targets.shape) for chips, targets, _ in batches(TRAIN, RECIPE, 1, 0)]
    assert shapes == [((4, 48, 48, 1), (4, 7))] * 40


def test_the_same_seed_gives_the_same_batches():
    for one, two in zip(batches(TRAIN, RECIPE, 5, 0), batches(TRAIN, RECIPE, 5, 0), strict=True):
        assert np.array_equal(one[0], two[0])
        assert np.array_equal(one[1], two[1])


@pytest.mark.parametrize("step", [1, 4, 7, 39])
def test_going_on_at_a_step_gives_what_would_have_come(step: int):
    whole = itertools.islice(batches(TRAIN, RECIPE, 5, 0), step, None)
    for one, two in zip(whole, batches(TRAIN, RECIPE, 5, step), strict=True):
        assert np.array_equal(one[0], two[0])
        assert np.array_equal(one[1], two[1])


def test_after_the_last_step_nothing_comes():
    assert list(batches(TRAIN, RECIPE, 5, 40)) == []


def test_targets_name_the_pictures_class():
    plain = Recipe("test", "for tests", SETTINGS, QaRepVgg())
    chips, targets, _ = next(batches(TRAIN, plain, 1, 0))
    for chip, target in zip(chips, targets, strict=True):
        position = int(np.flatnonzero((TRAIN.chips == chip).all(axis=(1, 2, 3)))[0])
        assert target.tolist() == np.eye(7)[TRAIN.labels[position]].tolist()
