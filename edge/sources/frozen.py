"""Notices a camera that goes on delivering its last picture after it has died."""

import zlib

from edge.types import Pixels

_FLAT = 8
"""Difference between the brightest and the darkest sample below which a picture is called flat."""


class FrozenWatch:
    """Counts how long a picture has stayed the same to the last bit.

    A sensor's noise changes every picture, so a picture that does not change is not from a sensor: drivers and loopback
    devices repeat their last one when the camera is gone. A covered lens may be perfectly black, so flat pictures do
    not count.

    Args:
        limit_s: how long a picture may stay the same; 0 for ever.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._print = -1
        self._since_ns = 0

    def frozen(self, pixels: Pixels, now_ns: int) -> bool:
        """Whether `pixels` (uint8, any shape), seen at `now_ns`, have been the same for longer than allowed."""
        if self._limit_s == 0:
            return False
        # every eighth row: noise is everywhere, and this costs a twentieth of a millisecond
        sample = pixels[::8]
        flat = int(sample.max()) - int(sample.min()) < _FLAT
        fingerprint = zlib.crc32(sample.tobytes())
        if flat or fingerprint != self._print:
            self._print, self._since_ns = fingerprint, now_ns
            return False
        return now_ns - self._since_ns > self._limit_s * 1e9
