"""The MQTT sink and a real broker: what arrives there, and what happens when it goes, hangs or says no."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from edge.config import PrivacyConfig
from edge.events import AggregateEvent
from edge.sinks import mqtt, mqtt_client
from edge.sinks.mqtt_topics import addresses
from tests.authority import Authority
from tests.broker import HOW, Broker, Listener, broker, free_port
from tests.home_assistant import check_discovery
from tests.listening import listening
from tests.mqtt_device import Device, device
from tests.tools import require_tool
from tests.wire import eventually

pytest.importorskip("paho.mqtt.client", reason="needs paho-mqtt: pip install -e '.[mqtt]'")

CONFIG = "homeassistant/device/emotion_edge_kitchen/config"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Broker]:
    """A broker that takes everybody."""
    with broker(tmp_path) as made:
        yield made


def events(listener: Listener) -> list[int]:
    """Numbers of the frames told, in order."""
    return [heard.json["seq"] for heard in listener.of("/events")]


def test_who_is_there_how_it_does_and_what_it_sees_is_told(home: Broker):
    with Listener(home.port) as listener, device(home.port) as cam:
        cam.wait_until_connected()
        listener.wait_for("/availability", lambda heard: heard.payload == b"online")
        told = listener.wait_for("/state").json
        assert (told["presence"], told["faces"], told["source"]) == (True, 1, "online")
        assert (told["expression"], told["confidence"]) == ("happy", 0.9)
        check_discovery(listener.wait_for("/config").json)
        seen = cam.see_changes(6)
        eventually(lambda: cam.sink.status().sent == 7, "the broker has all of them")
        eventually(lambda: events(listener) == [1, *seen], "and hands them on")
        assert {key: listener.of("/events")[-1].json[key] for key in ("schema", "width")} == {"schema": 1, "width": 640}
        cam.see(0)
        listener.wait_for("/state", lambda heard: heard.json["expression"] == "none")
        assert cam.sink.status().reason == ""


def test_who_comes_later_learns_how_it_is_and_not_what_is_over(home: Broker):
    with Listener(home.port) as listener, device(home.port):
        listener.wait_for("/state")
        listener.wait_for("/events")
        with Listener(home.port, name="later") as later:
            later.wait_for("/state")
            later.wait_for("/availability")
            later.wait_for("/config")
            assert all(heard.kept for heard in later.messages)
            assert later.of("/events") == []


def test_the_broker_keeps_no_state_if_it_is_not_to(home: Broker):
    with Listener(home.port) as listener, device(home.port):
        listener.wait_for("/state", lambda heard: bool(heard.payload))
    with Listener(home.port, name="between") as between:
        between.wait_for("/state", lambda heard: heard.kept)
    with Listener(home.port, name="again") as listener, device(home.port, retain=False):
        listener.wait_for("/state", lambda heard: bool(heard.payload) and not heard.kept)
    with Listener(home.port, name="later") as later:
        later.wait_for("/availability")
        assert later.of("/state") == []


def test_home_assistant_is_told_again_when_it_has_started(home: Broker):
    with Listener(home.port) as listener, device(home.port):
        listener.wait_for("/state")
        before, states = len(listener.of(CONFIG)), len(listener.of("/state"))
        listener.say("homeassistant/status", "offline")
        listener.say("homeassistant/status", "online")
        eventually(lambda: len(listener.of(CONFIG)) > before, "it is told again")
        eventually(lambda: len(listener.of("/state")) > states, "and how it is now")
        assert listener.messages.index(listener.of(CONFIG)[-1]) < listener.messages.index(listener.of("/state")[-1])
        check_discovery(listener.of(CONFIG)[-1].json)


@pytest.mark.parametrize("wanted", ["off", "remove"])
def test_home_assistant_is_told_nothing_or_to_forget(home: Broker, wanted: str):
    with Listener(home.port) as listener:
        with device(home.port):
            listener.wait_for(CONFIG, lambda heard: bool(heard.payload) and not heard.kept)
        with device(home.port, discovery=wanted) as cam:
            cam.wait_until_connected()
            eventually(lambda: len(listener.of("/availability")) >= 3, "it is there again")
            cam.see(2)
            listener.wait_for("/state", lambda heard: heard.json["faces"] == 2)
        with Listener(home.port, name="later") as later:
            later.wait_for("/availability")
            assert bool(later.of(CONFIG)) == (wanted == "off")


def test_an_end_says_goodbye(home: Broker):
    with Listener(home.port) as listener:
        with device(home.port) as cam:
            listener.wait_for("/state")
            before_s = time.monotonic()
            cam.sink.close()
            took_s = time.monotonic() - before_s
        listener.wait_for("/availability", lambda heard: heard.payload == b"offline")
        assert took_s < mqtt.CLOSE_S


def test_what_is_seen_right_before_an_end_is_told(home: Broker):
    with Listener(home.port) as listener, device(home.port) as cam:
        listener.wait_for("/state")
        listener.wait_for("/events")
        last = cam.see(0)
        cam.sink.close()
        listener.wait_for("/availability", lambda heard: heard.payload == b"offline")
        assert events(listener)[-1] == last
        assert listener.of("/state")[-1].json["presence"] is False
        assert cam.sink.status().waiting == 0


def test_a_broker_restarted_in_mid_run_misses_nothing(home: Broker):
    with Listener(home.port) as listener, device(home.port) as cam:
        seen = [1, *cam.see_changes(5)]
        eventually(lambda: events(listener) == seen, "what is before")
        home.stop()
        cam.wait_for_reason("nothing listens")
        seen += cam.see_changes(30)
        home.start()
        cam.wait_until_connected()
        seen += cam.see_changes(5)
        eventually(lambda: len(set(events(listener))) == len(seen), "all of it arrives")
        told = events(listener)
        # what was on its way when the broker went may come twice
        assert list(dict.fromkeys(told)) == seen
        assert cam.sink.status().dropped == 0
        listener.wait_for("/availability", lambda heard: heard.payload == b"online")


def test_what_is_on_its_way_when_the_broker_hangs_is_sent_again(home: Broker, monkeypatch):
    monkeypatch.setattr(mqtt_client, "KEEPALIVE_S", 1)
    with Listener(home.port) as listener, device(home.port) as cam:
        listener.wait_for("/events")
        home.freeze()
        seen = cam.see_changes(60)
        eventually(lambda: not cam.sink.status().connected, "it is noticed")
        home.thaw()
        cam.wait_until_connected()
        eventually(lambda: set(events(listener)) == {1, *seen}, "all of it arrives")
        assert list(dict.fromkeys(events(listener))) == [1, *seen]


@pytest.mark.slow
def test_after_ten_seconds_without_a_broker_the_newest_records_are_there(home: Broker):
    with Listener(home.port) as listener, device(home.port, buffer=20) as cam:
        listener.wait_for("/events")
        home.stop()
        cam.wait_for_reason("nothing listens")
        seen: list[int] = []
        end_s = time.monotonic() + 10.0
        while time.monotonic() < end_s:
            seen += cam.see_changes(10)
            time.sleep(0.2)
        lost = cam.sink.status().dropped
        assert lost == len(seen) - 20
        home.start()
        cam.wait_until_connected()
        eventually(lambda: events(listener)[-20:] == seen[-20:], "the newest arrive in order")
        assert not set(events(listener)) & set(seen[:-20])
        assert listener.wait_for("/state", lambda heard: heard.json["events_dropped"] == lost)


def passwords(folder: Path) -> tuple[str, ...]:
    """Lines for a broker that takes `cam` with `right` only."""
    tool = require_tool("mosquitto_passwd", HOW)
    subprocess.run([tool, "-b", "-c", folder / "users", "cam", "right"], check=True, capture_output=True)
    return ("allow_anonymous false", f"password_file {folder / 'users'}")


def test_refused_credentials_are_told_once_and_what_to_do(tmp_path: Path, caplog, monkeypatch):
    tried: list[float] = []
    real = mqtt_client.Connection.open

    def counted(self: mqtt_client.Connection, stopping: Callable[[], bool]) -> bool:
        tried.append(time.monotonic())
        return real(self, stopping)

    monkeypatch.setattr(mqtt_client.Connection, "open", counted)
    with broker(tmp_path, passwords(tmp_path)) as home:
        with device(home.port, username="cam", password="wrong-secret") as cam:
            reason = cam.wait_for_reason("refuses", "'cam'", "mqtt-password")
            time.sleep(0.5)
            refusals = [record for record in caplog.records if getattr(record, "event", "") == "mqtt.refused"]
            assert (len(refusals), len(tried)) == (1, 1), "it is not asked again and again"
            assert not cam.sink.status().connected
            assert "wrong-secret" not in caplog.text + reason
        with device(home.port) as cam:
            cam.wait_for_reason("a client without a name")
        with device(home.port, username="cam", password="right") as cam:
            cam.wait_until_connected()


def test_nothing_that_is_told_has_a_secret_in_it(tmp_path: Path):
    with (
        broker(tmp_path, passwords(tmp_path)) as home,
        Listener(home.port, username="cam", password="right") as listener,
        device(home.port, username="cam", password="right") as cam,
    ):
        cam.addresses = addresses("http://192.168.1.7:8080")
        cam.see_changes(3)
        listener.wait_for("/state")
        listener.wait_for("/events")
        assert b"right" not in b"".join(heard.topic.encode() + heard.payload for heard in listener.messages)


def tls_lines(certificate: tuple[Path, Path]) -> tuple[str, ...]:
    return ("allow_anonymous true", f"certfile {certificate[0]}", f"keyfile {certificate[1]}")


def test_an_own_authority_is_trusted_once_it_is_named(tmp_path: Path):
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    with broker(tmp_path, tls_lines(authority.signed("localhost"))) as home:
        with device(home.port, host="localhost", tls=True, ca=str(authority.file)) as cam:
            cam.wait_until_connected()
            seen = [1, *cam.see_changes(10)]
            eventually(lambda: cam.sink.status().sent == len(seen), "records go through TLS")
        with device(home.port, host="localhost", tls=True, ca=str(other.file)) as cam:
            cam.wait_for_reason("not trusted", "mqtt.ca")
        with device(home.port, host="localhost", tls=True) as cam:
            cam.wait_for_reason("not trusted", "mqtt.ca")
        with device(home.port, tls=True, ca=str(authority.file)) as cam:
            cam.wait_for_reason("127.0.0.1", "mqtt.host")
        with device(home.port) as cam:
            cam.wait_for_reason("hangs up", "mqtt.tls")


def test_tls_where_there_is_none_is_told(home: Broker):
    with device(home.port, tls=True) as cam:
        cam.wait_for_reason("hangs up", "speaks TLS")


def test_a_broker_that_is_not_there_or_has_no_name_is_told_and_looked_for():
    with device(free_port()) as cam:
        cam.wait_for_reason("nothing listens")
    with device(1883, host="no-such-broker.invalid") as cam:
        cam.wait_for_reason("no-such-broker.invalid", "mqtt.host")


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """The port of something that takes connections, and says this to each."""
    taken: list[socket.socket] = []

    def meet(connection: socket.socket) -> None:
        taken.append(connection)
        with suppress(OSError):
            connection.sendall(answer)

    try:
        with listening(meet) as port:
            yield port
    finally:
        for each in taken:
            each.close()


def test_what_takes_connections_and_says_nothing_holds_nobody_up(monkeypatch):
    monkeypatch.setattr(mqtt_client, "ANSWER_S", 0.5)
    with answering(b"") as port, device(port, buffer=5) as cam:
        longest_s = 0.0
        for _ in range(50):
            before_s = time.monotonic()
            cam.see_changes(1)
            longest_s = max(longest_s, time.monotonic() - before_s)
        cam.wait_for_reason("does not answer within 0.5 s", "mqtt.tls")
        assert longest_s < 0.5, "a scene is taken while the other thread waits"
        assert cam.sink.status().dropped > 0
        before_s = time.monotonic()
        cam.sink.close()
        assert time.monotonic() - before_s < mqtt.CLOSE_S + 0.2


def test_what_speaks_something_else_is_told(monkeypatch):
    monkeypatch.setattr(mqtt_client, "ANSWER_S", 0.5)
    with answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as port, device(port) as cam:
        cam.wait_for_reason("mqtt.port")


def test_where_page_and_pictures_are_is_told_and_taken_back_once_no_picture_is_shown(home: Broker):
    def shown(cam: Device) -> Any:
        pictures = cam.privacy.video != "none"
        return addresses("http://192.168.1.7:8080", pictures=pictures, fetchable=True)

    with Listener(home.port) as listener, device(home.port) as cam:
        cam.addresses, cam.privacy = shown(cam), PrivacyConfig()
        told = listener.wait_for("/addresses", lambda heard: bool(heard.payload)).json
        assert told["stream"] == "http://192.168.1.7:8080/stream.mjpg"
        listener.wait_for("/still", lambda heard: heard.payload == b"http://192.168.1.7:8080/snapshot.jpg")
        listener.wait_for(CONFIG, lambda heard: "url_topic" in heard.json["components"].get("picture", {}))
        cam.privacy = PrivacyConfig(video="none")
        cam.addresses = shown(cam)
        listener.wait_for("/still", lambda heard: heard.payload == b"")
        listener.wait_for("/addresses", lambda heard: bool(heard.payload) and heard.json["stream"] == "")
        first, last = listener.of(CONFIG)[-2:]
        assert first.json["components"]["picture"] == {"platform": "image"}
        assert "picture" not in last.json["components"]
    with Listener(home.port, name="later") as later:
        later.wait_for("/availability")
        assert later.of("/still") == []
        assert b"snapshot" not in b"".join(heard.payload for heard in later.messages)


def test_once_only_aggregates_may_be_told_nothing_of_a_face_is(home: Broker):
    with Listener(home.port) as listener, device(home.port) as cam:
        listener.wait_for("/state", lambda heard: "expression" in heard.json)
        listener.wait_for("/events")
        home.freeze()
        cam.see_changes(40)
        cam.privacy = PrivacyConfig(events="aggregate")
        cam.sink.write(AggregateEvent("a", "b", None, 60.0, "camera", 9, 9, 1.0, 1, {"happy": 9.0}))
        home.thaw()
        listener.wait_for("/events", lambda heard: heard.json.get("kind") == "aggregate")
        told = listener.wait_for("/state", lambda heard: "expression" not in heard.json).json
        assert {"presence", "faces"} <= told.keys()
        assert "confidence" not in told
        listener.wait_for(CONFIG, lambda heard: "expression" not in heard.json["components"])
        assert len(events_of_faces(listener)) <= 1 + 20, "what waited was thrown away"
        cam.see_changes(5)
        time.sleep(0.5)
        assert listener.of("/events")[-1].json["kind"] == "aggregate"


def events_of_faces(listener: Listener) -> list[Any]:
    return [heard.json for heard in listener.of("/events") if "faces" in heard.json]
