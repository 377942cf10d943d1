"""The installed service, as its owner meets it: with systemctl, journalctl and a browser's requests.

For the throw-away systemd of `tests.e2e.throwaway_systemd` as for the virtual machine of `tests.stages`.
"""

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.ran import printed

UNIT = "emotion-edge.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
DROP_INS = f"/run/systemd/system/{UNIT}.d"
HOME = "/opt/emotion-edge"
PYTHON = f"{HOME}/venv/bin/python"
CONFIG = "/etc/emotion-edge/config.toml"
TOKEN_FILE = "/etc/emotion-edge/token"
TOKEN = "kO3v-a-token-for-tests-x9Qm_"
STATE = "/var/lib/emotion-edge"
EVENTS = f"{STATE}/events.jsonl"
PORT = 8080
MAKE_USER = (
    f"useradd --system --user-group --no-create-home --home-dir {STATE} --shell /usr/sbin/nologin --groups video "
    "emotion-edge"
)
WATCH_DEMO = f'[source]\nuri = "demo"\n[events]\npath = "{EVENTS}"\nflush_s = 0.2\n'

NOT_LOADED = 5
"""What systemctl(1) ends with for a unit that there is not, or that systemd refuses."""
PATIENCE_S = 60.0


class Machine(Protocol):
    """Where a systemd runs that has the service."""

    def run(
        self, *command: str | Path, check: bool = True, timeout_s: float = 60.0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command there as root; AssertionError if it fails, unless `check` is False."""

    def text(self, *command: str | Path, check: bool = True) -> str:
        """What a command prints there, on both channels."""

    def write(self, path: str, text: str) -> None:
        """Write a file there, with its folders."""

    def network(self) -> AbstractContextManager[None]:
        """Within, what this thread connects to or listens on is there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said to a request."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)


class Service:
    """The unit on a machine. Of its log, only what came since this was made is looked at."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._begin = self._cursor()

    def configure(self, text: str = WATCH_DEMO) -> None:
        """Write the configuration, as the installer would."""
        self.machine.write(CONFIG, text)
        self.machine.run("sh", "-c", f"chown root:emotion-edge {CONFIG} && chmod 640 {CONFIG}")

    def start(self) -> float:
        """Start it; returns the seconds systemd saw from the start of the process to READY.

        Raises:
            AssertionError: it does not start; the message holds its log.
        """
        begun = self.machine.run("systemctl", "start", UNIT, check=False, timeout_s=200)
        assert begun.returncode == 0, self.journal()
        found = self.properties()
        return (int(found["ActiveEnterTimestampMonotonic"]) - int(found["ExecMainStartTimestampMonotonic"])) / 1e6

    def stop(self) -> float:
        """Stop it; returns the seconds `systemctl stop` took."""
        start_s = time.monotonic()
        self.machine.run("systemctl", "stop", UNIT)
        return time.monotonic() - start_s

    def end(self) -> None:
        """Stop it, and let systemd forget its failures."""
        stopped = self.machine.run("systemctl", "stop", UNIT, check=False)
        assert stopped.returncode in (0, NOT_LOADED), printed(stopped)
        self.machine.run("systemctl", "reset-failed", UNIT, check=False)

    def clear(self) -> None:
        """End it, and remove its configuration and what it wrote."""
        self.end()
        self.machine.run("sh", "-c", f"rm -rf {CONFIG} {STATE}/*")

    def properties(self) -> dict[str, str]:
        """What systemd knows of it, by name."""
        lines = self.machine.text("systemctl", "show", UNIT).splitlines()
        return dict(line.partition("=")[::2] for line in lines)

    def wait_for(self, *, timeout_s: float = PATIENCE_S, **expected: str) -> dict[str, str]:
        """Its properties, once these are as expected."""
        end_s = time.monotonic() + timeout_s
        while True:
            found = self.properties()
            if all(found[key] == value for key, value in expected.items()):
                return found
            shown = {key: found[key] for key in ("ActiveState", "SubState", "Result", "NRestarts", *expected)}
            assert time.monotonic() < end_s, f"expected {expected}, found {shown}\n{self.journal()}"
            time.sleep(0.1)

    def wait_for_status(self, text: str, *, timeout_s: float = 20.0) -> str:
        """The line that `systemctl status` shows, once it holds a text."""
        end_s = time.monotonic() + timeout_s
        while True:
            line = self.properties()["StatusText"]
            if text in line:
                return line
            assert time.monotonic() < end_s, f"expected a status with '{text}', found '{line}'"
            time.sleep(0.1)

    def restarted(self, pid: str, *, timeout_s: float = 120.0) -> dict[str, str]:
        """Its properties once another process than `pid` is at work."""
        end_s = time.monotonic() + timeout_s
        while True:
            found = self.wait_for(ActiveState="active", SubState="running", timeout_s=timeout_s)
            if found["MainPID"] != pid:
                return found
            assert time.monotonic() < end_s, f"process {pid} is still at work\n{self.journal()}"
            time.sleep(0.1)

    def journal(self) -> str:
        """Its log, and what systemd logged of it."""
        self.machine.run("journalctl", "--sync")
        return self.machine.text("journalctl", "--no-pager", f"--unit={UNIT}", *self._begin)

    def entries(self) -> list[dict[str, Any]]:
        """What it logged itself, as the journal's fields."""
        self.machine.run("journalctl", "--sync")
        told = self.machine.run("journalctl", "--no-pager", "--output=json", f"--unit={UNIT}", *self._begin).stdout
        found = [json.loads(line) for line in told.splitlines() if line.startswith(b"{")]
        return [entry for entry in found if entry.get("_SYSTEMD_UNIT") == UNIT]

    def _cursor(self) -> tuple[str, ...]:
        """Option for what the journal has from now on; none where it is empty."""
        self.machine.run("journalctl", "--sync")
        told = self.machine.text("journalctl", "--no-pager", "--quiet", "--lines=1", "--show-cursor")
        cursor = told.rpartition("-- cursor: ")[2].strip()
        return (f"--after-cursor={cursor}",) if cursor else ()

    @contextmanager
    def overridden(self, drop_in: str) -> Iterator[None]:
        """What `systemctl edit` does, undone at the end, when the service has ended."""
        self.machine.write(f"{DROP_INS}/override.conf", drop_in)
        self.machine.run("systemctl", "daemon-reload")
        try:
            yield
        finally:
            self.end()
            self.machine.run("rm", "-r", DROP_INS)
            self.machine.run("systemctl", "daemon-reload")

    def connect(self, timeout_s: float = 20.0, receive_buffer: int | None = None) -> socket.socket:
        """A connection to its port."""
        with self.machine.network():
            connection = socket.socket()
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(timeout_s)
        connection.connect(("127.0.0.1", PORT))
        return connection

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        *,
        token: str | None = TOKEN,
        kind: str = "application/octet-stream",
        timeout_s: float = 20.0,
    ) -> Answer:
        """Make a request, with the token unless it is None."""
        headers = {"Host": f"localhost:{PORT}", "Connection": "close"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = kind
        connection = http.client.HTTPConnection("localhost", PORT)
        connection.sock = self.connect(timeout_s)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        finally:
            connection.close()

    def state(self) -> dict[str, Any]:
        """Its `/state`."""
        return dict(self.ask("/state").json)

    def wait_until(
        self, holds: Callable[[dict[str, Any]], bool], what: str, *, timeout_s: float = PATIENCE_S
    ) -> dict[str, Any]:
        """Its `/state`, once something holds for it."""
        end_s = time.monotonic() + timeout_s
        while True:
            try:
                state = self.state()
            except (ConnectionError, TimeoutError):  # it is being started again
                state = {}
            if state and holds(state):
                return state
            source = state.get("source", "no answer")
            assert time.monotonic() < end_s, f"not within {timeout_s:g} s: {what}; {source}\n{self.journal()}"
            time.sleep(0.1)

    def online(self, *, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """Its `/state`, once the camera delivers."""
        return self.wait_until(lambda state: state["source"]["state"] == "online", "online", timeout_s=timeout_s)
