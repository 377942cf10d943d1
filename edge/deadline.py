"""Sees to it that the program ends in time, however stuck its parts are."""

import _thread
import faulthandler
import os
import time
from collections.abc import Callable
from contextlib import suppress

from edge.small_stack import small_stacks

END_S = 1.5
"""Of the two seconds that a stop may take. Workers, viewers and uploads usually need half a second."""
REPORT_S = 0.1
"""What saying why may take: who reads our stderr may be stuck as well."""
STDERR = 2


class Deadline:
    """Ends the process some time after `begin`, unless it has ended by itself before."""

    def __init__(self, leave: Callable[[int], object] = os._exit, end_s: float = END_S) -> None:
        """Nothing happens until `begin`.

        Args:
            leave: ends the process at once, with an exit code.
            end_s: after this.
        """
        self._leave = leave
        self._end_s = end_s
        self._begun = False

    def begin(self, code: int) -> None:
        """From now on it counts; the first call is the one that counts. For the main thread and its signal handlers.

        Args:
            code: the exit code if it comes to that.
        """
        if self._begun:
            return
        self._begun = True
        # `threading` takes locks that the interrupted code may hold; and a thread that only waits for this from the
        # start would cost 8 MiB of addresses and an arena of malloc's
        with small_stacks():
            _thread.start_new_thread(self._run, (code,))

    def _run(self, code: int) -> None:
        time.sleep(self._end_s)
        told = _thread.allocate_lock()
        told.acquire()
        with small_stacks():
            _thread.start_new_thread(_report, (told.release,))
        told.acquire(timeout=REPORT_S)
        self._leave(code)


def _report(told: Callable[[], None]) -> None:
    """Say where all threads are, then that it is said; not by way of `logging`: what is stuck may hold its lock."""
    with suppress(OSError):
        os.write(STDERR, b"emotion-edge: the program has not ended in time and is cut off; its threads were here:\n")
        faulthandler.dump_traceback(STDERR, all_threads=True)
    told()
