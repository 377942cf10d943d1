"""Catches what native libraries write to stderr, so that a JSON log stays JSON and the words can be used."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2


@contextmanager
def native_stderr() -> Iterator[list[str]]:
    """Within the context, everything written to file descriptor 2 is kept; the lines are there after it.

    Meant for start-up: another thread's log lines would be caught as well.
    """
    lines: list[str] = []
    try:
        original = os.dup(STDERR)
    except OSError:  # no stderr at all: nothing to catch
        yield lines
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), STDERR)
        try:
            yield lines
        finally:
            os.dup2(original, STDERR)
            os.close(original)
            caught.seek(0)
            lines += caught.read().decode(errors="replace").splitlines()
