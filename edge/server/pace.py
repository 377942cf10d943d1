"""How often one client is given a picture: as often as it wishes, and as its share of the line allows."""

import asyncio
from collections.abc import Callable

from edge.variants import next_opening_ns

SAVED_S = 0.1
"""Of unused bandwidth that may be made up for: pictures come at their own moments, not at those they are due."""


class Pace:
    """Told of what was sent, it waits until there may be more.

    What it waits for is not the time to send what is there, but the time from which the next picture is wanted: one
    that came meanwhile would be late.
    """

    def __init__(self, interval_s: float, kbps: Callable[[], float], clock_ns: Callable[[], int]) -> None:
        """Args as named; `kbps`: kilobits per second, asked anew each time; 0: no limit. `clock_ns`: monotonic."""
        self._interval_ns = round(interval_s * 1e9)
        self._kbps = kbps
        self._clock_ns = clock_ns
        self._open_ns = 0
        self._paid_ns = 0.0

    def sent(self, size: int) -> None:
        """So many bytes have gone."""
        now_ns = self._clock_ns()
        if self._interval_ns:
            self._open_ns = next_opening_ns(self._open_ns, now_ns, self._interval_ns)
        kbps = self._kbps()
        if kbps:
            # 1 kbit/s is one bit a millisecond
            self._paid_ns = max(self._paid_ns, now_ns - SAVED_S * 1e9) + size * 8e6 / kbps
        else:
            self._paid_ns = 0.0

    async def bandwidth(self) -> bool:
        """Wait until what was sent is paid for; whether it took a wait."""
        return await self._until(self._paid_ns)

    async def interval(self) -> bool:
        """Wait until another picture is wanted; whether it took a wait."""
        return await self._until(self._open_ns)

    async def _until(self, moment_ns: float) -> bool:
        wait_s = (moment_ns - self._clock_ns()) / 1e9
        if wait_s <= 0:
            return False
        await asyncio.sleep(wait_s)
        return True
