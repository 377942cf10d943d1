"""Blacks out regions of a camera's picture before anything else sees it, the analysis included."""

import math
from typing import Final

from edge.ports import FrameSource
from edge.types import Frame, PixelFormat, planes_of

Region = tuple[float, float, float, float]
"""x, y, width, height as shares of the picture, top left origin."""

COLOURLESS: Final = 128
"""Of the two colour planes of I420."""


def masked(source: FrameSource, regions: tuple[Region, ...]) -> FrameSource:
    """The source with regions of its frames blacked out; the source itself if there are none.

    Args:
        source: owned from now on.
        regions: of the picture as the source gives it, so after it was turned.
    """
    return MaskedSource(source, regions) if regions else source


class MaskedSource:
    """A `FrameSource` that blacks out regions of another one's frames, in their own format.

    Args:
        source: owned from now on.
        regions: of the picture as the source gives it.

    Attributes:
        name: that of the source.
        live: as the source is.
    """

    def __init__(self, source: FrameSource, regions: tuple[Region, ...]) -> None:
        self.name = source.name
        self.live = source.live
        self._source = source
        self._regions = regions

    def read(self, timeout_s: float) -> Frame:
        """See `edge.ports.FrameSource`."""
        return blacked_out(self._source.read(timeout_s), self._regions)

    def hold(self) -> bool:
        """See `edge.ports.FrameSource`."""
        return self._source.hold()

    def close(self) -> None:
        """See `edge.ports.FrameSource`."""
        self._source.close()


def blacked_out(frame: Frame, regions: tuple[Region, ...]) -> Frame:
    """The frame with black regions. What lies on a region's edge is blacked out too.

    Args:
        frame: is left as it is.
        regions: x, y, width, height as shares of the picture; what reaches beyond it is cut off.
    """
    # the source may show the same memory again, and published pixels are read-only
    pixels = frame.pixels.copy()
    halved = frame.format is PixelFormat.I420
    for x, y, w, h in regions:
        left, right = _outward(x, x + w, frame.width, halved)
        top, bottom = _outward(y, y + h, frame.height, halved)
        if halved:
            luma, *colours = planes_of(pixels)
            luma[top:bottom, left:right] = 0
            for plane in colours:
                plane[top // 2 : bottom // 2, left // 2 : right // 2] = COLOURLESS
        else:
            pixels[top:bottom, left:right] = 0
    return Frame(frame.seq, frame.t_ns, pixels, frame.format, frame.spared)


def _outward(start: float, end: float, size_px: int, even: bool) -> tuple[int, int]:
    """First pixel and the one after the last of all that lie in a span of shares, even in part, within the picture.

    `even`: also all whose colour, which four pixels share in I420, is in part from inside the span.
    """
    step = 2 if even else 1
    first = math.floor(start * size_px / step) * step
    after = math.ceil(end * size_px / step) * step
    return min(max(first, 0), size_px), min(max(after, 0), size_px)
