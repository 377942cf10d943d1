"""Regions that nobody sees, the analysis included."""

import cv2
import numpy as np
import pytest

from edge.errors import SourceEnded
from edge.sources.masked import Region, blacked_out, masked
from edge.sources.turned import turned
from edge.types import Frame, PixelFormat, Pixels
from tests.fakes import FakeSource

WHITE = np.full((48, 64, 3), 255, np.uint8)
PIXELS = {
    PixelFormat.BGR: WHITE,
    PixelFormat.GREY: WHITE[:, :, 0],
    PixelFormat.I420: cv2.cvtColor(WHITE, cv2.COLOR_BGR2YUV_I420),
}


def framed(picture_format: PixelFormat = PixelFormat.BGR) -> Frame:
    return Frame(7, 123, PIXELS[picture_format].copy(), picture_format)


def black(frame: Frame) -> Pixels:
    """Which pixels are: bool (H, W)."""
    return (frame.bgr == 0).all(axis=2)


@pytest.mark.parametrize("picture_format", list(PixelFormat))
def test_a_region_is_black_in_every_format_and_the_rest_as_it_was(picture_format: PixelFormat):
    given = framed(picture_format)
    frame = blacked_out(given, ((0.25, 0.5, 0.5, 0.25),))
    expected = np.zeros((48, 64), bool)
    expected[24:36, 16:48] = True
    np.testing.assert_array_equal(black(frame), expected)
    assert (frame.luma[expected] == 0).all()
    assert (frame.luma[~expected] == given.luma[~expected]).all()
    assert (frame.seq, frame.t_ns, frame.format) == (7, 123, picture_format)
    assert not frame.pixels.flags.writeable
    assert not black(given).any(), "the source's own memory is left alone"


@pytest.mark.parametrize("picture_format", list(PixelFormat))
@pytest.mark.parametrize("seed", range(20))
def test_nothing_of_a_region_is_left_wherever_it_lies(picture_format: PixelFormat, seed: int):
    x, y, w, h = np.random.default_rng(seed).random(4)
    region: Region = (float(x), float(y), float(w), float(h))
    frame = blacked_out(framed(picture_format), (region,))
    rows, columns = (np.arange(48)[:, None] + 0.5) / 48, (np.arange(64)[None, :] + 0.5) / 64
    # a pixel belongs to it if any part of it does
    half_row, half_column = 0.5 / 48, 0.5 / 64
    inside = (rows + half_row > y) & (rows - half_row < y + h) & (columns + half_column > x)
    inside &= columns - half_column < x + w
    assert black(frame)[inside].all()
    if picture_format is PixelFormat.I420:
        # four pixels share a colour: none that a black pixel has a part in is kept
        colours = frame.pixels[48:].reshape(2, 24, 32)
        in_part = inside.reshape(24, 2, 32, 2).any(axis=(1, 3))
        assert (colours[:, in_part] == 128).all()
    spare = 2 if picture_format is PixelFormat.I420 else 1
    assert black(frame).sum() <= (int(w * 64) + 2 * spare) * (int(h * 48) + 2 * spare), "and little more is black"


def test_colour_is_blacked_out_with_the_light():
    bgr = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    given = Frame(1, 0, cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), PixelFormat.I420)
    frame = blacked_out(given, ((0.0, 0.0, 0.5, 1.0),))
    assert (frame.pixels[48:].reshape(2, 24, 32)[:, :, :16] == 128).all()
    np.testing.assert_array_equal(
        frame.pixels[48:].reshape(2, 24, 32)[:, :, 16:], given.pixels[48:].reshape(2, 24, 32)[:, :, 16:]
    )


def test_a_region_may_reach_beyond_the_picture():
    assert black(blacked_out(framed(), ((0.5, 0.5, 1.0, 1.0),))).sum() == 24 * 32
    assert black(blacked_out(framed(), ((0.0, 0.0, 1.0, 1.0),))).all()


def test_what_was_made_of_the_frame_before_is_not_taken_over():
    given = framed()
    assert given.bgr.any()
    assert given.luma.any()
    frame = blacked_out(given, ((0.0, 0.0, 1.0, 1.0),))
    assert not frame.bgr.any()
    assert not frame.luma.any()


def test_regions_are_those_of_the_picture_as_it_is_shown():
    source = masked(turned(FakeSource([framed()]), 90, mirror=False), ((0.0, 0.0, 1.0, 0.25),))
    frame = source.read(1.0)
    assert (frame.width, frame.height) == (48, 64)
    assert black(frame)[:16].all()
    assert not black(frame)[16:].any()


def test_without_a_mask_the_source_is_left_alone():
    source = FakeSource([])
    assert masked(source, ()) is source


@pytest.mark.parametrize("live", [False, True])
def test_the_rest_is_the_sources_own(live: bool):
    source = FakeSource([], name="camera")
    source.live = live
    wrapper = masked(source, ((0.0, 0.0, 0.5, 0.5),))
    assert (wrapper.name, wrapper.live) == ("camera", live)
    with pytest.raises(SourceEnded):
        wrapper.read(1.0)
    assert wrapper.hold()
    wrapper.close()
    assert (source.held, source.closed) == (1, 1)
