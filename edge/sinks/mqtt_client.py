"""One connection to an MQTT broker, over paho-mqtt (the extra `mqtt`): one thread only."""

import ssl
import time
from collections.abc import Callable
from typing import Any, Final, Self

from edge.errors import ConfigError
from edge.sinks.mqtt_failures import lost, never_began, refusal, silent, unreachable
from edge.sinks.mqtt_settings import MqttSettings
from edge.worker import outcome

KEEPALIVE_S: Final = 20
"""A broker that is silent for so long is asked, and given up after as long again; it holds us for lost after 30 s."""
ANSWER_S: Final = 10.0
"""The broker has so long to take the connection, and so long again to answer."""
SLICE_S: Final = 0.1
AT_LEAST_ONCE: Final = 1
"""MQTT's quality of service of all that is published: repeated until the broker has said that it has it."""


def load_paho() -> Any:
    """paho-mqtt's client module.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import paho.mqtt.client as paho  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "mqtt.host is set, and the package paho-mqtt is missing; pip install 'emotion-edge[mqtt]'"
        ) from error
    return paho


def tls_context(settings: MqttSettings) -> ssl.SSLContext | None:
    """What is trusted; None without TLS.

    Raises:
        ConfigError: the authority's file cannot be read, or holds none.
    """
    if not settings.tls:
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca or None)
    except ssl.SSLError as error:
        raise ConfigError(
            f"mqtt.ca {settings.ca} holds no certificate ({error.strerror or error}); expected PEM"
        ) from error
    except OSError as error:
        raise ConfigError(f"mqtt.ca {settings.ca} cannot be read: {error.strerror}; check path and owner") from error


class Connection:
    """From the attempt to its end.

    Attributes:
        acknowledged: numbers of messages that the broker has said it has, since they were last looked at.
        heard: topic and payload of what came in, since it was last looked at.
    """

    def __init__(
        self, paho: Any, settings: MqttSettings, client_id: str, context: ssl.SSLContext | None, will: tuple[str, str]
    ) -> None:
        """Nothing is opened yet.

        Args:
            paho: as `load_paho` gives it.
            settings: where the broker is, and who we are.
            client_id: as the broker is told.
            context: for TLS, or None.
            will: topic and payload that the broker publishes, retained, when the connection breaks.
        """
        self._settings = settings
        self._answer: tuple[int, str] | None = None
        self._opened_s = 0.0
        self.acknowledged: list[int] = []
        self.heard: list[tuple[str, bytes]] = []
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv311, reconnect_on_failure=False
        )
        client.connect_timeout = ANSWER_S
        client.will_set(*will, qos=AT_LEAST_ONCE, retain=True)
        if settings.username:
            client.username_pw_set(settings.username, settings.password)
        if context is not None:
            client.tls_set_context(context)
        client.on_connect = self._connected
        client.on_publish = self._published
        client.on_message = self._came
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Give the socket back; without `farewell`, the broker publishes the will."""
        sock = self._client.socket()
        if sock is not None:
            sock.close()
        del self._client  # it refers to us: without a ring, its other sockets are closed here as well

    def open(self, stopping: Callable[[], bool]) -> bool:
        """Connect, and wait for the broker's answer.

        Args:
            stopping: whether to give up.

        Returns:
            Whether there is a connection now; False only if it was given up.

        Raises:
            Refused: a person has to do something.
            TemporaryError: it cannot be reached, says no, or says nothing.
        """
        settings = self._settings
        error = outcome(lambda: self._client.connect(settings.host, settings.tcp_port, keepalive=KEEPALIVE_S))
        if error is not None:
            raise unreachable(error, settings) from error
        end_s = time.monotonic() + ANSWER_S
        while self._answer is None:
            going = self._turn(SLICE_S)
            if self._answer is None:
                if stopping():
                    return False
                if not going:
                    raise never_began(settings)
                if time.monotonic() > end_s:
                    raise silent(settings, ANSWER_S)
        code, reason = self._answer
        if code != 0:
            raise refusal(code, reason, settings)
        self._opened_s = time.monotonic()
        return True

    @property
    def lasted_s(self) -> float:
        """Seconds since the broker has answered."""
        return time.monotonic() - self._opened_s

    def subscribe(self, topic: str) -> None:
        """Listen to a topic."""
        self._client.subscribe(topic, AT_LEAST_ONCE)

    def publish(self, topic: str, payload: bytes | str, *, retain: bool) -> int:
        """Send a message; its number, which is in `acknowledged` once the broker has it."""
        number: int = self._client.publish(topic, payload, AT_LEAST_ONCE, retain).mid
        return number

    def turn(self, timeout_s: float) -> None:
        """Read and write what there is, for so long.

        Raises:
            TemporaryError: the connection is lost.
        """
        if not self._turn(timeout_s):
            raise lost(self._settings, self.lasted_s)

    def farewell(self, topic: str, payload: str, within_s: float) -> None:
        """Say so and hang up, if the broker takes it in time; else the will says it."""
        number = self.publish(topic, payload, retain=True)
        end_s = time.monotonic() + within_s
        while number not in self.acknowledged and time.monotonic() < end_s:
            if not self._turn(SLICE_S / 2):
                return
        if number in self.acknowledged:
            self._client.disconnect()

    def _turn(self, timeout_s: float) -> bool:
        """Whether there still is a connection."""
        code: list[int] = []
        error = outcome(lambda: code.append(self._client.loop(timeout_s)))
        if error is not None:  # what came was no MQTT
            raise unreachable(error, self._settings) from error
        return code == [0]

    def _connected(self, _: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        self._answer = (reason.value, str(reason))

    def _published(self, _: Any, __: Any, number: int, ___: Any, ____: Any) -> None:
        self.acknowledged.append(number)

    def _came(self, _: Any, __: Any, message: Any) -> None:
        self.heard.append((message.topic, message.payload))
