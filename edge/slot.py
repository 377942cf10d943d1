"""A place for the newest item. There are no queues between the threads, so latency cannot grow."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds one item and its sequence number; `put` overwrites.

    Safe for any number of writers and readers. Each reader keeps the number it saw last and asks for something newer,
    so a slow reader skips to the newest item and never holds anybody up.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._seq = 0
        self._closed = False
        self._listeners: list[Callable[[], None]] = []

    def put(self, item: T) -> None:
        """Make `item` the newest, one number up, and wake all who wait. A gap in the numbers is what one missed."""
        with self._changed:
            self._item = item
            self._seq += 1
            self._changed.notify_all()
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def wait_newer(self, seq: int, timeout_s: float) -> tuple[int, T] | None:
        """The newest item and its number once that is above `seq`; None after `timeout_s` or when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._seq > seq or self._closed, timeout_s)
            return self._newer(seq)

    def newer(self, seq: int) -> tuple[int, T] | None:
        """As `wait_newer`, without waiting."""
        with self._changed:
            return self._newer(seq)

    def _newer(self, seq: int) -> tuple[int, T] | None:
        if self._item is None or self._seq <= seq:
            return None
        return self._seq, self._item

    @property
    def closed(self) -> bool:
        """Whether nothing will come any more."""
        with self._changed:
            return self._closed

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each `put` and on `close`, on that caller's thread: it must only set a flag.

        Returns:
            A function that ends the subscription.
        """
        with self._changed:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._changed:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def close(self) -> None:
        """Wake all who wait, for the last time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()
