"""Tells an MQTT broker what is seen: a `Sink` whose network has a thread of its own, and never holds anybody up."""

import logging
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from edge.config import PrivacyConfig
from edge.errors import TemporaryError
from edge.events import AggregateEvent, SceneEvent
from edge.logs import event
from edge.ports import Clock
from edge.sinks.mqtt_client import Connection, load_paho, tls_context
from edge.sinks.mqtt_failures import Refused
from edge.sinks.mqtt_outbox import Outbox, Told
from edge.sinks.mqtt_session import Session, Sight
from edge.sinks.mqtt_settings import MqttSettings, check_mqtt
from edge.sinks.mqtt_state import Glance, glance
from edge.sinks.mqtt_topics import OFFLINE, Addresses, topics
from edge.status import MqttStatus, SourceStatus, Status
from edge.types import Scene
from edge.worker import Backoff, Control, Worker

log = logging.getLogger(__name__)

BACKOFF: Final = Backoff(first_s=1.0, cap_s=60.0)
REFUSED_S: Final = 60.0
"""What a person has to mend is tried again so seldom."""
STEADY_S: Final = 10.0
"""A connection that lasted so long counts as good: the next failure is retried soon."""
TICK_S: Final = 0.2
"""How soon what is new is sent, and an end is noticed."""
CLOSE_S: Final = 0.6
REMIND_S: Final = 3600.0
"""The same reason is logged again after this."""


