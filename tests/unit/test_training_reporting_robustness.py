"""Spoilt pictures: seeded, of the same shape, with their edges repeated."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training_fakes import fake_dataset, noise_chips
from training.predictors import Predictor
from training.robustness import DEGRADATIONS, Degradation, measure_robustness

BY_NAME = {each.name: each for each in DEGRADATIONS}
ROWS = np.arange(20, dtype=np.int64)


def framed() -> NDArray[np.uint8]:
    """One white chip with a black square of 24 px in its middle."""
    chip = np.full((1, 48, 48, 1), 255, np.uint8)
    chip[:, 12:36, 12:36] = 0
    return chip


@pytest.mark.parametrize("each", DEGRADATIONS, ids=lambda each: each.name)
@pytest.mark.parametrize("shape", [(48, 48, 1), (40, 40, 3)])
def test_shape_and_source_stay_as_they_are_and_the_result_is_the_same_again(
    each: Degradation, shape: tuple[int, int, int]
):
    chips = np.random.default_rng(0).integers(0, 256, (20, *shape), np.uint8)
    before = chips.copy()
    spoilt = each.apply(chips, ROWS)
    assert (spoilt.dtype, spoilt.shape) == (np.uint8, chips.shape)
    assert np.array_equal(chips, before)
    assert not np.array_equal(spoilt, chips)
    assert np.array_equal(each.apply(chips[7:9], ROWS[7:9]), spoilt[7:9])  # whatever else is asked about


@pytest.mark.parametrize("name", ["loose crop", "roll", "blur"])
def test_beyond_the_picture_its_edge_is_repeated(name: str):
    spoilt = BY_NAME[name].apply(framed(), ROWS[:1])
    assert spoilt[0, :4].min() == spoilt[0, -4:].min() == 255


@pytest.mark.parametrize(("name", "width_px"), [("tight crop", 24 / 0.8), ("loose crop", 24 / 1.2)])
def test_a_crop_changes_the_size_of_the_face(name: str, width_px: float):
    row = BY_NAME[name].apply(framed(), ROWS[:1])[0, 24, :, 0]
    assert (255 - row.astype(float)).sum() / 255 == pytest.approx(width_px, abs=0.5)


def test_faces_roll_to_either_side():
    ramp = np.repeat(np.linspace(0, 255, 48).astype(np.uint8)[None, :, None, None], 48, axis=2)
    spoilt = BY_NAME["roll"].apply(np.repeat(ramp, 20, axis=0), ROWS).astype(int)
    tilt = np.sign(spoilt[:, 24, 40, 0] - spoilt[:, 24, 8, 0])
    assert set(tilt.tolist()) == {-1, 1}


def test_blur_and_light_and_noise_are_as_strong_as_they_say():
    grey = np.full((20, 48, 48, 1), 128, np.uint8)
    assert np.unique(BY_NAME["dark"].apply(grey, ROWS)).tolist() == [32]
    noise = BY_NAME["noise"].apply(grey, ROWS).astype(float) - 128
    assert (noise.mean(), noise.std()) == (pytest.approx(0, abs=0.2), pytest.approx(15, abs=0.2))
    point = np.zeros((1, 49, 49, 1), np.uint8)
    point[0, 24, 24] = 255
    peak = BY_NAME["blur"].apply(point, ROWS[:1])[0, 24, 24, 0]
    assert peak == pytest.approx(255 / (2 * np.pi * (49 / 48) ** 2), abs=2)
    assert np.unique(BY_NAME["small"].apply(grey, ROWS)).tolist() == [128]


def test_the_loss_is_that_of_the_same_pictures():
    chips = noise_chips(14)
    part = fake_dataset(chips, ["Test"] * 14)
    perfect = np.eye(7)[part.labels]

    def by_heart(asked: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Right about the pictures as they are, and says the first class of all others."""
        known = [np.flatnonzero((chips == chip).all(axis=(1, 2, 3))) for chip in asked]
        return np.stack([perfect[at[0]] if at.size else np.eye(7)[0] for at in known])

    predictor = Predictor(part.label_names, by_heart, 1.0)
    same = Degradation("none", "as it is", lambda chips, rows: chips)
    unharmed, lost = measure_robustness(predictor, part, perfect, [same, BY_NAME["noise"]])
    assert (unharmed.accuracy, unharmed.loss, unharmed.loss_interval) == (1, 0, (0, 0))
    assert (lost.accuracy, lost.loss) == pytest.approx((2 / 14, 12 / 14))
    assert lost.loss_interval[0] < 12 / 14 < lost.loss_interval[1]
