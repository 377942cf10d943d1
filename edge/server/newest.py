"""The bridge from the threads that fill a slot to the coroutines that serve clients."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

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
        self._waking = False
        self._readers = 0
        self._unsubscribe: Callable[[], None] | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Be a reader for as long as the context lasts; `newer` wakes up only inside."""
        if self._unsubscribe is None:
            self._unsubscribe = self._slot.subscribe(self._wake_soon(asyncio.get_running_loop()))
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1
            if self._readers == 0:
                self._unsubscribe()
                self._unsubscribe = None

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

    def _wake_soon(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        def listener() -> None:
            if self._waking:
                return
            self._waking = True
            # a put that was under way while the last reader left may find the loop closed
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake)

        return listener

    def _wake(self) -> None:
        self._waking = False
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
