"""`python -m benchmarks.soak.start CORE MIB COMMAND…`: become a command that has one core and so much memory.

A process of its own, since limits are set between fork and exec, where a program with threads may not run Python. CORE
and MIB may be `-` each: no limit.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
"""See prctl(2)."""


def become(core: int | None, memory_mib: int | None, command: Sequence[str]) -> None:
    """Bind this process to a core, limit its addresses, have it ended with its parent, and replace it.

    Args:
        core: number of the only one it may use.
        memory_mib: of addresses (`RLIMIT_AS`): all that is mapped, files and reserved memory too. More strict than a
            machine with as much memory, which counts what is used.
        command: the program, with its whole path, and its arguments.

    Raises:
        OSError: no such core, or no such program.
    """
    # whoever kills the runner must not have to look for what it has started
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if core is not None:
        os.sched_setaffinity(0, {core})
    if memory_mib is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory_mib << 20, memory_mib << 20))
    os.execv(command[0], list(command))


if __name__ == "__main__":
    given_core, given_mib, *given = sys.argv[1:]
    become(None if given_core == "-" else int(given_core), None if given_mib == "-" else int(given_mib), given)
