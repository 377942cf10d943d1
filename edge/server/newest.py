"""The bridge from the threads that fill a slot to the coroutines that serve clients."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Generic, TypeVar

from edge.server.doorbell import Doorbell
from edge.slot import LatestSlot

T = TypeVar("T")


class Newest(Generic[T]):
    """Lets any number of coroutines of one event loop wait for a slot's newest item.

    Listens to the slot only while somebody reads, so an idle server sleeps. One wake-up of the loop serves all readers.
    """

    def __init__(self, slot: LatestSlot[T]) -> None:
        self._slot = slot
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False
        self._readers = 0
        self._leave: ExitStack | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Be a reader for as long as the context lasts; `newer` wakes up only inside."""
        if self._leave is None:
            self._leave = self._listen()
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1
            if self._readers == 0:
                self._leave.close()
                self._leave = None

    async def newer(self, seq: int) -> tuple[int, T] | None:
        """The newest item and its number once that is above `seq`; None when there will be none any more."""
        while not self._closed:
            found = self._slot.newer(seq)
            if found is not None:
                return found
            if self._slot.closed:
                break
            # what arrives in between wakes up: that is done by the loop, which does not run before this waits
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)
        return None

    def seq(self) -> int:
        """The number of the item that is there now; 0 before the first."""
        found = self._slot.newer(0)
        return 0 if found is None else found[0]

    def close(self) -> None:
        """Make all readers end: the server shuts down, though the slot may live on."""
        self._closed = True
        self._wake()

    def _listen(self) -> ExitStack:
        """Be woken by the slot until what is given is closed."""
        leave = ExitStack()
        doorbell = Doorbell(self._wake)
        leave.callback(doorbell.close)
        # a put that is under way while the last reader leaves may still ring
        leave.callback(self._slot.subscribe(doorbell.ring))
        return leave

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
