"""One function cuts the face chip, for the training cache and for live frames alike."""

import math
from typing import Literal

import cv2
import msgspec
import numpy as np

from edge.contract.placement import Placement, placed
from edge.types import Box, Framing, PixelBox, Pixels


class ChipSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model wants to see.

    Attributes:
        size: side of the square chip in px.
        channels: 1 (grey) or 3 (RGB, red first).
        margin: side of the square that is cut, as a multiple of the FER2013-like face square (1.0: as trained).
        resize: `area` averages while shrinking by 2 or more and is linear for the rest (see `shrink`); `linear` is
            always linear.
    """

    size: int = 48
    channels: Literal[1, 3] = 1
    margin: float = 1.0
    resize: Literal["area", "linear"] = "area"


WHOLE = Framing(scale=1.0, up=0.0)
"""For boxes that are the chip's square already."""


def chip_square(box: Box, width_px: int, height_px: int, framing: Framing, margin: float) -> PixelBox:
    """The square of the frame that becomes the chip of an upright head; may reach beyond the frame.

    Args:
        box: the detector's box in [0, 1].
        width_px: width of the frame.
        height_px: height of the frame.
        framing: the detector's convention.
        margin: `ChipSpec.margin`.
    """
    return placed(box, width_px, height_px, framing, margin).around()


def shrink(picture: Pixels, width_px: int, height_px: int) -> Pixels:
    """Resize a picture, fast and without aliasing; meant for shrinking, linear where it has to grow.

    Halving by area is exact and nearly free, while one area resize by another factor costs ten times as much; so halve
    as long as that does not overshoot, then go the rest (a factor below 2, which does not alias) linearly.

    Args:
        picture: uint8 (H, W) or (H, W, C).
        width_px: of the result.
        height_px: of the result.
    """
    height, width = picture.shape[:2]
    while width >= 2 * width_px and height >= 2 * height_px and width > 1 and height > 1:
        if height & 1 or width & 1:
            # without an odd last row or column the factor is exactly 2, which OpenCV does ten times faster
            picture = picture[: height & ~1, : width & ~1]
        height, width = height // 2, width // 2
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    if height == height_px and width == width_px:
        return picture
    resized: Pixels = cv2.resize(picture, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    return resized


def in_channels(picture: Pixels, channels: Literal[1, 3]) -> Pixels:
    """Grey (H, W) or RGB (H, W, 3), as a chip has it, from grey (H, W) or BGR (H, W, 3), uint8."""
    if channels == 1:
        return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    code = cv2.COLOR_BGR2RGB if picture.ndim == 3 else cv2.COLOR_GRAY2RGB
    return np.asarray(cv2.cvtColor(picture, code), np.uint8)


def cut_chip(picture: Pixels, square: PixelBox, spec: ChipSpec) -> Pixels:
    """Cut, pad by repeating the edge, convert and resize.

    Args:
        picture: uint8 (H, W) grey or (H, W, 3) BGR, 0..255.
        square: what to cut; beyond the picture its edge pixels are repeated.
        spec: what the model wants.

    Returns:
        uint8 (S, S, C), 0..255, contiguous, owned by the caller.

    Raises:
        ValueError: the square has no pixel in common with the picture.
    """
    height, width = picture.shape[:2]
    x0, y0 = max(square.x, 0), max(square.y, 0)
    x1, y1 = min(square.x + square.w, width), min(square.y + square.h, height)
    if x1 <= x0 or y1 <= y0:
        raise ValueError(f"{square} lies outside a picture of {width}×{height} px")
    crop = in_channels(picture[y0:y1, x0:x1], spec.channels)
    pads = (y0 - square.y, square.y + square.h - y1, x0 - square.x, square.x + square.w - x1)
    if any(pads):
        crop = cv2.copyMakeBorder(crop, *pads, borderType=cv2.BORDER_REPLICATE)
    if spec.resize == "area":
        crop = shrink(crop, spec.size, spec.size)
    elif crop.shape[0] != spec.size:
        crop = cv2.resize(crop, (spec.size, spec.size), interpolation=cv2.INTER_LINEAR)
    if crop.base is not None:  # nothing had to be done, and it is still the picture's own
        crop = crop.copy()
    return crop.reshape(spec.size, spec.size, spec.channels)


def cut_placed(picture: Pixels, place: Placement, spec: ChipSpec) -> Pixels:
    """`cut_chip` for a square that may be turned: the chip shows it upright.

    A turned square is halved by area as `shrink` does, and the rest of the way (a factor below 2) goes with the turn,
    linearly: no more pixels are turned than the chip has.

    Args:
        picture: uint8 (H, W) grey or (H, W, 3) BGR, 0..255.
        place: what to cut; beyond the picture its edge pixels are repeated.
        spec: what the model wants.

    Returns:
        uint8 (S, S, C), 0..255, contiguous, owned by the caller.

    Raises:
        ValueError: the upright square around it has no pixel in common with the picture.
    """
    around = place.around()
    if not place.roll_deg:
        return cut_chip(picture, around, spec)
    height, width = picture.shape[:2]
    # a pixel more on each side: what is between two pixels is of both
    x0, y0 = max(around.x - 1, 0), max(around.y - 1, 0)
    x1, y1 = min(around.x + around.w + 1, width), min(around.y + around.h + 1, height)
    if x1 <= x0 or y1 <= y0:
        raise ValueError(f"{place} lies outside a picture of {width}×{height} px")
    part = in_channels(picture[y0:y1, x0:x1], spec.channels)
    smaller = 1
    while spec.resize == "area" and place.side >= 2 * smaller * spec.size and min(part.shape[:2]) > 1:
        half_height, half_width = part.shape[0] // 2, part.shape[1] // 2
        even = part[: 2 * half_height, : 2 * half_width]
        part = np.asarray(cv2.resize(even, (half_width, half_height), interpolation=cv2.INTER_AREA), np.uint8)
        smaller *= 2
    step = place.side / smaller / spec.size
    across, down = step * math.cos(math.radians(place.roll_deg)), step * math.sin(math.radians(place.roll_deg))
    # OpenCV counts from the middle of the first pixel
    x, y = (place.x - x0) / smaller - 0.5, (place.y - y0) / smaller - 0.5
    middle = (spec.size - 1) / 2
    chip_to_part = np.array(
        ((across, -down, x - middle * (across - down)), (down, across, y - middle * (down + across)))
    )
    chip = cv2.warpAffine(
        part,
        chip_to_part,
        (spec.size, spec.size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(chip, np.uint8).reshape(spec.size, spec.size, spec.channels)
