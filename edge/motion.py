"""Where a picture changes, at the price of a glance: what shows the same as before need not be searched."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Frame, PixelFormat

CELLS = 32
"""Along the longer side."""

SAMPLES = 2
"""Along the side of a cell: the mean of four has half a pixel's noise, and only one row in five is read at all."""

CHANGE = 12
"""Grey levels by which a cell has to differ: four deviations of what a webcam with noise of 4 levels makes of it. A
face that moves by a cell changes cells by 20 and more."""


class Motion:
    """Remembers for each cell of the frame when it changed last. Owned by one thread.

    A cell is compared with what it showed when it changed last, not with the frame before: what changes slowly adds up.
    """

    def __init__(self) -> None:
        self._shape = (0, 0)
        self._columns_rows = (0, 0)
        self._picked = (slice(0), slice(0))
        self._reference: NDArray[np.uint8] = np.empty((0, 0), np.uint8)
        self._changed: NDArray[np.int64] = np.empty((0, 0), np.int64)
        self._newest = 0

    def look(self, frame: Frame) -> None:
        """Take in the next frame."""
        shape = (frame.height, frame.width)
        if shape != self._shape:
            self._begin(shape)
            self._reference = self._thumbnail(frame)
            self._changed = np.full(self._reference.shape, frame.seq, np.int64)
            self._newest = frame.seq
            return
        now = self._thumbnail(frame)
        different = cv2.absdiff(now, self._reference) > CHANGE
        if np.count_nonzero(different):
            self._newest = frame.seq
            np.putmask(self._changed, different, frame.seq)
            np.putmask(self._reference, different, now)

    def since(self, seq: int, region: Box | None = None) -> bool:
        """Whether anything in that part of the frame (None: all of it) changed after frame `seq`."""
        if self._newest <= seq:
            return False
        if region is None:
            return True
        cells = self._cells(region)
        return bool(cells.size) and int(cells.max()) > seq

    def share(self, seq: int, region: Box) -> float:
        """Share of that part of the frame that changed after frame `seq`, 0..1."""
        if self._newest <= seq:
            return 0.0
        cells = self._cells(region)
        return np.count_nonzero(cells > seq) / cells.size if cells.size else 0.0

    def _cells(self, region: Box) -> NDArray[np.int64]:
        """A view of those that a part of the frame touches."""
        rows, columns = self._changed.shape
        top, left = max(int(region.y * rows), 0), max(int(region.x * columns), 0)
        bottom, right = math.ceil((region.y + region.h) * rows), math.ceil((region.x + region.w) * columns)
        return self._changed[top : max(bottom, top + 1), left : max(right, left + 1)]

    def _begin(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        # whole steps: strided reading is three times as fast as any resize; what is left at the borders is below 2 %
        step = max(1, round(max(shape) / (CELLS * SAMPLES)))
        rows, columns = (max(1, length // (step * SAMPLES)) for length in shape)
        self._columns_rows = columns, rows
        self._picked = _picked(shape[0], rows, step), _picked(shape[1], columns, step)

    def _thumbnail(self, frame: Frame) -> NDArray[np.uint8]:
        """uint8 (rows, columns) grey: few of the pixels, the same on every frame, averaged by cell."""
        # green has most of the luma, and reading it alone a third of the cost
        down, across = self._picked
        picked = frame.pixels[down, across, 1] if frame.format is PixelFormat.BGR else frame.luma[down, across]
        # by a whole factor, which OpenCV does at once
        cells: NDArray[np.uint8] = cv2.resize(picked, self._columns_rows, interpolation=cv2.INTER_AREA)
        return cells


def _picked(length: int, cells: int, step: int) -> slice:
    """The rows or columns of so many that are read: the samples of all cells, which lie in the middle."""
    first = max(0, (length - cells * step * SAMPLES) // 2) + step // 2
    return slice(first, first + cells * SAMPLES * step, step)
