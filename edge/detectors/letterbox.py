"""Fits a frame into a network's square input without distorting it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.contract.native import small_rgb
from edge.types import Frame


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a picture lies inside a square input; all in shares of the input's side.

    Attributes:
        x: left edge.
        y: top edge.
        w: width.
        h: height.
    """

    x: float
    y: float
    w: float
    h: float

    def to_frame(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (..., 2) from shares of the input to shares of the frame."""
        corner = np.array([self.x, self.y], dtype=np.float32)
        size = np.array([self.w, self.h], dtype=np.float32)
        return (points - corner) / size


def letterbox_into(frame: Frame, target: NDArray[np.float32]) -> Letterbox:
    """Fill a network's input with a frame: RGB, [-1, 1], centred, the rest black (-1).

    Args:
        frame: in any format.
        target: float32 (S, S, 3), written to.

    Returns:
        Where the picture lies in the input.
    """
    size = target.shape[0]
    height, width = frame.height, frame.width
    scale = size / max(height, width)
    w_px, h_px = max(1, round(width * scale)), max(1, round(height * scale))
    x_px, y_px = (size - w_px) // 2, (size - h_px) // 2
    rgb = small_rgb(frame, w_px, h_px)
    if w_px < size or h_px < size:
        target.fill(-1.0)
    inside = target[y_px : y_px + h_px, x_px : x_px + w_px]
    np.multiply(rgb, np.float32(1 / 127.5), out=inside)
    np.subtract(inside, np.float32(1), out=inside)
    return Letterbox(x_px / size, y_px / size, w_px / size, h_px / size)
