"""Runs `emotion-edge` as a user does, and reads what it says."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

START_S = 30.0


class Program:
    """A running `emotion-edge run`; `before` is Python that its process runs first, such as to break a part of it."""

    def __init__(self, *arguments: str, before: str = "", **environment: str) -> None:
        after = "import sys\nfrom edge.cli import main\nsys.exit(main())"
        start = ("-c", f"{before}\n{after}") if before else ("-m", "edge")
        self.process = subprocess.Popen(
            [sys.executable, *start, "run", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(line for line in iter(self.process.stderr.readline, ""))

    def url(self) -> str:
        """The address it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Open http"), (line, self.errors())
        return line.split()[1]

    def errors(self) -> str:
        """What it logged so far."""
        return "".join(self.log)

    def state(self, url: str) -> dict[str, Any]:
        """Its `/state`."""
        return dict(json.loads(get(f"{url}state")))

    def wait_for(self, url: str, what: str, **wanted: Any) -> dict[str, Any]:
        """Its `/state` once `what` (a dotted path) is as wanted: `equals=`, `above=` or `holds=`."""
        end_s = time.monotonic() + START_S
        while time.monotonic() < end_s:
            state = self.state(url)
            value: Any = state
            for key in what.split("."):
                value = value[key]
            if "equals" in wanted and value == wanted["equals"]:
                return state
            if ("above" in wanted and value > wanted["above"]) or ("holds" in wanted and wanted["holds"] in value):
                return state
            time.sleep(0.05)
        raise AssertionError(f"{what} is {value!r}, wanted {wanted}; log:\n{self.errors()}")

    def terminate(self) -> tuple[int, float]:
        """Exit code after SIGTERM, and the seconds it took."""
        start_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        return code, time.monotonic() - start_s

    def end(self, timeout_s: float = START_S) -> int:
        """Exit code once it ends by itself."""
        code = self.process.wait(timeout_s)
        self._reader.join(5)
        return code


@contextmanager
def running(*arguments: str, before: str = "", **environment: str) -> Iterator[Program]:
    """A program that is gone when the context is left."""
    program = Program(*arguments, before=before, **environment)
    try:
        yield program
    finally:
        program.process.kill()
        program.process.wait()
        program._reader.join(5)
        assert program.process.stdout is not None
        assert program.process.stderr is not None
        program.process.stdout.close()
        program.process.stderr.close()


def get(url: str, timeout_s: float = 10) -> bytes:
    """The body of a page."""
    with urllib.request.urlopen(url, timeout=timeout_s) as answer:
        return bytes(answer.read())


def status_of(url: str) -> int:
    """The HTTP status of a page."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def body_of(url: str) -> bytes:
    """The body of a page, whatever its status."""
    try:
        return get(url)
    except urllib.error.HTTPError as error:
        return bytes(error.read())
