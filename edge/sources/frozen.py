"""Notices a camera that goes on delivering its last picture after it has died."""

import zlib
from collections.abc import Callable

from edge.errors import TemporaryError
from edge.ports import Clock
from edge.sources.newest import Device
from edge.types import PixelFormat, Pixels

_FLAT = 8
"""Difference between the brightest and the darkest sample below which a picture is called flat."""


_PATIENCE = 5
"""Pictures looked at before a camera is called frozen: a feeder that began anew may begin with the very same one."""

_frozen_on: dict[str, int] = {}
"""Fingerprint of the picture that a camera does not get away from, by its name."""


class FrozenWatch:
    """Counts how long a picture has stayed the same to the last bit.

    A sensor's noise changes every picture, so a picture that does not change is not from a sensor: drivers and loopback
    devices repeat their last one when the camera is gone. A covered lens may be perfectly black, so flat pictures do
    not count.

    Args:
        limit_s: how long a picture may stay the same; 0 for ever.
        name: of the camera. One that was frozen and is opened again with the same picture is frozen from the start,
            or it would be shown as live for `limit_s` each time.
    """

    def __init__(self, limit_s: float, name: str) -> None:
        self._limit_s = limit_s
        self._name = name
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
        if not flat and _frozen_on.get(self._name) == fingerprint:
            return True
        _frozen_on.pop(self._name, None)
        if flat or fingerprint != self._print:
            self._print, self._since_ns = fingerprint, now_ns
            return False
        if now_ns - self._since_ns <= self._limit_s * 1e9:
            return False
        _frozen_on[self._name] = fingerprint
        return True


class Watched:
    """A device whose frozen pictures are an error, as an `edge.sources.newest.Device`.

    Args:
        name: of the camera.
        device: owned from now on.
        limit_s: how long a picture may stay the same; 0 for ever.
        clock: the world's time.
        stuck: what to say then.
    """

    def __init__(self, name: str, device: Device, limit_s: float, clock: Clock, stuck: str) -> None:
        self._device = device
        self._watch = FrozenWatch(limit_s, name)
        self._clock = clock
        self._stuck = stuck

    def grab(self, wanted: Callable[[], bool]) -> tuple[Pixels, PixelFormat] | None:
        """See `Device`.

        Raises:
            TemporaryError: the device is gone, or repeats itself.
        """
        for _ in range(_PATIENCE):
            grabbed = self._device.grab(wanted)
            if grabbed is None or not self._watch.frozen(grabbed[0], self._clock()):
                return grabbed
        raise TemporaryError(self._stuck)

    def close(self) -> None:
        """See `Device`."""
        self._device.close()
