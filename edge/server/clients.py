"""Who is served now: figures for `/state` and metrics. Of a person nothing but the address is known, and not kept."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge.status import ClientStatus

WINDOW_S = 2.0
"""Rates are those of the last one to two windows."""

KINDS = ("stream", "events", "push")

Mark = tuple[float, int, int]
"""A moment in seconds, and the items and bytes taken until then."""


class Client:
    """One client's figures. Told of each item; so it only counts."""

    def __init__(self, kind: str, address: str, options: str, clock_s: Callable[[], float]) -> None:
        """Args as of `ClientStatus`; `clock_s`: monotonic seconds."""
        self.kind = kind
        self.skipped = 0
        self.taken_bytes = 0
        self._address = address
        self._options = options
        self._clock_s = clock_s
        self._items = 0
        self._since_s = clock_s()
        self._older: Mark = (self._since_s, 0, 0)
        self._newer: Mark = self._older

    def took(self, size: int) -> None:
        """The kernel has taken an item of so many bytes for it, or it has sent one."""
        self._items += 1
        self.taken_bytes += size
        self._turn()

    def status(self) -> ClientStatus:
        """The figures of now."""
        now_s = self._turn()
        began_s, items, taken_bytes = self._older
        # shorter than that, one item more or less would be a rate of its own
        span_s = max(now_s - began_s, 0.5)
        return ClientStatus(
            kind=self.kind,
            address=self._address,
            since_s=round(now_s - self._since_s, 1),
            fps=round((self._items - items) / span_s, 1),
            kbps=round((self.taken_bytes - taken_bytes) * 8 / 1000 / span_s, 1),
            skipped=self.skipped,
            options=self._options,
        )

    def _turn(self) -> float:
        now_s = self._clock_s()
        if now_s - self._newer[0] >= WINDOW_S:
            self._older, self._newer = self._newer, (now_s, self._items, self.taken_bytes)
        return now_s


class Clients:
    """All that are served now. Used on the event loop's thread only, but for `status`."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._present: tuple[Client, ...] = ()
        self._gone_bytes = 0

    @contextmanager
    def served(self, kind: str, address: str | None, options: str = "") -> Iterator[Client]:
        """Be one of them for as long as the context lasts.

        Args:
            kind: one of `KINDS`.
            address: from where; None: unknown.
            options: what was asked for.
        """
        client = Client(kind, address or "unknown", options, self._clock_s)
        self._present = (*self._present, client)
        try:
            yield client
        finally:
            self._present = tuple(one for one in self._present if one is not client)
            self._gone_bytes += _given(client)

    def status(self) -> tuple[ClientStatus, ...]:
        """One entry a client, in the order in which they came."""
        return tuple(client.status() for client in self._present)

    def count(self) -> dict[str, int]:
        """How many of each kind."""
        found = Counter(client.kind for client in self._present)
        return {kind: found[kind] for kind in KINDS}

    @property
    def any(self) -> bool:
        """Whether there are any; any thread may ask."""
        return bool(self._present)

    @property
    def sent_bytes(self) -> int:
        """By all, since the start."""
        return self._gone_bytes + sum(map(_given, self._present))


def _given(client: Client) -> int:
    """Bytes it was sent."""
    return 0 if client.kind == "push" else client.taken_bytes
