"""Who has to wait before another token is looked at. Pure: no sockets, no log, an injected clock."""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FREE_TRIES: Final = 5
"""Wrong tokens before the first wait: people mistype."""

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 300.0
FORGET_S: Final = 3600.0
"""An address that sent no wrong token for so long starts anew."""

REMEMBERED: Final = 4096
"""Addresses kept, of those that were wrong and of those that were right: well under a megabyte."""

TRIES_FOR_ALL: Final = 50.0
TRIES_FOR_ALL_PER_S: Final = 1 / 6
"""Wrong tokens that all strangers together may send: so many at once, and then ten a minute. Who has many addresses
gets no further with them, and the oldest entries may be forgotten without helping anybody."""

LOOPBACK: Final = "loopback"


@dataclass(frozen=True, slots=True)
class Wrong:
    """What one address did.

    Attributes:
        tries: wrong tokens.
        last_s: when the last one came.
        until_s: no other token is looked at before.
    """

    tries: int
    last_s: float
    until_s: float


class Lockout:
    """Counts wrong tokens. Used on the event loop's thread only."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._wrong: OrderedDict[str, Wrong] = OrderedDict()
        self._right: OrderedDict[str, None] = OrderedDict()
        self._left = TRIES_FOR_ALL
        self._left_at_s = clock_s()

    def wait_s(self, address: str | None) -> float:
        """Seconds until a token from this address is looked at; 0: it is now."""
        who, now_s = group(address), self._clock_s()
        found = self._wrong.get(who)
        own_s = 0.0 if found is None else max(0.0, found.until_s - now_s)
        if own_s > 0 or who == LOOPBACK or who in self._right:
            return own_s
        self._refill(now_s)
        return 0.0 if self._left >= 1 else (1 - self._left) / TRIES_FOR_ALL_PER_S

    def wrong(self, address: str | None) -> Wrong:
        """This address sent a wrong token."""
        who, now_s = group(address), self._clock_s()
        found = self._wrong.pop(who, None)
        tries = 1 if found is None or now_s - found.last_s >= FORGET_S else found.tries + 1
        late = tries - FREE_TRIES
        wait_s = 0.0 if late < 0 else min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(late, 32))
        self._wrong[who] = Wrong(tries, now_s, now_s + wait_s)
        if len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)
        if who != LOOPBACK:
            self._refill(now_s)
            self._left = max(0.0, self._left - 1)
        return self._wrong[who]

    def right(self, address: str | None) -> None:
        """This address sent the token: its mistakes are forgotten, and those of strangers no longer hold it up."""
        who = group(address)
        self._wrong.pop(who, None)
        self._right[who] = None
        self._right.move_to_end(who)
        if len(self._right) > REMEMBERED:
            self._right.popitem(last=False)

    def _refill(self, now_s: float) -> None:
        self._left = min(TRIES_FOR_ALL, self._left + (now_s - self._left_at_s) * TRIES_FOR_ALL_PER_S)
        self._left_at_s = now_s


def group(address: str | None) -> str:
    """What counts as one client: an IPv4 address, an IPv6 network of 64 bits (one subscriber), this machine."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return LOOPBACK if found.is_loopback else str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
        found = found.ipv4_mapped
    return LOOPBACK if found.is_loopback else str(found)


def in_words(wait_s: float) -> str:
    """A time to wait, for people."""
    seconds = max(1, math.ceil(wait_s))
    if seconds < 120:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{-(-seconds // 60)} minutes"
