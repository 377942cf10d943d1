"""A real MQTT broker, Debian's mosquitto, on a free port of this machine, and somebody who listens to it."""

import json
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.tools import require_tool
from tests.wire import eventually

HOW = "apt-get install -y --no-install-recommends mosquitto mosquitto-clients"


def free_port() -> int:
    """One that nobody has, at this moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Broker:
    """Started and stopped as often as one likes, always on the same port, and keeps what it was to keep.

    Attributes:
        port: where it listens.
    """

    def __init__(self, folder: Path, lines: Sequence[str] = ()) -> None:
        """`lines`: of its configuration, for its listener."""
        self._mosquitto = require_tool("mosquitto", HOW)
        self.port = free_port()
        self._file = folder / "mosquitto.conf"
        rules = lines or ("allow_anonymous true",)
        # as root it would become another user, who may not enter the test's folder
        kept = ("user root", "persistence true", f"persistence_location {folder}/", "log_type error")
        self._file.write_text("\n".join((f"listener {self.port} 127.0.0.1", *rules, *kept, "")))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen([self._mosquitto, "-c", self._file], stdin=subprocess.DEVNULL)
        eventually(self._listens, "the broker listens")

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the broker has ended"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def stop(self) -> None:
        """As its service would be stopped: what it keeps is written."""
        if self._process is not None:
            self.thaw()
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Let it hang: its connections stay, and nothing comes."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def broker(folder: Path, lines: Sequence[str] = ()) -> Iterator[Broker]:
    """A broker that runs, and is gone when the context is left."""
    made = Broker(folder, lines)
    made.start()
    try:
        yield made
    finally:
        made.stop()


class Heard(NamedTuple):
    """A message.

    Attributes:
        topic: where it was published.
        payload: as it came.
        kept: whether the broker had kept it, and it is no news.
    """

    topic: str
    payload: bytes
    kept: bool

    @property
    def json(self) -> Any:
        """What it says."""
        return json.loads(self.payload)


class Listener:
    """Subscribes to everything, and publishes on request. The broker keeps for it what it misses."""

    def __init__(self, port: int, *, name: str = "listener", **options: Any) -> None:
        """`options`: name, password, ca."""
        paho = pytest.importorskip("paho.mqtt.client", reason="needs paho-mqtt: pip install -e '.[mqtt]'")
        self.messages: list[Heard] = []
        self._ready = threading.Event()
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, name, clean_session=False)
        if "username" in options:
            client.username_pw_set(options["username"], options["password"])
        if "ca" in options:
            client.tls_set(str(options["ca"]))
        client.on_connect = lambda *_: client.subscribe("#", 1)
        client.on_subscribe = lambda *_: self._ready.set()
        client.on_message = lambda _, __, message: self.messages.append(
            Heard(message.topic, message.payload, bool(message.retain))
        )
        client.reconnect_delay_set(1, 1)
        self._client = client
        client.connect("127.0.0.1", port)
        client.loop_start()
        assert self._ready.wait(10), "the broker does not take the listener"

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: str) -> None:
        """Publish."""
        self._client.publish(topic, payload, 1).wait_for_publish(10)

    def of(self, end: str) -> list[Heard]:
        """All messages of topics that end like this."""
        return [heard for heard in list(self.messages) if heard.topic.endswith(end)]

    def wait_for(self, end: str, wanted: Callable[[Heard], bool] = bool, within_s: float = 20.0) -> Heard:
        """The newest message of topics that end like this, once it is as wanted."""
        eventually(
            lambda: bool(self.of(end)) and wanted(self.of(end)[-1]),
            f"{end} as wanted; it has {[heard.payload for heard in self.of(end)]}",
            within_s=within_s,
        )
        return self.of(end)[-1]
