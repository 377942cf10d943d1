"""Where a face's chip is, and that a turned square is cut upright."""

import math

import cv2
import numpy as np
import pytest

from edge.contract.chip import ChipSpec, chip_square, cut_chip, cut_placed
from edge.contract.placement import LEAST_ROLL_DEG, Placement, head_roll_deg, placed, roll_to_undo_deg
from edge.types import Box, Framing, Keypoints, PixelBox, Pixels

SPEC = ChipSpec(size=48)
RANDOM = np.random.default_rng(0)
FRAMING = Framing(1.16, 0.084)


def keypoints(roll_deg: float, width: int = 320, height: int = 240, side: float = 100.0) -> Keypoints:
    """Eyes, nose, mouth and ears of a head at (160, 120) that is tilted clockwise."""
    upright = np.array([(-0.18, -0.1), (0.18, -0.1), (0, 0.1), (0, 0.28), (-0.4, 0), (0.4, 0)]) * side
    roll = math.radians(roll_deg)
    turned = upright @ np.array(((math.cos(roll), math.sin(roll)), (-math.sin(roll), math.cos(roll))))
    return ((turned + np.array((160, 120))) / (width, height)).astype(np.float32)


def picture_of(place: Placement) -> Pixels:
    """240×320, white in the upper half of the square and black in the lower, with a grey left third."""
    rows, columns = np.indices((240, 320)) + 0.5
    roll = math.radians(place.roll_deg)
    across = (columns - place.x) * math.cos(roll) + (rows - place.y) * math.sin(roll)
    down = (rows - place.y) * math.cos(roll) - (columns - place.x) * math.sin(roll)
    white, right = np.clip(0.5 - down, 0, 1), np.clip(0.5 + across + place.side / 6, 0, 1)
    return (white * (128 + 127 * right)).astype(np.uint8)


@pytest.mark.parametrize("roll_deg", [-170, -80, -30, -10.5, 0, 3, 30, 90])
def test_the_eyes_tell_the_roll_whatever_the_pictures_proportions(roll_deg: float):
    assert head_roll_deg(keypoints(roll_deg), 320, 240) == pytest.approx(roll_deg, abs=0.01)


def test_only_a_clear_tilt_is_undone():
    assert roll_to_undo_deg(keypoints(LEAST_ROLL_DEG - 1), 320, 240) == 0
    assert roll_to_undo_deg(keypoints(LEAST_ROLL_DEG + 1), 320, 240) == pytest.approx(LEAST_ROLL_DEG + 1, abs=0.01)
    assert roll_to_undo_deg(keypoints(-30), 320, 240) == pytest.approx(-30, abs=0.01)
    assert roll_to_undo_deg(None, 320, 240) == 0


def test_a_face_from_the_side_tells_no_roll():
    points = keypoints(0)
    points[:2] = (0.5, 0.45), (0.499, 0.46)  # one eye behind the other, a hair below it
    assert abs(head_roll_deg(points, 320, 240)) > 90
    points[2] = 0.6, 0.5
    assert roll_to_undo_deg(points, 320, 240) == 0


def test_an_upright_head_is_where_it_always_was():
    box = Box(0.21, 0.33, 0.27, 0.35)
    place = placed(box, 320, 240, FRAMING, 1.1)
    assert place.around() == chip_square(box, 320, 240, FRAMING, 1.1) == PixelBox(55, 59, 110, 110)
    picture = RANDOM.integers(0, 256, (240, 320, 3), dtype=np.uint8)
    np.testing.assert_array_equal(cut_placed(picture, place, SPEC), cut_chip(picture, place.around(), SPEC))


def test_what_is_above_an_upright_head_is_beside_a_tilted_one():
    box = Box(0.25, 0.25, 0.5, 0.5)
    right = placed(box, 200, 200, Framing(1.0, 0.1), 1.0, 90)
    assert (right.x, right.y, right.side) == pytest.approx((110, 100, 100))
    left = placed(box, 200, 200, Framing(1.0, 0.1), 1.0, -90)
    assert (left.x, left.y) == pytest.approx((90, 100))


def test_around_a_turned_square_is_an_upright_one_that_holds_its_corners():
    assert Placement(100, 80, 60, 45).around() == PixelBox(58, 38, 85, 85)
    assert Placement(100, 80, 60, 90).around() == PixelBox(70, 50, 60, 60)


@pytest.mark.parametrize("side", [30.0, 48.0, 70.0, 96.0, 150.0])
@pytest.mark.parametrize("roll_deg", [-45, -20, 11, 33, 90])
def test_a_turned_square_stands_upright_in_the_chip(side: float, roll_deg: float):
    place = Placement(161.3, 118.6, side, roll_deg)
    chip = cut_placed(picture_of(place), place, SPEC)[..., 0].astype(float)
    # the border between white and black, row by row of each column, lies in the middle and is level within a degree
    border = (chip[:, 20:] / 255).sum(axis=0)
    slope, _ = np.polyfit(np.arange(border.size), border, 1)
    assert abs(math.degrees(math.atan(slope))) < 1
    assert border.mean() == pytest.approx(24, abs=0.35)
    # and the grey third ends at a third: (255 - 128) for each of the 16 columns
    assert (255 - chip[4:20]).sum(axis=1).mean() / 127 == pytest.approx(16, abs=0.5)


def test_a_turned_square_agrees_with_the_plain_one_when_hardly_turned():
    picture = cv2.GaussianBlur(RANDOM.integers(0, 256, (240, 320), dtype=np.uint8), (0, 0), 4)
    plain = cut_placed(picture, Placement(150, 120, 96), SPEC).astype(int)
    turned = cut_placed(picture, Placement(150, 120, 96, 1e-6), SPEC).astype(int)
    assert np.abs(plain - turned).max() <= 2


def test_beyond_the_picture_its_edge_is_repeated_in_the_direction_of_the_turn():
    picture = np.repeat(np.arange(100, dtype=np.uint8)[:, np.newaxis], 100, axis=1)
    chip = cut_placed(picture, Placement(50, 0, 48, 90), SPEC)[..., 0].astype(int)
    # turned by a quarter, the picture's top is at the chip's left; above the picture there is only its first row
    assert (chip[:, :1] == chip).all() or np.ptp(chip, axis=0).max() <= 1
    assert (np.sort(chip[0]) == chip[0]).all() or (np.sort(chip[0])[::-1] == chip[0]).all()
    assert (chip == 0).sum() >= 48 * 23


def test_a_turned_square_outside_the_picture_is_an_error_that_names_both():
    picture = np.zeros((60, 80), np.uint8)
    with pytest.raises(ValueError, match="outside a picture of 80×60"):
        cut_placed(picture, Placement(200, 30, 48, 30), SPEC)


def test_a_turned_colour_chip_is_red_first_and_a_grey_one_grey():
    picture = np.full((60, 60, 3), (1, 2, 3), np.uint8)
    place = Placement(30, 30, 30, 30)
    assert cut_placed(picture, place, ChipSpec(size=48, channels=3))[10, 10].tolist() == [3, 2, 1]
    grey = cut_placed(picture, place, SPEC)
    assert grey.shape == (48, 48, 1)
    assert grey.flags.c_contiguous
    assert grey.flags.owndata or grey.base is not picture


def test_a_large_turned_face_is_averaged_not_sampled():
    checks = (np.indices((400, 400)).sum(axis=0) % 2 * 255).astype(np.uint8)
    chip = cut_placed(checks, Placement(200, 200, 200, 30), SPEC)
    assert np.abs(chip.astype(int) - 128).max() <= 1
