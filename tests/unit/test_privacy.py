"""What a picture shows in each mode, and which changes of the settings tell no more than before."""

import itertools
from typing import get_args, get_type_hints

import cv2
import numpy as np
import pytest

from edge.config import PrivacyConfig
from edge.privacy import COARSE_CELLS, GROUND_COLOUR, MODES, blur, show_into, shows_pictures, stricter
from edge.tightening import loosened
from edge.types import Frame, PixelFormat, Pixels

NOISE = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
SIZES = [
    (640, 480),
    (480, 640),
    (641, 479),
    (1280, 720),
    (1920, 1080),
    (160, 120),
    (16, 12),
    (1, 1),
    (2000, 2),
    (3, 700),
]


def shown(frame: Frame, mode: str) -> Pixels:
    canvas = np.full((frame.height, frame.width, 3), 77, np.uint8)
    show_into(frame, canvas, mode)
    return canvas


def stripes(period_px: int) -> Pixels:
    """Black and white columns: uint8 (480, 640, 3)."""
    row = np.where(np.arange(640) % period_px < period_px / 2, 255, 0).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (480, 640, 3)))


def contrast(picture: Pixels) -> int:
    """Between the darkest and the brightest, away from the edges."""
    middle = picture[100:-100, 100:-100].astype(int)
    return int(middle.max() - middle.min())


def test_the_modes_are_those_of_the_settings():
    assert get_args(get_type_hints(PrivacyConfig)["video"]) == MODES


def test_only_the_same_mode_or_a_stricter_one_shows_no_more():
    allowed = [(now, new) for now, new in itertools.product(MODES, MODES) if stricter(now, new)]
    order = ["full", "blurred", "boxes", "none"]
    assert allowed == [(now, new) for i, now in enumerate(order) for new in order[i:]]


def test_only_none_keeps_all_pictures_back():
    assert [mode for mode in MODES if not shows_pictures(mode)] == ["none"]


def test_full_shows_the_picture():
    np.testing.assert_array_equal(shown(Frame(1, 0, NOISE.copy()), "full"), NOISE)


@pytest.mark.parametrize("mode", ["boxes", "none"])
def test_boxes_and_none_show_nothing_of_the_picture(mode: str):
    assert (shown(Frame(1, 0, NOISE.copy()), mode) == GROUND_COLOUR).all()


@pytest.mark.parametrize("picture_format", list(PixelFormat))
def test_blurred_is_blurred_from_every_format_and_leaves_the_frame_alone(picture_format: PixelFormat):
    pixels = {
        PixelFormat.BGR: NOISE,
        PixelFormat.GREY: NOISE[:, :, 0],
        PixelFormat.I420: cv2.cvtColor(NOISE, cv2.COLOR_BGR2YUV_I420),
    }[picture_format]
    frame = Frame(1, 0, pixels.copy(), picture_format)
    sharp, coarse = shown(frame, "full"), shown(frame, "blurred")
    assert contrast(sharp) > 200
    assert contrast(coarse) < 20
    np.testing.assert_array_equal(frame.pixels, pixels)
    assert np.abs(sharp.mean((0, 1)) - coarse.mean((0, 1))).max() < 3, "light and colour stay what they are"


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_size_is_blurred_in_place(width: int, height: int):
    canvas = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    sharp = canvas.copy()
    blur(canvas)
    assert canvas.shape == sharp.shape
    if min(width, height) > 2 * COARSE_CELLS:
        steps = np.abs(np.diff(canvas.astype(int), axis=1))
        assert steps.max() < 25, "nothing in it has an edge"


def test_details_of_a_few_cells_are_gone_and_large_forms_stay():
    cell_px = 640 // COARSE_CELLS
    for cells, least, most in ((1, 0, 8), (2, 0, 26), (8, 120, 255)):
        canvas = stripes(cells * cell_px)
        blur(canvas)
        assert least <= contrast(canvas) <= most, f"stripes {cells} cells apart"


def test_what_is_finer_than_a_cell_has_no_part_wherever_it_moves():
    """Two pictures that differ in fine detail only are the same, so a film of them tells no more than one."""
    cell_px = 640 // COARSE_CELLS
    pictures = []
    for shift in range(0, cell_px, 5):
        canvas = np.roll(stripes(cell_px // 2), shift, axis=1)
        blur(canvas)
        pictures.append(canvas[100:-100, 100:-100].astype(int))
    assert max(np.abs(one - two).max() for one, two in itertools.combinations(pictures, 2)) <= 4


def test_a_change_of_privacy_may_only_tell_less():
    now = PrivacyConfig("blurred", ((0.1, 0.1, 0.2, 0.2),), "aggregate", 60.0)
    tighter = PrivacyConfig("none", ((0.5, 0.5, 0.1, 0.1), (0.0, 0.1, 0.3, 0.25)), "aggregate", 120.0)
    assert loosened(now, now) == loosened(now, tighter) == ()
    reasons = loosened(now, PrivacyConfig("full", ((0.11, 0.1, 0.2, 0.2),), "faces", 30.0))
    assert [reason.partition(":")[0] for reason in reasons] == ["video", "masks", "events", "aggregate_s"]
    assert reasons[0] == "video: full shows more than blurred"


def test_masks_and_aggregation_may_be_added_to_a_picture_that_has_none():
    plain = PrivacyConfig()
    assert loosened(plain, PrivacyConfig(masks=((0.0, 0.0, 1.0, 1.0),), events="aggregate", aggregate_s=1.0)) == ()
    assert loosened(plain, PrivacyConfig(aggregate_s=1.0)) == (), "of no meaning without aggregation"
