"""SIGHUP: the configuration is read again, unless it says that the terminal is gone, which ends the program."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from typing import Protocol

from edge.notify import Notifier
from edge.worker import outcome_of

log = logging.getLogger(__name__)

GONE_S = 0.1


class Reload(Protocol):
    """Reads the configuration again, off the event loop.

    Attributes:
        note: what a person has to do about the last time; empty: nothing.
    """

    note: str

    def __call__(self) -> None:
        """Take over what can be taken over; what cannot, and what is wrong, is logged."""


def heed_hang_ups(
    reload: Reload, stop: asyncio.Event, notifier: Notifier, renewed: Callable[[], None]
) -> asyncio.Task[None] | None:
    """From now on, take SIGHUP for what it means. Called on the event loop that runs.

    Args:
        reload: called by a thread of its own, never twice at once.
        stop: set when the terminal is gone that the program was started from.
        notifier: told when a reload begins, and when it is over.
        renewed: called on the event loop after each reload, for what else is read from files.

    Returns:
        What does so until it is cancelled; None where there is no such signal, or it is to be ignored (nohup(1)).
    """
    number = getattr(signal, "SIGHUP", None)
    if number is None or signal.getsignal(number) is signal.SIG_IGN:
        return None
    asked = asyncio.Event()
    in_terminal = _has_terminal()

    def decide() -> None:
        (stop if in_terminal and not _has_terminal() else asked).set()

    loop = asyncio.get_running_loop()
    # the signal may come a moment before the terminal is gone
    loop.add_signal_handler(number, lambda: loop.call_later(GONE_S if in_terminal else 0.0, decide))
    return asyncio.create_task(_keep_reloading(reload, asked, notifier, renewed))


async def _keep_reloading(
    reload: Reload, asked: asyncio.Event, notifier: Notifier, renewed: Callable[[], None]
) -> None:
    while True:
        await asked.wait()
        asked.clear()  # who asks from now on may have changed something more
        notifier.reloading()
        error = await outcome_of(asyncio.to_thread(reload))
        if isinstance(error, Exception):
            reload.note = f"the configuration was not reloaded: {type(error).__name__}: {error}"
            log.error("the configuration was not reloaded", exc_info=error, extra={"event": "config.refused"})
        renewed()
        notifier.ready()


def _has_terminal() -> bool:
    """Whether there is a terminal that the program was started from, and it is still open (tty(4))."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True
