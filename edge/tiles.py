"""Overlapping parts of the frame that are searched one at a time, at a larger scale than the whole frame is."""

import math

from edge.types import Box

NEAR_FACE_PX = 12
"""Width of the smallest face that the near network still finds, in pixels of its input: in tiles of 256 px, 24 of the
frame's. On photos it found twice as many faces of 20 to 40 px there as in tiles of 384 px, and a seventh more of larger
ones."""

NEAR_INPUT_PX = 128
WIDE_INPUT_PX = 192
WIDE_FACE_PX = 10
"""The same of the network that searches the whole frame."""

OVERLAP = 0.25
"""Least share of a tile's side that the next one covers too: a face of a quarter of a tile is whole in one of them."""

SLACK = 1.1
"""Tiles may be so many times larger than they need to be if fewer of them will do then."""

MOST = 12
"""Tiles of a frame. More would take too long to go round: larger ones are used instead."""


def tiles(width_px: int, height_px: int, min_face_px: int) -> tuple[Box, ...]:
    """The tiles of a frame; none where the whole frame at once shows the smallest face wanted.

    Args:
        width_px: of the frame.
        height_px: of the frame.
        min_face_px: width of the smallest face wanted, in pixels of the frame; 0: as small as `MOST` tiles allow.
    """
    longer = max(width_px, height_px)
    side = max(min_face_px * NEAR_INPUT_PX // NEAR_FACE_PX, NEAR_INPUT_PX)
    if min_face_px * WIDE_INPUT_PX >= WIDE_FACE_PX * longer or side * 3 >= longer * 2:
        return ()
    sides = range(side, math.ceil(side * SLACK) + 1)
    side = min(sides, key=lambda side: (_count(width_px, side) * _count(height_px, side), side))
    while _count(width_px, side) * _count(height_px, side) > MOST:
        side = math.ceil(side * 1.02)
    return tuple(
        Box(x / width_px, y / height_px, min(side, width_px) / width_px, min(side, height_px) / height_px)
        for y in _starts(height_px, side)
        for x in _starts(width_px, side)
    )


def _count(length: int, side: int) -> int:
    """Tiles in a row that cover a length."""
    return 1 if side >= length else math.ceil((length - side) / (side * (1 - OVERLAP))) + 1


def _starts(length: int, side: int) -> list[float]:
    """Where those begin, evenly spread."""
    count = _count(length, side)
    return [0.0] if count == 1 else [index * (length - side) / (count - 1) for index in range(count)]
