"""Whether the clock is right, as far as a machine can know by itself."""

import ctypes
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import edge
from edge.doctor.findings import Finding
from edge.doctor.world import World

SLACK_S: Final = 86_400.0
"""A file's time may be of another time zone's clock."""
_TIME_ERROR: Final = 5
"""Of adjtimex(2): the clock is not synchronised."""
_TIMEX_BYTES: Final = 256
"""`struct timex` has 208; all zeros only ask."""


def check(
    world: World,
    now_s: Callable[[], float] = time.time,
    synchronised: Callable[[], bool | None] | None = None,
    installed_s: float | None = None,
) -> Iterator[Finding]:
    """Against the day the program was installed, and by what the kernel was told.

    Args:
        world: what to look at.
        now_s: seconds since 1970.
        synchronised: None where the system does not tell.
        installed_s: when the program came here, likewise; None: by its files.
    """
    since_s = Path(edge.__file__).stat().st_mtime if installed_s is None else installed_s
    now = now_s()
    day = f"it is {_day(now)} here"
    if now < since_s - SLACK_S:
        yield world.finding("clock-behind", f"{day}, and the program is of {_day(since_s)}")
    elif (synchronised or kernel_says)() is False:
        yield world.finding("clock-unsynchronised", f"{day}; the kernel's clock is not synchronised")
    else:
        yield world.finding("clock-ok", day)


def kernel_says() -> bool | None:
    """Whether a time server keeps the clock: what timesyncd, chrony and ntpd tell the kernel."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else bool(state != _TIME_ERROR)


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
