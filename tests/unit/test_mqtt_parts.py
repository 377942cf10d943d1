"""The parts of the MQTT sink that need no broker: names, the buffer, what counts as a change, what went wrong."""

import re
import socket
import ssl

import pytest

from edge.config_layers import load
from edge.errors import ConfigError, TemporaryError
from edge.sinks.mqtt_failures import Refused, lost, refusal, silent, unreachable
from edge.sinks.mqtt_outbox import Outbox, Told
from edge.sinks.mqtt_settings import MqttSettings, check_mqtt
from edge.sinks.mqtt_state import NOBODY, Glance, changing, glance, still_true
from edge.sinks.mqtt_topics import topics
from edge.status import SourceStatus
from edge.types import Box, Decision, Scene, Track
from tests.fakes import frame

ONLINE = SourceStatus("camera", "online", "", since=5)
AT_BROKER = MqttSettings(host="broker.lan", username="cam")


def record(number: int, *, of_faces: bool = True) -> Told:
    return Told(str(number).encode(), of_faces)


def numbers(outbox: Outbox, *, of_faces: bool = True) -> list[int]:
    """All that is in it, taken out."""
    taken = iter(lambda: outbox.take(of_faces=of_faces), None)
    return [int(told.payload) for told in taken]


def track(number: int, label: str | None, size: float = 0.2) -> Track:
    return Track(
        number, Box(0.1, 0.1, size, size), 0.9, None, 2, 0, 1, 0, label=label, confidence=0.8 if label else 0.0
    )


def scene(*tracks: Track, seq: int = 9) -> Scene:
    return Scene(frame(seq), tracks, ("happy", "sad"), Decision(True, "first"), {})


def test_the_buffer_gives_in_order_what_was_put_in():
    outbox = Outbox(10)
    assert all(outbox.put(record(number)) for number in range(5))
    assert len(outbox) == 5
    assert numbers(outbox) == [0, 1, 2, 3, 4]
    assert outbox.dropped == 0


def test_of_more_than_it_holds_the_oldest_go_and_are_counted():
    outbox = Outbox(3)
    assert [outbox.put(record(number)) for number in range(8)] == [True] * 3 + [False] * 5
    assert numbers(outbox) == [5, 6, 7]
    assert outbox.dropped == 5


def test_what_was_on_its_way_comes_first_again():
    outbox = Outbox(10)
    for number in range(5):
        outbox.put(record(number))
    on_their_way = [outbox.take(of_faces=True) for _ in range(3)]
    outbox.put(record(5))
    outbox.put_back([told for told in on_their_way if told is not None])
    assert numbers(outbox) == [0, 1, 2, 3, 4, 5]


def test_what_is_put_back_into_a_full_buffer_is_the_oldest_and_goes():
    outbox = Outbox(3)
    outbox.put_back([record(0), record(1)])
    for number in range(2, 5):
        outbox.put(record(number))
    outbox.put_back([record(1)])
    assert numbers(outbox) == [2, 3, 4]
    assert outbox.dropped == 3


def test_once_only_aggregates_may_be_told_records_of_faces_are_thrown_away_and_aggregates_are_not():
    outbox = Outbox(10)
    for number in range(6):
        outbox.put(record(number, of_faces=number % 3 > 0))
    assert numbers(outbox, of_faces=False) == [0, 3]


def test_names_are_made_fit_for_topics():
    made = topics(MqttSettings(host="b", device="Küche 2/links"), "pi")
    assert (made.name, made.id) == ("Küche 2/links", "Kuche_2_links")
    assert made.state == "emotion_edge/Kuche_2_links/state"
    assert made.discovery == "homeassistant/device/emotion_edge_Kuche_2_links/config"
    assert topics(MqttSettings(host="b"), "pi-3").availability == "emotion_edge/pi-3/availability"
    chosen = topics(MqttSettings(host="b", topic="haus/flur/", discovery_prefix="ha/"), "pi")
    assert (chosen.events, chosen.birth) == ("haus/flur/events", "ha/status")


def test_names_in_whatever_script_stay_different():
    names = ("厨房", "客厅", "Küche", "Köche", "кухня", "Κουζίνα", "で", "て", "📷", "🚪", "Straße", "Strase", "_")
    made = [topics(MqttSettings(host="b", device=name), "pi").id for name in names]
    assert len(set(made)) == len(names), made
    assert all(re.fullmatch("[A-Za-z0-9_-]+", each) for each in made), made


@pytest.mark.parametrize("name", ["raspberrypi", "pi-3", "kitchen_2", "DESKTOP-7F3K"])
def test_ordinary_names_stay_as_they_are(name: str):
    assert topics(MqttSettings(host="b"), name).id == name


@pytest.mark.parametrize(
    "host", ["", "broker.lan", "broker.lan.", "192.0.2.7", "fd00::1", "fe80::1%eth0", "bücher.lan", "a" * 63]
)
def test_a_broker_may_have_any_name_or_address(host: str):
    assert load(flags={"mqtt": {"host": host}}, environment={}).mqtt.host == host


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("topic", "a/#"),
        ("topic", "a/+/b"),
        ("topic", "$SYS/a"),
        ("discovery_prefix", ""),
        ("host", "mqtt://broker"),
        ("host", "broker..lan"),
        ("host", ".lan"),
        ("host", "a" * 64),
        ("host", "[fd00::1]"),
        ("host", "broker\0lan"),
        ("port", 70_000),
        ("base_url", "cam.lan:8080"),
        ("base_url", "http://cam/?token=x"),
        ("events_hz", -1.0),
        ("buffer", 0),
        ("discovery", "yes"),
    ],
)
def test_what_cannot_be_is_refused(key: str, value: object):
    with pytest.raises(ConfigError, match=rf"mqtt\.{key}"):
        load(flags={"mqtt": {key: value}}, environment={})


