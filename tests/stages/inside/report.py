"""One line for each check, for whoever reads a console."""

import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path

Check = Callable[[], str]
"""Returns what it found, in a few words.

Raises:
    AssertionError: that is not as it should be.
"""

OK, FAILED = "ok", "FAILED"


def go_through(checks: dict[str, Check]) -> int:
    """Make all checks, and print a line for each; returns how many failed."""
    failures = 0
    for name, check in checks.items():
        start_s = time.monotonic()
        try:
            word, found = OK, check()
        except Exception as error:  # noqa: BLE001 (the next check is made all the same)
            failures += 1
            word, found = FAILED, f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
        print(f"{word}: {name}: {found} [{time.monotonic() - start_s:.1f} s]", flush=True)
    print(f"{len(checks)} checks, {failures} failed", flush=True)
    return failures


def handles(pid: int | None = None) -> int:
    """Open files of a process, of this one by default."""
    return len(list(Path(f"/proc/{pid or 'self'}/fd").iterdir()))


def threads(pid: int | None = None) -> int:
    """Threads of a process."""
    return len(list(Path(f"/proc/{pid or 'self'}/task").iterdir()))


def resident_mb(pid: int | None = None) -> float:
    """Memory of a process."""
    pages = int(Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
