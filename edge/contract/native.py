"""What networks see, from a frame as its source delivered it: the whole of it is never made BGR for them."""

import cv2
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from edge.contract.chip import ChipSpec, cut_placed, shrink
from edge.contract.placement import Placement
from edge.types import Frame, PixelBox, PixelFormat, Pixels, planes_of

_TO_RGB = {PixelFormat.GREY: cv2.COLOR_GRAY2RGB, PixelFormat.I420: cv2.COLOR_YUV2RGB_I420}

_BLACK, _NEUTRAL = 16, 128
_BRIGHT, _COLOURED = 255 / 219, 255 / 224
"""ITU-R BT.601 for Y in 16..235, U and V in 16..240, which is what OpenCV takes I420 for."""


def _yuv_to_rgb() -> NDArray[np.float32]:
    """(3, 4): RGB in 0..255 from Y, U, V and 1."""
    red, blue = 0.299, 0.114
    green = 1 - red - blue
    u, v = 2 * (1 - blue) * _COLOURED, 2 * (1 - red) * _COLOURED
    factors = np.array(((_BRIGHT, 0, v), (_BRIGHT, -u * blue / green, -v * red / green), (_BRIGHT, u, 0)))
    return np.hstack((factors, -factors @ [[_BLACK], [_NEUTRAL], [_NEUTRAL]])).astype(np.float32)


_YUV_TO_RGB = _yuv_to_rgb()


def full_rgb(frame: Frame) -> Pixels:
    """All of the picture, uint8 (H, W, 3), red first; in one conversion, whatever the format."""
    if frame.has_bgr:
        return np.asarray(cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(frame.pixels, _TO_RGB[frame.format]), np.uint8)


def small_rgb(frame: Frame, width_px: int, height_px: int) -> Pixels:
    """The picture shrunk, uint8 (h, w, 3), red first: first made small, plane by plane, then converted.

    Args:
        frame: in any format.
        width_px: of the result.
        height_px: of the result.
    """
    if frame.has_bgr:
        return np.asarray(cv2.cvtColor(shrink(frame.bgr, width_px, height_px), cv2.COLOR_BGR2RGB), np.uint8)
    if frame.format is PixelFormat.GREY:
        return np.asarray(cv2.cvtColor(shrink(frame.pixels, width_px, height_px), cv2.COLOR_GRAY2RGB), np.uint8)
    # to one size, each by its own factor: packed as I420 again, colours would have half the resolution
    planes = [shrink(plane, width_px, height_px) for plane in planes_of(frame.pixels)]
    return np.asarray(cv2.transform(cv2.merge(planes), _YUV_TO_RGB), np.uint8)


def cut_frame(frame: Frame, place: Placement, spec: ChipSpec) -> Pixels:
    """`cut_placed` from a frame in any format: grey from its luma plane if it has one, colours from what is cut only.

    Args:
        frame: in any format.
        place: what to cut; beyond the frame its edge pixels are repeated.
        spec: what the model wants.

    Returns:
        uint8 (S, S, C), 0..255, contiguous, owned by the caller; to the last bit what `frame.bgr` or `frame.luma` give.

    Raises:
        ValueError: the upright square around `place` has no pixel in common with the frame.
    """
    if frame.format is PixelFormat.GREY or (frame.format is PixelFormat.I420 and spec.channels == 1):
        return cut_placed(frame.luma, place, spec)
    if frame.has_bgr:
        return cut_placed(frame.bgr, place, spec)
    part = _needed(place, frame)
    return cut_placed(frame.part(part).bgr, replace(place, x=place.x - part.x, y=place.y - part.y), spec)


def _needed(place: Placement, frame: Frame) -> PixelBox:
    """The part of an I420 frame that a cut reads, in even numbers; not empty even if nothing is: `cut_placed` tells."""
    around = place.around()
    x, w = _even(around.x, around.w, frame.width)
    y, h = _even(around.y, around.h, frame.height)
    return PixelBox(x, y, w, h)


def _even(start: int, length: int, limit: int) -> tuple[int, int]:
    # a pixel more on each side, which a turned cut reads as well
    begin = min(max(start - 1, 0), limit - 2) & ~1
    end = max(min(start + length + 1, limit), begin + 2)
    return begin, end - begin + end % 2