def test_what_was_expected_instead_is_told():
    for key, value, words in (("host", "[::1]", "a name such as broker.lan"), ("base_url", "cam", "with http://")):
        with pytest.raises(ConfigError, match=words):
            load(flags={"mqtt": {key: value}}, environment={})
        with pytest.raises(ConfigError, match=words):
            load(environment={f"EMOTION_EDGE_MQTT_{key.upper()}": value})


def test_what_would_be_less_safe_than_it_looks_is_refused():
    with pytest.raises(ConfigError, match=r"set mqtt\.username"):
        check_mqtt(MqttSettings(host="b", password="secret"))
    with pytest.raises(ConfigError, match=r"mqtt\.tls = true"):
        check_mqtt(MqttSettings(host="b", ca="/ca.pem"))
    check_mqtt(MqttSettings(host="b", tls=True, ca="/ca.pem", username="u", password="p"))


def test_the_ports_are_the_usual_ones():
    assert MqttSettings(host="b").broker == "b:1883"
    assert MqttSettings(host="b", tls=True).broker == "b:8883"
    assert MqttSettings(host="fd00::1", port=99).broker == "[fd00::1]:99"


def test_the_password_is_never_shown(tmp_path):
    assert "geheim" not in repr(MqttSettings(host="b", username="u", password="geheim"))
    (tmp_path / "mqtt-password").write_text("geheim-1\n")
    file = tmp_path / "config.toml"
    file.write_text('[mqtt]\nhost = "b"\nusername = "u"\n')
    config = load(file, environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert config.mqtt.password == "geheim-1"
    assert "geheim" not in repr(config)
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path), "EMOTION_EDGE_MQTT_PASSWORD": "geheim-2"}
    assert load(file, environment=given).mqtt.password == "geheim-2"


def test_without_a_broker_no_credential_is_looked_for(tmp_path):
    (tmp_path / "mqtt-password").write_text("")
    assert load(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)}).mqtt.password is None


def test_the_largest_face_speaks_for_the_scene():
    assert glance(scene()) == Glance(9)
    assert glance(scene()).expression == NOBODY
    seen = glance(scene(track(1, "sad", 0.1), track(2, "happy", 0.4), track(3, None, 0.2)))
    assert seen == Glance(9, 3, "happy", 0.8)
    assert glance(scene(track(1, None))) == Glance(9, 1, "uncertain", None)


def test_a_face_from_before_an_outage_is_not_there_any_more():
    seen = Glance(9, 1, "happy", 0.8)
    assert still_true(seen, ONLINE) == seen
    assert still_true(seen, SourceStatus("camera", "reconnecting", "")) == Glance(9)
    assert still_true(seen, SourceStatus("camera", "online", "", since=10)) == Glance(9)


def test_figures_change_nothing_and_with_aggregates_only_expressions_do_not_either():
    happy, sad = (Glance(seq, 1, label, 0.5 + seq / 10) for seq, label in ((1, "happy"), (2, "sad")))
    surer = Glance(3, 1, "happy", 0.9)
    assert changing(happy, ONLINE, aggregate=False) == changing(surer, ONLINE, aggregate=False)
    assert changing(happy, ONLINE, aggregate=False) != changing(sad, ONLINE, aggregate=False)
    assert changing(happy, ONLINE, aggregate=True) == changing(sad, ONLINE, aggregate=True)
    assert changing(happy, ONLINE, aggregate=True) != changing(Glance(4), ONLINE, aggregate=True)


def certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("no")
    error.verify_code, error.verify_message = code, "it is so"
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), TemporaryError, ("broker.lan", "mqtt.host")),
        (ConnectionRefusedError(111, "Connection refused"), TemporaryError, ("nothing listens", "mqtt.port")),
        (TimeoutError("timed out"), TemporaryError, ("does not answer", "firewall")),
        (OSError(101, "Network is unreachable"), TemporaryError, ("Network is unreachable",)),
        (certificate_error(19), Refused, ("mqtt.ca",)),
        (certificate_error(62), Refused, ("mqtt.host", "broker.lan")),
        (certificate_error(10), Refused, ("renew", "clock")),
        (certificate_error(9), Refused, ("clock",)),
        (certificate_error(92), Refused, ("it is so", "anew", "keyUsage=keyCertSign", "authorityKeyIdentifier")),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), Refused, ("8883", "mqtt.tls")),
        (ssl.SSLEOFError(8, "EOF occurred"), TemporaryError, ("hangs up",)),
        (UnicodeError("label empty or too long"), TemporaryError, ("no name", "broker.lan", "mqtt.host")),
        (ValueError("strange"), TemporaryError, ("no MQTT broker", "mqtt.port")),
    ],
)
def test_each_failure_says_what_to_do(error: Exception, kind: type[Exception], words: tuple[str, ...]):
    said = unreachable(error, AT_BROKER)
    assert type(said) is kind
    for word in words:
        assert word in str(said)


def test_refused_credentials_are_a_matter_for_a_person_and_a_busy_broker_is_not():
    for code in (134, 135):
        said = refusal(code, "Not authorized", AT_BROKER)
        assert type(said) is Refused
        assert all(word in str(said) for word in ("'cam'", "mqtt-password", "Not authorized"))
    assert type(refusal(136, "Server unavailable", AT_BROKER)) is TemporaryError
    assert "mqtt.tls" in str(silent(AT_BROKER, 10))
    assert "client_id" in str(lost(AT_BROKER, 0.3))
    assert "client_id" not in str(lost(AT_BROKER, 300))
