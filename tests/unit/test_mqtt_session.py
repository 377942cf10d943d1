"""What is said over a connection, when, and in which order; the connection is a fake."""

import json
from typing import Any

from msgspec.structs import replace

from edge.config import PrivacyConfig
from edge.sinks.mqtt_outbox import Outbox, Told
from edge.sinks.mqtt_session import AGAIN_S, BIRTH_DELAY_S, WINDOW, Session, Sight
from edge.sinks.mqtt_settings import MqttSettings
from edge.sinks.mqtt_state import Glance
from edge.sinks.mqtt_topics import Addresses, addresses, topics
from tests.stage import Stage

CONFIG = "homeassistant/device/emotion_edge_pi/config"
STATE = "emotion_edge/pi/state"


class FakeConnection:
    """Keeps what is published; the test says what the broker has."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes | str, bool]] = []
        self.acknowledged: list[int] = []
        self.heard: list[tuple[str, bytes]] = []
        self.subscribed: list[str] = []

    def publish(self, topic: str, payload: bytes | str, *, retain: bool) -> int:
        self.said.append((topic, payload, retain))
        return len(self.said)

    def subscribe(self, topic: str) -> None:
        self.subscribed.append(topic)

    def farewell(self, topic: str, payload: str, within_s: float) -> None:
        self.said.append((topic, payload, True))


class Talk:
    """A session with its fakes.

    Attributes:
        now_s: the time.
        glance: what is seen.
        answers: whether the broker says at once that it has everything.
    """

    def __init__(self, *, forget: bool = False, **settings: Any) -> None:
        self.now_s = 1000.0
        self.glance = Glance(1, 1, "happy", 0.9)
        self.privacy = PrivacyConfig()
        self.addresses = Addresses()
        self.answers = True
        self.outbox = Outbox(100)
        self.connection = FakeConnection()
        self.stage = stage = Stage()
        given = MqttSettings(host="broker", **settings)
        sight = Sight(
            ("happy", "sad"),
            stage.status,
            lambda: stage.source,
            lambda: self.glance,
            lambda: self.privacy,
            lambda: self.addresses,
        )
        self.session = Session(
            self.connection, given, topics(given, "pi"), sight, self.outbox, lambda: self.now_s, forget=forget
        )
        self.session.begin()

    def after(self, seconds: float) -> list[tuple[str, bytes | str, bool]]:
        """What is said once that time has passed."""
        self.now_s += seconds
        before = len(self.connection.said)
        self.session.go_on()
        said = self.connection.said[before:]
        if self.answers:
            self.connection.acknowledged += range(before + 1, before + 1 + len(said))
        return said

    def of(self, said: list[tuple[str, bytes | str, bool]], end: str) -> list[Any]:
        return [json.loads(payload) for topic, payload, _ in said if topic.endswith(end) and payload]


def test_first_it_says_that_it_is_there_then_what_it_is_then_how_it_is():
    talk = Talk()
    talk.after(0.0)
    said = [(topic.removeprefix("emotion_edge/pi/"), retain) for topic, _, retain in talk.connection.said]
    # there is no picture to begin with: the entity for it is taken away first, and that is not kept
    kept = [("availability", True), (CONFIG, False), (CONFIG, True), ("addresses", True), ("still", True)]
    assert said == [*kept, ("state", True)]
    assert talk.connection.subscribed == ["homeassistant/status"]


def test_the_state_is_told_when_it_changes_once_a_second_at_most_and_else_seldom():
    talk = Talk(state_s=30.0)
    talk.after(0.0)
    assert talk.after(5.0) == []
    talk.glance = Glance(2, 1, "sad", 0.8)
    assert [each["expression"] for each in talk.of(talk.after(0.2), "/state")] == ["sad"]
    talk.glance = Glance(3, 1, "happy", 0.8)
    assert talk.after(0.2) == []
    talk.glance = Glance(4, 2, "happy", 0.8)
    assert talk.after(0.2) == []
    assert [each["faces"] for each in talk.of(talk.after(0.7), "/state")] == [2]
    assert talk.after(29.0) == []
    assert len(talk.of(talk.after(1.5), "/state")) == 1


def test_a_camera_that_is_lost_has_nobody_before_it():
    talk = Talk()
    talk.after(0.0)
    talk.stage.source = replace(talk.stage.source, state="reconnecting")
    (told,) = talk.of(talk.after(1.5), "/state")
    assert (told["presence"], told["expression"], told["source"]) == (False, "none", "reconnecting")


def test_a_state_the_broker_does_not_take_is_not_followed_by_more():
    talk = Talk()
    talk.answers = False
    talk.after(0.0)
    for number in range(10):
        talk.glance = Glance(number, number % 2, "happy", 0.9)
        assert talk.after(5.0) == []


def test_records_go_in_order_and_no_more_at_once_than_the_window():
    talk = Talk()
    talk.answers = False
    for number in range(50):
        talk.outbox.put(Told(str(number).encode(), of_faces=True))
    sent = [payload for topic, payload, _ in talk.after(0.0) if topic.endswith("/events")]
    assert sent == [str(number).encode() for number in range(WINDOW)]
    assert talk.after(1.0) == []
    first = next(index for index, (topic, *_) in enumerate(talk.connection.said, 1) if topic.endswith("/events"))
    talk.connection.acknowledged = [first, first + 1]
    assert [payload for _, payload, _ in talk.after(0.1)] == [b"20", b"21"]
    assert talk.outbox.sent == 2
    assert [told.payload for told in talk.session.unsent()] == [str(number).encode() for number in range(2, 22)]


def test_a_started_home_assistant_is_answered_a_moment_later():
    talk = Talk()
    talk.after(0.0)
    talk.connection.heard = [("homeassistant/status", b"offline"), ("elsewhere", b"online")]
    assert talk.after(5.0) == []
    talk.connection.heard = [("homeassistant/status", b"online")]
    said = talk.after(0.0) + talk.after(BIRTH_DELAY_S)
    assert [topic for topic, *_ in said if topic in (CONFIG, STATE)][-2:] == [CONFIG, STATE]
    assert talk.after(5.0) == []


def test_a_state_that_is_not_kept_is_told_once_more_when_home_assistant_listens():
    talk = Talk(retain=False)
    assert len(talk.of(talk.after(0.0), "/state")) == 1
    assert talk.after(AGAIN_S - 0.1) == []
    assert len(talk.of(talk.after(0.2), "/state")) == 1
    assert talk.after(20.0) == []
    talk.connection.heard = [("homeassistant/status", b"online")]
    said = talk.after(0.0) + talk.after(BIRTH_DELAY_S) + talk.after(AGAIN_S + 0.1)
    assert [topic for topic, *_ in said if topic in (CONFIG, STATE)] == [CONFIG, CONFIG, STATE, STATE]
    assert talk.after(20.0) == []


def test_a_state_that_is_kept_is_told_once():
    talk = Talk()
    talk.after(0.0)
    assert talk.after(AGAIN_S + 0.1) == []


def test_what_the_broker_kept_is_taken_away_once_and_not_again_when_it_is_gone():
    talk = Talk(retain=False, forget=True)
    emptied = (STATE, b"", True)
    assert emptied in talk.connection.said
    assert talk.session.forget, "the broker has not said that it has it"
    talk.connection.acknowledged += range(1, len(talk.connection.said) + 1)
    talk.after(0.0)
    assert not talk.session.forget
    assert emptied not in Talk(retain=False, forget=talk.session.forget).connection.said


def test_what_was_seen_last_is_told_before_the_goodbye():
    talk = Talk()
    talk.after(0.0)
    talk.glance = Glance(2)
    talk.outbox.put(Told(b"2", of_faces=True))
    before = len(talk.connection.said)
    talk.session.end()
    said = talk.connection.said[before:]
    assert [topic.rpartition("/")[2] for topic, *_ in said] == ["state", "events", "availability"]
    assert talk.of(said, "/state")[0]["faces"] == 0


def test_who_is_not_to_be_told_is_not_listened_to_either():
    talk = Talk(discovery="off")
    assert talk.connection.subscribed == []
    assert CONFIG not in [topic for topic, *_ in talk.after(0.0)]
    removing = Talk(discovery="remove")
    assert (CONFIG, b"", True) in removing.after(0.0)


def test_privacy_that_is_tightened_holds_at_once():
    talk = Talk()
    talk.addresses = addresses("http://a:1", fetchable=True)
    talk.after(0.0)
    talk.outbox.put(Told(b'{"label": "happy"}', of_faces=True))
    talk.outbox.put(Told(b'{"kind": "aggregate"}', of_faces=False))
    talk.privacy = PrivacyConfig(video="none", events="aggregate")
    talk.addresses = addresses("http://a:1", pictures=False)
    said = talk.after(0.1)
    assert b"happy" not in b"".join(
        payload if isinstance(payload, bytes) else payload.encode()
        for topic, payload, _ in said
        if not topic.startswith("homeassistant")
    )
    assert [each["kind"] for each in talk.of(said, "/events")] == ["aggregate"]
    assert ("emotion_edge/pi/still", b"", True) in said
    assert talk.of(said, "/addresses") == [{"page": "http://a:1/", "still": "", "stream": ""}]
    assert talk.of(said, CONFIG)[-1]["components"].keys().isdisjoint({"expression", "picture"})
    assert "expression" not in talk.of(said, "/state")[0]


def test_a_new_address_of_the_machine_is_told():
    talk = Talk()
    talk.addresses = addresses("http://192.168.1.7:8080", fetchable=True)
    talk.after(0.0)
    talk.addresses = addresses("http://192.168.1.8:8080", fetchable=True)
    assert talk.after(1.0) == []
    said = talk.after(10.0)
    assert talk.of(said, "/addresses")[0]["page"] == "http://192.168.1.8:8080/"
    assert ("emotion_edge/pi/still", "http://192.168.1.8:8080/snapshot.jpg", True) in said
