"""Sees to it that the program ends in time, however stuck its parts are."""

import faulthandler
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

END_S = 1.5
"""Of the two seconds that a stop may take. Workers, viewers and uploads usually need half a second."""
REPORT_S = 0.1
"""What saying why may take: who reads our stderr may be stuck as well."""
STDERR = 2


class Deadline:
    """Ends the process some time after `begin`, unless it has ended by itself before.

    The thread is there from the beginning: a signal handler must not start one.
    """

    def __init__(self, leave: Callable[[int], object] = os._exit, end_s: float = END_S) -> None:
        """Start the thread, which sleeps until `begin`.

        Args:
            leave: ends the process at once, with an exit code.
            end_s: after this.
        """
        self._leave = leave
        self._end_s = end_s
        self._begun: SimpleQueue[int] = SimpleQueue()
        threading.Thread(target=self._run, name="deadline", daemon=True).start()

    def begin(self, code: int) -> None:
        """From now on it counts; a signal handler may call this as well. The first call is the one that counts.

        Args:
            code: the exit code if it comes to that.
        """
        self._begun.put(code)  # the one kind of queue that a signal handler may use

    def _run(self) -> None:
        code = self._begun.get()
        time.sleep(self._end_s)
        report = threading.Thread(target=_report, name="report", daemon=True)
        report.start()
        report.join(REPORT_S)
        self._leave(code)


def _report() -> None:
    """Say where all threads are; not by way of `logging`: what is stuck may hold its lock."""
    with suppress(OSError):
        os.write(STDERR, b"emotion-edge: the program has not ended in time and is cut off; its threads were here:\n")
        faulthandler.dump_traceback(STDERR, all_threads=True)
