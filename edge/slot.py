"""A place for the newest item. There are no queues between the threads, so latency cannot grow."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds one item and its sequence number; `put` overwrites.

    Safe for any number of writers and readers. Each reader keeps the number it saw last and asks for something newer,
    so a slow reader skips to the newest item and never holds anybody up.

    Whoever waits sleeps on a plain lock of its own: on a processor that idles between frames, `threading.Condition`
    costs several times as much.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # replaced as a whole, so that it can be read without the lock
        self._newest: tuple[int, T | None] = (0, None)
        self._closed = False
        self._waiters: list[threading.Lock] = []
        self._listeners: tuple[Callable[[], None], ...] = ()

    def put(self, item: T) -> None:
        """Make `item` the newest, one number up, and wake all who wait. A gap in the numbers is what one missed.

        The last thing a worker does with a frame: whoever is woken needs the interpreter for itself.
        """
        with self._lock:
            self._newest = (self._newest[0] + 1, item)
            waiters, self._waiters = self._waiters, []
        self._wake(waiters)

    def wait_newer(self, seq: int, timeout_s: float) -> tuple[int, T] | None:
        """The newest item and its number once that is above `seq`; None after `timeout_s` or when closed."""
        with self._lock:
            if self._newest[0] > seq or self._closed:
                return self.newer(seq)
            waiter = threading.Lock()
            waiter.acquire()
            self._waiters.append(waiter)
        if not waiter.acquire(timeout=max(0.0, timeout_s)):
            with self._lock:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        return self.newer(seq)

    def newer(self, seq: int) -> tuple[int, T] | None:
        """As `wait_newer`, without waiting."""
        number, item = self._newest
        return None if item is None or number <= seq else (number, item)

    @property
    def closed(self) -> bool:
        """Whether nothing will come any more."""
        return self._closed

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each `put` and on `close`, on that caller's thread: it must only set a flag.

        Returns:
            A function that ends the subscription.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return unsubscribe

    def close(self) -> None:
        """Wake all who wait, for the last time."""
        with self._lock:
            self._closed = True
            waiters, self._waiters = self._waiters, []
        self._wake(waiters)

    def _wake(self, waiters: list[threading.Lock]) -> None:
        for waiter in waiters:
            waiter.release()
        for listener in self._listeners:
            listener()
