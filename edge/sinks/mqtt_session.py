"""What is said over one connection, in order: who we are, how we are, and what was seen."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from edge.config import PrivacyConfig
from edge.logs import rfc3339
from edge.sinks.mqtt_client import Connection
from edge.sinks.mqtt_discovery import discovery
from edge.sinks.mqtt_outbox import Outbox, Told
from edge.sinks.mqtt_settings import MqttSettings
from edge.sinks.mqtt_state import Glance, changing, state, still_true
from edge.sinks.mqtt_topics import OFFLINE, ONLINE, Addresses, Topics
from edge.status import SourceStatus, Status

WINDOW: Final = 20
"""Records on their way at once."""
STATE_LEAST_S: Final = 1.0
"""States are told no sooner after each other, however often they change; the last one always is."""
BIRTH_DELAY_S: Final = 1.0
"""Longest wait, by chance, before a started Home Assistant is answered: all devices hear it at the same time."""
AGAIN_S: Final = 2.0
"""A Home Assistant that was told of entities listens to them by then: a state that is not kept is told once more."""
ADDRESSES_S: Final = 10.0
"""How often it is looked up whether this machine has other addresses now."""
FAREWELL_S: Final = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What the session sees of the program. All callables are called on the session's thread.

    Attributes:
        labels: class names of the expression model.
        status: the snapshot that `/state` shows.
        source: the camera or file.
        glance: the newest.
        privacy: what may be told now; another one as soon as that is changed.
        addresses: where pages and pictures are, as far as that may be told.
    """

    labels: Sequence[str]
    status: Callable[[], Status]
    source: Callable[[], SourceStatus]
    glance: Callable[[], Glance]
    privacy: Callable[[], PrivacyConfig]
    addresses: Callable[[], Addresses]


@dataclass(slots=True)
class Session:
    """Made for one connection, which is open. One thread only; `clock_s` never goes back.

    Attributes:
        forget: whether the broker may still keep a state that it is not to keep.
    """

    connection: Connection
    settings: MqttSettings
    topics: Topics
    sight: Sight
    outbox: Outbox
    clock_s: Callable[[], float] = time.monotonic
    forget: bool = False
    _on_their_way: dict[int, Told] = field(default_factory=dict)
    _privacy: PrivacyConfig | None = None
    _told: Addresses = field(default_factory=Addresses)
    _looked_s: float = 0.0
    _announced: tuple[bool, Addresses] | None = None
    _announce_s: float | None = None
    _changing: tuple[object, ...] | None = None
    _again_s: float | None = None
    _state_s: float = 0.0
    _state_number: int = 0
    _forget_number: int = 0

    def begin(self) -> None:
        """Say that we are here, and listen for Home Assistant."""
        self.connection.publish(self.topics.availability, ONLINE, retain=True)
        if self.forget:  # once: whoever listens hears it as well, and can make nothing of it
            self._forget_number = self.connection.publish(self.topics.state, b"", retain=True)
        if self.settings.discovery == "on":
            self.connection.subscribe(self.topics.birth)

    def go_on(self) -> None:
        """Say what there is to say now."""
        self._listen()
        now_s = self.clock_s()
        privacy = self.sight.privacy()
        if privacy is not self._privacy or now_s - self._looked_s >= ADDRESSES_S:
            self._privacy, self._told, self._looked_s = privacy, self.sight.addresses(), now_s
        aggregate = privacy.events == "aggregate"
        born = self._announce_s is not None and now_s >= self._announce_s
        if born or (aggregate, self._told) != self._announced:
            self._announce(self._told, aggregate=aggregate)
        self._tell_state(now_s, aggregate=aggregate)
        self._tell_events(of_faces=not aggregate)

    def end(self) -> None:
        """Say what there still is to say, and that we go."""
        self._state_s, self._state_number = self.clock_s() - STATE_LEAST_S, 0
        self.go_on()
        self.connection.farewell(self.topics.availability, OFFLINE, FAREWELL_S)
        self._listen()

    def unsent(self) -> tuple[Told, ...]:
        """Records the broker has not said it has, oldest first. It may have them."""
        return tuple(self._on_their_way.values())

    def _listen(self) -> None:
        """Take note of what came in."""
        for number in self.connection.acknowledged:
            self.outbox.sent += self._on_their_way.pop(number, None) is not None
            if number == self._state_number:
                self._state_number = 0
            if number == self._forget_number:
                self.forget = False
        self.connection.acknowledged.clear()
        for topic, payload in self.connection.heard:
            if topic == self.topics.birth and payload == ONLINE.encode():
                self._announce_s = self.clock_s() + random.random() * BIRTH_DELAY_S
        self.connection.heard.clear()

    def _announce(self, told: Addresses, *, aggregate: bool) -> None:
        """Tell Home Assistant what there is, and everybody where it is; then the state has to follow."""
        topics, publish = self.topics, self.connection.publish
        if self.settings.discovery == "on":
            messages = discovery(topics, self.sight.labels, told, aggregate=aggregate)
            for message in messages:
                publish(topics.discovery, msgspec.json.encode(message), retain=message is messages[-1])
            self._again_s = None if self.settings.retain else self.clock_s() + AGAIN_S
        elif self.settings.discovery == "remove":
            publish(topics.discovery, b"", retain=True)
        where = {"page": told.page, "still": told.still, "stream": told.stream}
        # an empty message takes away what the broker keeps
        publish(topics.addresses, msgspec.json.encode(where) if told.page else b"", retain=True)
        if not told.still:
            publish(topics.still, b"", retain=True)
        self._announced, self._announce_s, self._changing = (aggregate, told), None, None

    def _tell_state(self, now_s: float, *, aggregate: bool) -> None:
        source = self.sight.source()
        seen = still_true(self.sight.glance(), source)
        now = changing(seen, source, aggregate=aggregate)
        first = self._changing is None
        again = self._again_s is not None and now_s >= self._again_s
        due = now_s - self._state_s >= (self.settings.state_s if now == self._changing else STATE_LEAST_S)
        if not (first or again or due) or self._state_number:  # one that is on its way is enough
            return
        self._changing, self._state_s = now, now_s
        self._again_s = None if again else self._again_s
        payload = state(self.sight.status(), seen, rfc3339(time.time()), aggregate=aggregate)
        retain = self.settings.retain
        self._state_number = self.connection.publish(self.topics.state, msgspec.json.encode(payload), retain=retain)
        if self._told.still:
            self.connection.publish(self.topics.still, self._told.still, retain=True)

    def _tell_events(self, *, of_faces: bool) -> None:
        while len(self._on_their_way) < WINDOW:
            told = self.outbox.take(of_faces=of_faces)
            if told is None:
                return
            # never retained: who comes later must not take what is over for news
            number = self.connection.publish(self.topics.events, told.payload, retain=False)
            self._on_their_way[number] = told
