"""Frames convert lazily, and what is published cannot be written to."""

import cv2
import numpy as np
import pytest

from edge.types import Box, Frame, PixelBox, PixelFormat

BGR = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def test_a_bgr_frame_is_its_own_bgr():
    frame = Frame(1, 0, BGR.copy())
    assert frame.bgr is frame.pixels
    assert (frame.width, frame.height) == (64, 48)


def test_the_luma_of_i420_is_a_view_of_its_y_plane():
    i420 = cv2.cvtColor(BGR, cv2.COLOR_BGR2YUV_I420)
    frame = Frame(1, 0, i420, PixelFormat.I420)
    assert (frame.width, frame.height) == (64, 48)
    assert np.shares_memory(frame.luma, frame.pixels)
    assert frame.luma.shape == (48, 64)
    assert frame.bgr.shape == (48, 64, 3)


def test_conversions_are_made_once():
    frame = Frame(1, 0, BGR.copy())
    assert frame.luma is frame.luma
    grey = Frame(1, 0, BGR[:, :, 0].copy(), PixelFormat.GREY)
    assert grey.bgr is grey.bgr
    assert grey.luma is grey.pixels


@pytest.mark.parametrize("picture_format", list(PixelFormat))
def test_a_picture_written_to_a_canvas_is_the_picture(picture_format: PixelFormat):
    conversions = {PixelFormat.I420: cv2.COLOR_BGR2YUV_I420, PixelFormat.GREY: cv2.COLOR_BGR2GRAY}
    pixels = BGR.copy() if picture_format is PixelFormat.BGR else cv2.cvtColor(BGR, conversions[picture_format])
    canvas = np.zeros((48, 64, 3), np.uint8)
    Frame(1, 0, pixels, picture_format).bgr_into(canvas)
    np.testing.assert_array_equal(canvas, Frame(1, 0, pixels, picture_format).bgr)
    assert canvas.flags.writeable


@pytest.mark.parametrize("attribute", ["pixels", "bgr", "luma"])
def test_published_pixels_are_read_only(attribute: str):
    frame = Frame(1, 0, BGR.copy())
    with pytest.raises(ValueError, match="read-only"):
        getattr(frame, attribute)[0, 0] = 0


def test_a_box_in_pixels_keeps_its_edges_after_rounding():
    assert Box(0.1, 0.1, 0.25, 0.25).to_pixels(64, 48) == PixelBox(6, 5, 16, 12)
