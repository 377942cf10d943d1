"""Reads a device that may block for ever on a thread of its own, and hands out the newest frame only."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from edge.errors import EdgeError, PermanentError, TemporaryError
from edge.ports import Clock
from edge.slot import LatestSlot
from edge.types import Frame, PixelFormat, Pixels

_log = logging.getLogger(__name__)

CLOSE_S = 1.0
"""How long `close` waits for a native call to return before it leaves the thread behind."""


class Device(Protocol):
    """A camera's library. Opened, used and closed by one thread."""

    def grab(self) -> tuple[Pixels, PixelFormat]:
        """Block until the next picture; the array belongs to the caller.

        Raises:
            TemporaryError: the device is gone.
        """

    def close(self) -> None:
        """Give the device back."""


class NewestFrame:
    """A live source on top of a `Device`.

    Native reads cannot be interrupted: OpenCV waits ten seconds for a camera that was unplugged, picamera2 for ever. So
    a daemon thread opens, reads and closes the device; `read` and `close` only wait for it, and not longer than they
    may. Pictures nobody asked for in time are overwritten, and show as gaps in `seq`.

    Args:
        name: for people; the size of the picture is appended.
        open_device: opens the device, on the thread.
        clock: stamps the frames.
        open_timeout_s: how long the first picture may take.
        advice: what to do if none comes.

    Raises:
        EdgeError: what `open_device` raised, or no picture came in time. That a device opens proves nothing.
    """

    live = True

    def __init__(
        self, name: str, open_device: Callable[[], Device], clock: Clock, open_timeout_s: float, advice: str
    ) -> None:
        self.name = name
        self._advice = advice
        self._clock = clock
        self._slot: LatestSlot[Frame | EdgeError] = LatestSlot()
        self._seen = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(open_device,), name=f"grab {name}", daemon=True)
        self._thread.start()
        try:
            first = self._newest(open_timeout_s)
        except EdgeError:
            self.close()
            raise
        # the first read is to have this frame, or a newer one
        self._seen = 0
        self.name = f"{name} {first.width}×{first.height}"

    def read(self, timeout_s: float) -> Frame:
        """See `edge.ports.FrameSource`."""
        if self._stop.is_set():
            raise PermanentError(f"{self.name} is closed; open it again to read on")
        return self._newest(timeout_s)

    def close(self) -> None:
        """See `edge.ports.FrameSource`. Returns within about `CLOSE_S` even if the device hangs."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            _log.warning("%s does not let go; it is left to a background thread", self.name)

    def _newest(self, timeout_s: float) -> Frame:
        newer = self._slot.wait_newer(self._seen, timeout_s)
        if newer is None:
            found = "its reader has stopped" if self._slot.closed else f"no picture came within {timeout_s:.1f} s"
            raise TemporaryError(f"{self.name}: {found}; {self._advice}")
        number, item = newer
        if isinstance(item, EdgeError):
            raise item
        self._seen = number
        return item

    def _run(self, open_device: Callable[[], Device]) -> None:
        try:
            device = open_device()
            try:
                seq = 0
                while not self._stop.is_set():
                    pixels, pixel_format = device.grab()
                    seq += 1
                    self._slot.put(Frame(seq, self._clock(), pixels, pixel_format))
            finally:
                device.close()
        except EdgeError as error:
            self._slot.put(error)
        finally:
            self._slot.close()
