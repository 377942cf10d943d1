"""The one function that cuts face chips."""

import numpy as np
import pytest

from edge.contract.chip import WHOLE, ChipSpec, chip_square, cut_chip, shrink
from edge.types import Box, Framing, PixelBox

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (60, 80), dtype=np.uint8)
SPEC = ChipSpec(size=48)


def test_a_chip_cut_at_its_own_size_is_the_picture_itself():
    square = PixelBox(10, 5, 48, 48)
    np.testing.assert_array_equal(cut_chip(GREY, square, SPEC)[..., 0], GREY[5:53, 10:58])


def test_beyond_the_picture_its_edge_is_repeated():
    chip = cut_chip(GREY, PixelBox(-8, 0, 48, 48), SPEC)[..., 0]
    np.testing.assert_array_equal(chip[:, :8], np.repeat(GREY[:48, :1], 8, axis=1))
    np.testing.assert_array_equal(chip[:, 8:], GREY[:48, :40])


def test_a_square_outside_the_picture_is_an_error_that_names_both():
    with pytest.raises(ValueError, match="outside a picture of 80×60"):
        cut_chip(GREY, PixelBox(100, 0, 48, 48), SPEC)


@pytest.mark.parametrize("side", [20, 48, 60, 59, 97])
def test_the_chip_is_contiguous_owned_and_of_the_asked_size(side: int):
    chip = cut_chip(GREY, PixelBox(0, 0, side, side), SPEC)
    assert chip.shape == (48, 48, 1)
    assert chip.flags.c_contiguous
    assert chip.flags.writeable
    assert chip.dtype == np.uint8


def test_grey_from_bgr_weighs_the_channels_by_rec_601():
    blue, green, red = (np.full((48, 48, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255)))
    values = [int(cut_chip(c, PixelBox(0, 0, 48, 48), SPEC)[0, 0, 0]) for c in (blue, green, red)]
    assert values == [29, 150, 76]


def test_a_colour_chip_is_red_first():
    chip = cut_chip(np.full((48, 48, 3), (1, 2, 3), np.uint8), PixelBox(0, 0, 48, 48), ChipSpec(size=48, channels=3))
    assert chip[0, 0].tolist() == [3, 2, 1]


def test_a_large_face_is_averaged_not_sampled():
    checks = np.indices((192, 192)).sum(axis=0) % 2 * np.uint8(255)
    chip = cut_chip(checks.astype(np.uint8), PixelBox(0, 0, 192, 192), SPEC)
    assert abs(int(chip.min()) - 128) <= 1
    assert abs(int(chip.max()) - 128) <= 1


def test_the_square_is_centred_on_the_box_and_scaled_by_framing_and_margin():
    box = Box(0.25, 0.25, 0.5, 0.5)
    assert chip_square(box, 80, 80, WHOLE, 1.0) == PixelBox(20, 20, 40, 40)
    assert chip_square(box, 80, 80, Framing(1.0, 0.1), 1.0) == PixelBox(20, 16, 40, 40)
    assert chip_square(box, 80, 80, Framing(1.5, 0.0), 1.2) == PixelBox(4, 4, 72, 72)


def test_shrinking_averages_instead_of_sampling():
    stripes = np.tile(np.array([[0, 255]], np.uint8), (64, 32))
    assert set(np.unique(shrink(stripes, 16, 16))) <= {127, 128}


@pytest.mark.parametrize("side", [48, 49, 95, 96, 97, 191, 193, 400, 1001])
def test_shrinking_keeps_the_middle_in_the_middle(side: int):
    picture = np.zeros((side, side), np.uint8)
    third = side // 3
    picture[third : side - third, third : side - third] = 255
    small = shrink(picture, 48, 48).astype(float)
    rows, columns = np.indices(small.shape)
    centre = (rows * small).sum() / small.sum(), (columns * small).sum() / small.sum()
    assert centre == pytest.approx((23.5, 23.5), abs=0.5)
