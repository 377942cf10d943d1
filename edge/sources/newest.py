"""Reads a device that may block for ever on a thread of its own, and hands out the newest frame only."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from edge.demand import every
from edge.errors import EdgeError, NotDue, NotYet, PermanentError, TemporaryError
from edge.ports import Clock, Wanted
from edge.slot import LatestSlot
from edge.types import Frame, PixelFormat, Pixels
from edge.worker import outcome

_log = logging.getLogger(__name__)

CLOSE_S = 1.0
"""How long `close` waits for a native call to return before it leaves the thread behind."""

HUNG_NS = 30_000_000_000
"""A native call still under way so long after its source was closed will never return: OpenCV's take up to 10 s."""

MOST_LEFT_BEHIND = 3
"""More such threads than this are not made: each holds its device and memory."""

_left_behind: list[tuple[threading.Thread, int]] = []
"""With the time they were left."""

HUNG = "a native call of it has never returned and may still hold the device; only a restart of this program frees it"


class Device(Protocol):
    """A camera's library. Opened, used and closed by one thread."""

    def grab(self, wanted: Callable[[], bool]) -> tuple[Pixels, PixelFormat] | None:
        """Block until the next picture; the array belongs to the caller.

        Args:
            wanted: asked once it is there, before it is decoded or copied; the moment of that is the picture's time.

        Returns:
            None if it is not wanted.

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
        wanted: asked for each picture but the first.

    Raises:
        EdgeError: what `open_device` raised, or no picture came in time. That a device opens proves nothing. Neither
            temporary nor permanent where a native call has hung for good: only a new process gets rid of that.
    """

    live = True

    def __init__(
        self,
        name: str,
        open_device: Callable[[], Device],
        clock: Clock,
        open_timeout_s: float,
        advice: str,
        wanted: Wanted = every,
    ) -> None:
        self.name = name
        self._advice = advice
        self._clock = clock
        self._wanted = wanted
        self._spared = self._spared_told = 0
        self._slot: LatestSlot[Frame | Exception] = LatestSlot()
        self._seen = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(open_device,), name=f"grab {name}", daemon=True)
        if len(self._hung(0)) >= MOST_LEFT_BEHIND:
            raise EdgeError(f"{name} hangs again and again: {HUNG}")
        self._thread.start()
        try:
            first = self._newest(open_timeout_s)
        except EdgeError as error:
            self.close()
            if self._hung(HUNG_NS):  # and may hold the very device that cannot be opened
                raise EdgeError(f"{error}; {HUNG}") from error
            raise
        # the first read is to have this frame, or a newer one
        self._seen = 0
        self.name = f"{name} {first.width}×{first.height}"

    def read(self, timeout_s: float) -> Frame:
        """See `edge.ports.FrameSource`."""
        if self._stop.is_set():
            raise PermanentError(f"{self.name} is closed; open it again to read on")
        return self._newest(timeout_s)

    def hold(self) -> bool:
        """See `edge.ports.FrameSource`."""
        return False

    def close(self) -> None:
        """See `edge.ports.FrameSource`. Returns within about `CLOSE_S` even if the device hangs."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            _left_behind.append((self._thread, self._clock()))
            _log.warning("%s does not let go; it is left to a background thread", self.name)

    def _newest(self, timeout_s: float) -> Frame:
        newer = self._slot.wait_newer(self._seen, timeout_s)
        if newer is None:
            if self._slot.closed:
                raise TemporaryError(f"{self.name}: its reader has stopped; {self._advice}")
            spared, before = self._spared, self._spared_told
            if spared != before:
                self._spared_told = spared
                raise NotDue(f"{self.name}: pictures come, and none is wanted yet; wait longer")
            raise NotYet(f"{self.name}: no picture comes; {self._advice}")
        number, item = newer
        if isinstance(item, Exception):
            raise item
        self._seen = number
        return item

    def _run(self, open_device: Callable[[], Device]) -> None:
        failure = outcome(lambda: self._grab(open_device))
        if failure is not None:
            self._slot.put(failure)
        self._slot.close()

    def _grab(self, open_device: Callable[[], Device]) -> None:
        device = open_device()
        try:
            seq = t_ns = 0

            def wanted() -> bool:
                # now, before it is decoded: that time counts as the picture's age, and not against its rate
                nonlocal t_ns
                t_ns = self._clock()
                return seq == 0 or self._wanted(t_ns)

            while not self._stop.is_set():
                grabbed = device.grab(wanted)
                seq += 1
                if grabbed is None:
                    self._spared += 1
                    continue
                pixels, pixel_format = grabbed
                self._slot.put(Frame(seq, t_ns, pixels, pixel_format, self._spared))
        finally:
            device.close()

    def _hung(self, longer_than_ns: int) -> list[threading.Thread]:
        """Threads of earlier sources of this name whose native call has not returned for so long."""
        now_ns = self._clock()
        _left_behind[:] = [(thread, since_ns) for thread, since_ns in _left_behind if thread.is_alive()]
        return [
            thread
            for thread, since_ns in _left_behind
            if thread.name == self._thread.name and now_ns - since_ns >= longer_than_ns
        ]
