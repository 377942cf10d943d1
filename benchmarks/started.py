"""Programs that are started to be measured: a process of their own, their address, their processor time."""

import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from edge.errors import PermanentError

TIMEOUT_S = 20.0
LINES = 20
"""Of what it logs that are kept, to say why it did not start."""
NOTHING: Mapping[str, str] = MappingProxyType({})


class Started:
    """A process that runs. What it logs is read away: a full pipe would stop it.

    Attributes:
        process: itself; its standard output is for whoever started it.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        # the process's clock as Linux names it: see clock_getcpuclockid(3)
        self._clock = ~process.pid << 3 | 2
        self._said: deque[str] = deque(maxlen=LINES)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def url(self) -> str:
        """The URL it prints.

        Raises:
            PermanentError: it ended instead.
        """
        words = self.process.stdout.readline().split() if self.process.stdout else []
        url = next((word for word in words if word.startswith("http")), None)
        if url is None:
            raise self.ended()
        return url

    def cpu_s(self) -> float:
        """Processor time of all its threads so far, on Linux."""
        return time.clock_gettime(self._clock)

    def ended(self) -> PermanentError:
        """Why it did not start, by the last line it logged."""
        self.process.kill()
        self._reader.join(TIMEOUT_S)
        said = self._said[-1] if self._said else "it said nothing"
        return PermanentError(f"the program to be measured did not start: {said}")

    def stop(self) -> None:
        """End it, and kill it if it does not."""
        self.process.terminate()
        try:
            self.process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(TIMEOUT_S)

    def _read(self) -> None:
        for line in self.process.stderr or ():
            if line.strip():
                self._said.append(line.strip())


@contextmanager
def started(command: Sequence[str], environment: Mapping[str, str] = NOTHING) -> Iterator[Started]:
    """A program that runs as long as this is open.

    Args:
        command: with its arguments.
        environment: what is different from this process's.
    """
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    ) as process:
        program = Started(process)
        try:
            yield program
        finally:
            program.stop()
