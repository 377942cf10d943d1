"""Activations at the end of their range: cut off by the quantisation, or at home there."""

from typing import Any

import numpy as np
import pytest

from convert.clipping import PICTURES, check_clipping
from convert.tflite import to_tflite
from edge.contract.card import Mode
from edge.types import Pixels

keras = pytest.importorskip("keras")
layers = keras.layers


def soft(count: int, seed: int = 0) -> Pixels:
    """Pictures of grey blocks; their darkest and brightest are rare."""
    blocks = np.random.default_rng(seed).normal(128, 35, (count, 8, 8, 1)).clip(0, 255).astype(np.uint8)
    pictures: Pixels = np.repeat(np.repeat(blocks, 6, axis=1), 6, axis=2)
    pictures[0, 0, :2, 0] = 0, 255
    return pictures


def network(activation: Any, gain: float) -> Any:
    """A layer "blocks" that gives the mean of each block, 0..gain, and one of three weighted sums of them."""
    chips = keras.Input((48, 48, 1))
    x = layers.Conv2D(1, 6, strides=6, name="blocks")(layers.Rescaling(1 / 255)(chips))
    model = keras.Model(chips, layers.Dense(3, name="sums")(layers.Flatten()(activation(x))))
    model.get_layer("blocks").set_weights([np.full((6, 6, 1, 1), gain / 36, np.float32), np.zeros(1, np.float32)])
    model.get_layer("sums").set_weights([np.random.default_rng(0).normal(size=(64, 3)), np.zeros(3)])
    return model


def test_black_and_white_and_a_ceiling_of_6_are_ends_that_nothing_was_cut_off_at():
    black_and_white = np.random.default_rng(0).integers(0, 2, (60, 48, 48, 1), np.uint8) * np.uint8(255)
    content = to_tflite(network(layers.ReLU(6.0), 12.0), "int8", black_and_white)
    finding = check_clipping(content, black_and_white, 60)
    assert finding.passed, finding.text()


@pytest.mark.parametrize("count", [3, 60])
def test_the_pictures_that_set_the_range_may_reach_its_ends(count: int):
    pictures = soft(count)
    finding = check_clipping(to_tflite(network(layers.ReLU(), 1.0), "int8", pictures), pictures, count)
    assert finding.passed, finding.text()


@pytest.mark.parametrize("mode", ["int8", "int8-float-io"])
def test_what_was_calibrated_on_darker_pictures_is_found(mode: Mode):
    dark = soft(60) // 2
    dark[0, 0, :2, 0] = 0, 255
    finding = check_clipping(to_tflite(network(layers.ReLU(), 1.0), mode, dark), soft(60, seed=1), 60)
    assert not finding.passed
    assert finding.found.endswith("at the end of its range, of 60 pictures")
    assert finding.expected.startswith("at most 4.3% of each")


def test_pictures_are_taken_from_all_parts_of_the_data():
    calibration = soft(60) // 2
    calibration[0, 0, :2, 0] = 0, 255
    content = to_tflite(network(layers.ReLU(), 1.0), "int8", calibration)
    dark = soft(PICTURES, seed=1) // 2
    assert check_clipping(content, dark, 60).passed
    assert not check_clipping(content, np.concatenate([dark, soft(PICTURES)]), 60).passed
