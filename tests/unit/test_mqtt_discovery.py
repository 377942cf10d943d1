"""What Home Assistant is told, and what may be told at all."""

import json
import re
from typing import Any

import jsonschema
import msgspec
import pytest

from edge.contract.labels import FER2013_LABELS
from edge.sinks.mqtt_discovery import PLATFORMS, discovery
from edge.sinks.mqtt_settings import MqttSettings
from edge.sinks.mqtt_state import Glance, state
from edge.sinks.mqtt_topics import Addresses, addresses, topics
from edge.status import SOURCE_STATES, MqttStatus
from tests.home_assistant import check_discovery
from tests.stage import Stage

TOPICS = topics(MqttSettings(host="broker"), "kitchen")
OPEN = addresses("http://192.168.1.7:8080/", fetchable=True)


def told(where: Addresses = OPEN, *, aggregate: bool = False) -> list[dict[str, Any]]:
    """The messages, as they go over the wire."""
    messages = discovery(TOPICS, FER2013_LABELS, where, aggregate=aggregate)
    return [json.loads(msgspec.json.encode(message)) for message in messages]


@pytest.mark.parametrize("aggregate", [False, True])
@pytest.mark.parametrize("where", [Addresses(), OPEN, addresses("http://a:1"), addresses("http://a:1", pictures=False)])
def test_home_assistant_takes_every_message(where: Addresses, aggregate: bool):
    messages = told(where, aggregate=aggregate)
    for message in messages:
        check_discovery(message)
    assert all(len(component) > 1 for component in messages[-1]["components"].values()), "the last is what stays"


def test_the_check_knows_what_home_assistant_refuses():
    def broken(change: str) -> dict[str, Any]:
        (message,) = told()
        components = message["components"]
        match change:
            case "no origin":
                del message["origin"]
            case "no identifier":
                message["device"]["identifiers"] = []
            case "options and a unit":
                components["expression"]["unit_of_measurement"] = "mood"
            case "options without enum":
                del components["expression"]["device_class"]
            case "two pictures":
                components["picture"]["image_topic"] = "a/b"
            case "same id":
                components["fps"]["unique_id"] = components["faces"]["unique_id"]
            case "no id":
                del components["faces"]["unique_id"]
            case "mistyped":
                components["faces"]["state_topc"] = components["faces"].pop("state_topic")
        return message

    for change in ("no origin", "no identifier", "options and a unit", "options without enum", "two pictures"):
        with pytest.raises(jsonschema.ValidationError):
            check_discovery(broken(change))
    for change in ("same id", "no id", "mistyped"):
        with pytest.raises(jsonschema.ValidationError):
            check_discovery(broken(change))


def test_everything_there_is_becomes_an_entity_of_one_device():
    (message,) = told()
    assert {name: each["platform"] for name, each in message["components"].items()} == PLATFORMS
    assert message["device"]["identifiers"] == ["emotion_edge_kitchen"]
    assert message["device"]["configuration_url"] == "http://192.168.1.7:8080/"
    assert message["availability_topic"] == "emotion_edge/kitchen/availability"
    expression = message["components"]["expression"]
    assert expression["device_class"] == "enum"
    assert expression["options"] == [*FER2013_LABELS, "uncertain", "none"]
    assert message["components"]["presence"]["device_class"] == "occupancy"
    assert message["components"]["source"]["options"] == list(SOURCE_STATES)


def test_with_aggregates_only_there_is_no_entity_of_an_expression_and_a_known_one_is_removed():
    first, last = told(aggregate=True)
    assert first["components"]["expression"] == {"platform": "sensor"}
    assert "expression" not in last["components"]
    assert {"presence", "faces"} <= last["components"].keys()


def test_without_pictures_no_address_of_one_is_told():
    first, last = told(addresses("http://a:1", pictures=False, fetchable=True))
    assert first["components"]["picture"] == {"platform": "image"}
    assert "picture" not in last["components"]
    assert "json_attributes_topic" not in last["components"]["source"]
    assert addresses("http://a:1", pictures=False) == Addresses(page="http://a:1/")


def test_a_picture_that_needs_a_login_is_no_entity_but_its_address_is_told():
    _, last = told(addresses("http://a:1", fetchable=False))
    assert "picture" not in last["components"]
    assert last["components"]["source"]["json_attributes_topic"] == "emotion_edge/kitchen/addresses"


def test_every_value_that_a_template_reads_is_in_the_state():
    made = msgspec.structs.replace(Stage().status(), mqtt=MqttStatus("b:1", True, "", 3, 0, 1))
    telling = state(made, Glance(7, 1, "happy", 0.9), "2026-01-01T00:00:00.000Z", aggregate=False)
    (message,) = told()
    for name, component in message["components"].items():
        for key in re.findall(r"value_json\.(\w+)", component.get("value_template", "")):
            assert key in telling, name
    assert telling == {
        "time": "2026-01-01T00:00:00.000Z",
        "presence": True,
        "faces": 1,
        "expression": "happy",
        "confidence": 0.9,
        "source": "online",
        "fps": 29.8,
        "latency_ms": 11.2,
        "events_dropped": 1,
        "schema": 1,
    }


def test_with_aggregates_only_the_state_has_nothing_of_a_face():
    telling = state(Stage().status(), Glance(7, 2, "happy", 0.9), "2026-01-01T00:00:00.000Z", aggregate=True)
    assert telling.keys() == {
        "time", "presence", "faces", "source", "fps", "latency_ms", "events_dropped", "schema"
    }  # fmt: skip
    assert "happy" not in str(telling)
