"""Threads that need little: at the end of the program, when a device's memory may be all taken."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

STACK_BYTES = 512 * 1024
"""Of addresses, instead of the 8 MiB that Linux gives."""


@contextmanager
def small_stacks() -> Iterator[None]:
    """Threads that Python starts meanwhile have a small stack, and those of any library the usual one."""
    before = threading.stack_size(STACK_BYTES)
    try:
        yield
    finally:
        threading.stack_size(before)
