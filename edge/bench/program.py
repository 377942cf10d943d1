"""The whole program as people use it: its own process, and the default settings whatever this machine's are."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import msgspec

import edge
from edge.config import ENVIRONMENT_PREFIX
from edge.config_layers import CONFIG_VARIABLE
from edge.errors import PermanentError
from edge.model_store import DIRECTORY_VARIABLE
from edge.status import Status

TIMEOUT_S = 10.0
START_TIMEOUT_S = 60.0
"""For slow cards: a Pi Zero takes a third of that."""
RUN = (sys.executable, "-P", "-m", "edge", "run")


def require_linux(what: str) -> None:
    """Processes are stopped and timed as Linux does it.

    Raises:
        PermanentError: this is another system.
    """
    if not sys.platform.startswith("linux"):
        raise PermanentError(f"{what} is measured on Linux only, not on {sys.platform}")


def environment() -> dict[str, str]:
    """Ours without this machine's settings, and with the very package that measures."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(ENVIRONMENT_PREFIX) or k == DIRECTORY_VARIABLE}
    package = str(Path(edge.__file__).parents[1])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return plain | {CONFIG_VARIABLE: os.devnull, "PYTHONPATH": os.pathsep.join(paths)}


class Program:
    """A running program.

    Attributes:
        port: it listens on, on this machine.
    """

    def __init__(self, source: str) -> None:
        """`source`: what it watches, as a URI."""
        self._command = [*RUN, "--port", "0", "--source", source]
        self.port = 0

    def __enter__(self) -> "Program":
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        )
        # the process's clock as Linux names it: see clock_getcpuclockid(3)
        self._clock = ~self._process.pid << 3 | 2
        try:
            self._url = url_of(self._process)
        except BaseException:
            self._process.kill()
            self._process.communicate()
            raise
        self.port = urlsplit(self._url).port or 80
        # its log must not fill the pipe
        threading.Thread(target=partial(_drain, self._process.stderr), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    def cpu_s(self) -> float:
        """Processor time of all its threads so far."""
        return time.clock_gettime(self._clock)

    def halt(self) -> None:
        """Let it do nothing at all."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def status(self) -> Status:
        """What it says of itself."""
        with urllib.request.urlopen(f"{self._url}state", timeout=TIMEOUT_S) as answer:
            return msgspec.json.decode(answer.read(), type=Status)

    def setting(self, section: str, key: str) -> Any:
        """The value of a setting."""
        with urllib.request.urlopen(f"{self._url}api/v1/config", timeout=TIMEOUT_S) as answer:
            return json.load(answer)["config"][section][key]

    def set(self, section: str, key: str, value: Any) -> None:
        """Change a setting that may be changed while it runs."""
        body = json.dumps({section: {key: value}}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}api/v1/config", body, headers, method="PATCH")
        urllib.request.urlopen(request, timeout=TIMEOUT_S).close()

    def memory_mib(self) -> tuple[float, float]:
        """Resident memory now, and the most it has been."""
        return resident_mib(Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii", errors="replace"))


def resident_mib(status: str) -> tuple[float, float]:
    """VmRSS and VmHWM, from Linux's /proc/PID/status."""
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    now_mib, most_mib = (int(fields[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
    return now_mib, most_mib


def url_of(process: subprocess.Popen[str]) -> str:
    """The URL a program that was just started prints.

    Raises:
        PermanentError: it ended instead.
    """
    out: IO[str] | None = process.stdout
    words = out.readline().split() if out else []
    url = next((word for word in words if word.startswith("http")), None)
    if url is None:
        said = process.communicate(timeout=TIMEOUT_S)[1].strip().splitlines()
        raise PermanentError(f"the program to be measured did not start: {said[-1] if said else 'it said nothing'}")
    return url


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for the film that is shown, which is deleted in the end."""
    return tempfile.TemporaryDirectory(prefix="emotion-edge-bench-")


def _drain(stream: IO[str] | None) -> None:
    if stream:
        with stream:
            for _ in stream:
                pass
