"""A moment drawn into a picture, as black and white squares that survive JPEG, MPEG and whatever is drawn on it."""

import time

import cv2
import numpy as np

from edge.types import Pixels

BITS = 32
UNIT_NS = 100_000
"""Of what is drawn; 32 bits of it are five days."""

SQUARE_PX = 16
WIDTH_PX, HEIGHT_PX = 640, 480
CHECK = 0xA5A5A5A5
"""What the second row differs by from the first."""


def stamped(background: Pixels, t_ns: int) -> Pixels:
    """A copy of a picture, uint8 (480, 640, 3), with the moment in its two lowest rows of squares, twice."""
    picture = background.copy()
    code = t_ns // UNIT_NS % (1 << BITS)
    for row, word in enumerate((code, code ^ CHECK)):
        bits = np.array([word >> bit & 1 for bit in range(BITS)], np.uint8) * 255
        squares = np.kron(bits[np.newaxis], np.ones((SQUARE_PX, SQUARE_PX), np.uint8))
        top = HEIGHT_PX - (2 - row) * SQUARE_PX
        picture[top : top + SQUARE_PX, : BITS * SQUARE_PX] = squares[..., np.newaxis]
    return picture


def read(picture: Pixels, now_ns: int) -> int | None:
    """The moment in a picture, in ns on the clock that `now_ns` is from; None if it has none, or it cannot be read."""
    if picture.shape[:2] != (HEIGHT_PX, WIDTH_PX):
        return None
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
    words = []
    for row in range(2):
        top = HEIGHT_PX - (2 - row) * SQUARE_PX
        band = grey[top : top + SQUARE_PX, : BITS * SQUARE_PX].reshape(SQUARE_PX, BITS, SQUARE_PX)
        middle = band[4:-4, :, 4:-4].mean(axis=(0, 2))
        words.append(sum(1 << bit for bit in range(BITS) if middle[bit] > 127))
    if words[0] ^ words[1] != CHECK:
        return None
    span = 1 << BITS
    back = (now_ns // UNIT_NS - words[0]) % span
    return now_ns - back * UNIT_NS


def now_ns() -> int:
    """The clock that all processes of a machine share."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)
