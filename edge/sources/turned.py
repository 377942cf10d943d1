"""Puts the picture of a camera upright that hangs sideways or upside down, or mirrors it."""

from typing import Final

import cv2
import numpy as np

from edge.ports import FrameSource
from edge.types import Frame, PixelFormat, Pixels, planes_of

_STEPS: Final[dict[tuple[int, bool], tuple[bool, int | None]]] = {
    (90, False): (True, 1),
    (180, False): (False, -1),
    (270, False): (True, 0),
    (0, True): (False, 1),
    (90, True): (True, None),
    (180, True): (False, 0),
    (270, True): (True, -1),
}
"""By degrees clockwise and whether it is mirrored afterwards: whether to swap rows and columns, then OpenCV's code of
the flip (0: upside down, 1: left to right, -1: both)."""


def turned(source: FrameSource, rotate_deg: int, mirror: bool) -> FrameSource:
    """The source with its frames turned; the source itself if there is nothing to do.

    Args:
        source: owned from now on.
        rotate_deg: 0, 90, 180 or 270, clockwise as one sees it.
        mirror: whether left and right are swapped, once it is turned.
    """
    return TurnedSource(source, rotate_deg, mirror) if rotate_deg or mirror else source


class TurnedSource:
    """A `FrameSource` that turns the frames of another one, in their own format and without a copy more.

    Args:
        source: owned from now on.
        rotate_deg: 0, 90, 180 or 270, clockwise as one sees it.
        mirror: whether left and right are swapped, once it is turned.

    Attributes:
        name: that of the source, and what is done to it.
        live: as the source is.
    """

    def __init__(self, source: FrameSource, rotate_deg: int, mirror: bool) -> None:
        self._swap, self._flip = _STEPS[rotate_deg, mirror]
        done = [f"turned by {rotate_deg}°"] * (rotate_deg > 0) + ["mirrored"] * mirror
        self.name = ", ".join([source.name, *done])
        self.live = source.live
        self._source = source

    def read(self, timeout_s: float) -> Frame:
        """See `edge.ports.FrameSource`."""
        frame = self._source.read(timeout_s)
        height, width = (frame.width, frame.height) if self._swap else (frame.height, frame.width)
        if frame.format is PixelFormat.I420:
            pixels = np.empty((height * 3 // 2, width), np.uint8)
            for plane, target in zip(planes_of(frame.pixels), planes_of(pixels), strict=True):
                self._turn(plane, target)
        else:
            pixels = np.empty((height, width, *frame.pixels.shape[2:]), np.uint8)
            self._turn(frame.pixels, pixels)
        return Frame(frame.seq, frame.t_ns, pixels, frame.format, frame.spared)

    def hold(self) -> bool:
        """See `edge.ports.FrameSource`."""
        return self._source.hold()

    def close(self) -> None:
        """See `edge.ports.FrameSource`."""
        self._source.close()

    def _turn(self, picture: Pixels, target: Pixels) -> None:
        """Write one plane or picture, turned, to an array of the size it has then."""
        if self._swap:
            cv2.transpose(picture, dst=target)
            picture = target
        if self._flip is not None:
            cv2.flip(picture, self._flip, dst=target)
