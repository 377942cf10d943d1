"""Who is watching. The encoder sleeps while nobody does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Audience:
    """Counts the viewers of the picture; the presenter waits for the first one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Be a viewer for as long as the context lasts."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1

    @property
    def count(self) -> int:
        """Viewers at this moment."""
        return self._count

    def wait(self, timeout_s: float) -> bool:
        """Whether anybody watches, after waiting up to `timeout_s` for the first."""
        if self._count:
            return True
        with self._changed:
            return self._changed.wait_for(lambda: self._count > 0, timeout_s)
