"""A camera that hangs otherwise than upright."""

import itertools

import cv2
import numpy as np
import pytest

from edge.errors import SourceEnded
from edge.sources.turned import turned
from edge.types import Frame, PixelFormat, Pixels
from tests.fakes import FakeSource

BGR = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
PIXELS = {
    PixelFormat.BGR: BGR,
    PixelFormat.GREY: cv2.cvtColor(BGR, cv2.COLOR_BGR2GRAY),
    PixelFormat.I420: cv2.cvtColor(BGR, cv2.COLOR_BGR2YUV_I420),
}
WAYS = [way for way in itertools.product((0, 90, 180, 270), (False, True)) if any(way)]


def expected(picture: Pixels, rotate_deg: int, mirror: bool) -> Pixels:
    """By NumPy, which counts quarter turns the other way round."""
    upright = np.rot90(picture, -rotate_deg // 90)
    return upright[:, ::-1] if mirror else upright


def through(frame: Frame, rotate_deg: int, mirror: bool) -> Frame:
    return turned(FakeSource([frame]), rotate_deg, mirror).read(1.0)


@pytest.mark.parametrize("picture_format", list(PixelFormat))
@pytest.mark.parametrize(("rotate_deg", "mirror"), WAYS)
def test_every_format_is_turned_as_it_is(picture_format: PixelFormat, rotate_deg: int, mirror: bool):
    given = Frame(7, 123, PIXELS[picture_format].copy(), picture_format)
    frame = through(given, rotate_deg, mirror)
    # a pixel's colour is that of the block of four it was in, on whichever side
    np.testing.assert_array_equal(frame.bgr, expected(given.bgr, rotate_deg, mirror))
    np.testing.assert_array_equal(frame.luma, expected(given.luma, rotate_deg, mirror))
    assert (frame.seq, frame.t_ns, frame.format) == (7, 123, picture_format)
    assert (frame.width, frame.height) == ((48, 64) if rotate_deg in (90, 270) else (64, 48))
    assert not frame.pixels.flags.writeable
    assert frame.pixels.flags.c_contiguous
    assert not np.shares_memory(frame.pixels, given.pixels)


@pytest.mark.parametrize("picture_format", list(PixelFormat))
@pytest.mark.parametrize("size", [(2, 2), (2, 6), (6, 2), (2, 1000)])
def test_the_smallest_pictures_are_turned_too(picture_format: PixelFormat, size: tuple[int, int]):
    bgr = cv2.resize(BGR, size)
    pixels = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420) if picture_format is PixelFormat.I420 else bgr
    pixels = np.ascontiguousarray(bgr[:, :, 0]) if picture_format is PixelFormat.GREY else pixels
    given = Frame(1, 0, pixels, picture_format)
    for rotate_deg, mirror in WAYS:
        frame = through(given, rotate_deg, mirror)
        np.testing.assert_array_equal(frame.bgr, expected(given.bgr, rotate_deg, mirror))


def test_what_was_turned_is_turned_back_by_the_rest_of_the_circle():
    for picture_format, pixels in PIXELS.items():
        sideways = through(Frame(1, 0, pixels.copy(), picture_format), 90, mirror=False)
        np.testing.assert_array_equal(through(sideways, 270, mirror=False).pixels, pixels)


def test_without_a_wish_the_source_is_left_alone():
    source = FakeSource([])
    assert turned(source, 0, mirror=False) is source


def test_its_name_says_what_is_done():
    names = [turned(FakeSource([], name="camera"), *way).name for way in ((90, False), (0, True), (180, True))]
    assert names == ["camera, turned by 90°", "camera, mirrored", "camera, turned by 180°, mirrored"]


@pytest.mark.parametrize("live", [False, True])
def test_its_time_is_the_sources(live: bool):
    source = FakeSource([])
    source.live = live
    assert turned(source, 90, mirror=False).live is live


def test_the_end_and_the_closing_reach_through_it():
    source = FakeSource([])
    wrapper = turned(source, 90, mirror=False)
    with pytest.raises(SourceEnded):
        wrapper.read(1.0)
    wrapper.close()
    assert source.closed == 1