class MqttSink:
    """See `edge.ports.Sink`. `emit` costs the same whatever the broker does."""

    def __init__(
        self,
        settings: MqttSettings,
        to_event: Callable[[Scene], SceneEvent | None],
        *,
        labels: Sequence[str],
        status: Callable[[], Status],
        source: Callable[[], SourceStatus],
        privacy: Callable[[], PrivacyConfig],
        clock: Clock = time.monotonic_ns,
        backoff: Backoff = BACKOFF,
    ) -> None:
        """Check what can be checked; nothing is connected yet.

        Args:
            settings: as configured.
            to_event: the record of a scene; None where there must be none.
            labels: class names of the expression model.
            status: the snapshot that `/state` shows; not asked before the start, then on the network's thread.
            source: the camera or file; likewise.
            privacy: what may be told now; likewise.
            clock: for the rate of records.
            backoff: of tries to connect.

        Raises:
            ConfigError: the extra is not installed, or the settings contradict each other or name no authority.
        """
        check_mqtt(settings)
        self._paho = load_paho()
        self._context = tls_context(settings)
        self._settings = settings
        self._to_event = to_event
        self._clock = clock
        self.topics = topics(settings, socket.gethostname())
        self._client_id = settings.client_id or f"emotion-edge-{self.topics.id}"
        self._outbox = Outbox(settings.buffer)
        self._encoder = msgspec.json.Encoder()
        self._glance = Glance()
        self._shown: tuple[tuple[int, str | None], ...] = ()
        self._untold = False
        self._due_ns: int | None = None
        self._sight = Sight(labels, status, source, lambda: self._glance, privacy, Addresses)
        self._connected = False
        self._forget = not settings.retain
        self._reason = "not tried yet"
        self._logged = ("", 0.0)
        self._worker = Worker("mqtt", self._converse, on_end=self._ended, on_retry=self._retrying, backoff=backoff)

    def start(self, addresses: Callable[[], Addresses]) -> None:
        """Connect, from now on and for ever; `addresses`: where pages and pictures are, as far as that may be told."""
        self._sight = replace(self._sight, addresses=addresses)
        local = self._settings.host in ("localhost", "127.0.0.1", "::1")
        if self._settings.password and not self._settings.tls and not local:
            message = "the broker's password goes over the network as it is; set mqtt.tls = true if the broker can"
            event(log, logging.WARNING, "mqtt.cleartext", message)
        self._worker.start()

    def emit(self, scene: Scene) -> None:
        """Take note of the scene; a record is made of it if faces came, went or changed, and one is due."""
        self._glance = glance(scene)
        shown = tuple((track.id, track.label) for track in scene.tracks)
        if shown != self._shown:
            self._shown, self._untold = shown, True
        if not self._untold or not self._settings.events_hz:
            return
        now_ns = self._clock()
        if self._due_ns is not None and now_ns < self._due_ns:
            return  # what is shown by then is told then
        record = self._to_event(scene)
        if record is not None:
            self._due_ns = now_ns + round(1e9 / self._settings.events_hz)
            self.write(record)
        self._untold = False

    def write(self, record: SceneEvent | AggregateEvent) -> None:
        """Take a record, without blocking."""
        if not self._settings.events_hz:
            return
        told = Told(self._encoder.encode(record), of_faces=isinstance(record, SceneEvent))
        if not self._outbox.put(told):
            message = f"the broker is away or slow, and {self._settings.buffer} records wait for it: the oldest go"
            event(log, logging.WARNING, "mqtt.dropped", message)

    def status(self) -> MqttStatus:
        """What `/state` shows."""
        return MqttStatus(
            broker=self._settings.broker,
            connected=self._connected,
            reason=self._reason,
            sent=self._outbox.sent,
            waiting=len(self._outbox),
            dropped=self._outbox.dropped,
        )

    def close(self) -> None:
        """Say goodbye and hang up; gives up after `CLOSE_S`, then the broker says it."""
        self._worker.stop()
        self._worker.join(CLOSE_S)
        if len(self._outbox):
            event(log, logging.INFO, "mqtt.unsent", f"{len(self._outbox)} records were not sent to the broker")

    def _converse(self, control: Control) -> None:
        """Body of the worker: one connection, from its opening to its end."""
        will = (self.topics.availability, OFFLINE)
        with Connection(self._paho, self._settings, self._client_id, self._context, will) as connection:
            try:
                if not connection.open(lambda: control.stopping):
                    return
            except Refused as error:
                self._report(error)
                control.wait(REFUSED_S)
                control.recovered()  # that was the wait: no longer one follows
                raise
            session = Session(connection, self._settings, self.topics, self._sight, self._outbox, forget=self._forget)
            self._connected, self._reason, self._logged = True, "", ("", 0.0)
            event(log, logging.INFO, "mqtt.connected", self._welcome())
            try:
                session.begin()
                while not control.stopping:
                    session.go_on()
                    connection.turn(TICK_S)
                    if connection.lasted_s > STEADY_S:
                        control.recovered()
                session.end()
            finally:
                self._connected = False
                self._forget = session.forget
                self._outbox.put_back(session.unsent())

    def _welcome(self) -> str:
        """Who is known to the broker, and as what he tells: where it goes by users, both have to fit."""
        who = f" as {self._settings.username!r}" if self._settings.username else ""
        topic = self.topics.state.removesuffix("state")
        return f"connected to the broker {self._settings.broker}{who}; topics begin with {topic}"

    def _retrying(self, error: TemporaryError, _: float) -> None:
        self._report(error)

    def _report(self, error: TemporaryError) -> None:
        """Say why there is no connection: once, and once an hour as long as it stays the same."""
        self._reason = str(error)
        reason, logged_s = self._logged
        now_s = time.monotonic()
        if self._reason == reason and now_s - logged_s < REMIND_S:
            return
        self._logged = (self._reason, now_s)
        name, level = ("mqtt.refused", logging.ERROR) if isinstance(error, Refused) else ("mqtt.away", logging.WARNING)
        event(log, level, name, f"{error}; it is tried again, and up to {self._settings.buffer} records are kept")

    def _ended(self, worker: Worker) -> None:
        """On the worker's thread: its end was asked for, or something went wrong that nobody thought of."""
        if worker.failure is not None:
            self._reason = f"it has failed: {worker.failure}"
            log.error("%s", self._reason, exc_info=worker.failure, extra={"event": "mqtt.failed"})
