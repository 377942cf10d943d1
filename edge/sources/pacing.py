"""Keeps files, pictures and the demo in real time: what comes late is skipped, never queued."""

import math
from collections.abc import Callable

from edge.errors import NotDue
from edge.ports import Clock

Sleep = Callable[[float], None]
"""Waits for that many seconds: `time.sleep` in production."""


class Pacer:
    """Says which picture of an evenly spaced sequence is due.

    Args:
        fps: pictures per second.
        clock: the world's time.
        sleep: how to wait.
        forgive_s: whoever is later than this goes on from where it was. A device that decodes more slowly than the
            film runs would otherwise skip ever more, and one that was suspended would skip the whole film.
    """

    def __init__(self, fps: float, clock: Clock, sleep: Sleep, forgive_s: float = 1.0) -> None:
        self._fps = fps
        self._clock = clock
        self._sleep = sleep
        self._forgive_s = forgive_s
        self._start_ns: int | None = None
        self._next = 0

    def hold(self) -> None:
        """Let the time until the next `wait` not count: the picture that is next now is due then."""
        self._start_ns = None

    def wait(self, timeout_s: float) -> int:
        """Wait for the next picture that is due.

        Returns:
            Its index from 0; a gap to the one before is to be skipped.

        Raises:
            NotDue: it is not due within `timeout_s`.
        """
        now_ns = self._clock()
        if self._start_ns is None:
            self._start_ns = now_ns - round(self._next / self._fps * 1e9)
        late_s = (now_ns - self._start_ns) / 1e9 - self._next / self._fps
        if late_s > self._forgive_s:
            self._start_ns += round(late_s * 1e9)
        elif late_s >= 0:
            # a billionth of a picture absorbs rounding, so that a picture is never shown twice or half a period late
            self._next += math.floor(late_s * self._fps + 1e-9)
        elif -late_s <= timeout_s:
            self._sleep(-late_s)
        else:
            self._sleep(max(timeout_s, 0.0))
            raise NotDue(
                f"no picture is due within {timeout_s:.2f} s: at {self._fps:g} pictures per second the next comes in "
                f"{-late_s - timeout_s:.2f} s; wait longer or ask for more pictures per second"
            )
        self._next += 1
        return self._next - 1
