"""What Home Assistant is told of the device: one message with all of its entities.

As https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload has it (since 2024.12). What a message
leaves out is not removed there, so whatever is not to be (any more) is first named with its platform alone.
"""

from collections.abc import Sequence
from typing import Any, Final

from edge import __version__
from edge.sinks.mqtt_state import NOBODY
from edge.sinks.mqtt_topics import Addresses, Topics
from edge.status import SOURCE_STATES
from edge.types import UNCERTAIN

PLATFORMS: Final = {
    "presence": "binary_sensor",
    "expression": "sensor",
    "faces": "sensor",
    "picture": "image",
    "fps": "sensor",
    "latency": "sensor",
    "source": "sensor",
}
"""Every entity there can be, and of what kind it is."""

Payload = dict[str, Any]


def discovery(topics: Topics, labels: Sequence[str], told: Addresses, *, aggregate: bool) -> tuple[Payload, ...]:
    """The messages to publish, in this order; only the last is to be retained.

    Args:
        topics: of the device.
        labels: class names of the expression model.
        told: where pages and pictures are, as far as that may be told.
        aggregate: whether nothing of single faces may be told.
    """
    entities = _entities(topics, labels, told, aggregate=aggregate)
    message = _message(topics, entities, told)
    absent = {name: {"platform": platform} for name, platform in PLATFORMS.items() if name not in entities}
    return ({**message, "components": {**entities, **absent}}, message) if absent else (message,)


def _message(topics: Topics, entities: Payload, told: Addresses) -> Payload:
    device = {
        "identifiers": [f"emotion_edge_{topics.id}"],
        "name": topics.name,
        "manufacturer": "emotion-edge",
        "model": "emotion-edge",
        "sw_version": __version__,
    }
    if told.page:
        device["configuration_url"] = told.page
    return {
        "device": device,
        "origin": {"name": "emotion-edge", "sw_version": __version__},
        "availability_topic": topics.availability,
        "components": entities,
    }


def _entities(topics: Topics, labels: Sequence[str], told: Addresses, *, aggregate: bool) -> Payload:
    """By name, all that there are to be."""
    found: Payload = {
        "presence": {
            "name": "Presence",
            "device_class": "occupancy",
            "value_template": "{{ 'ON' if value_json.presence else 'OFF' }}",
        },
        "faces": {
            "name": "Faces",
            "icon": "mdi:account-group",
            "state_class": "measurement",
            "value_template": "{{ value_json.faces }}",
        },
        "fps": {
            "name": "Frame rate",
            "icon": "mdi:filmstrip",
            "state_class": "measurement",
            "unit_of_measurement": "fps",
            "suggested_display_precision": 1,
            "entity_category": "diagnostic",
            "value_template": "{{ value_json.fps }}",
        },
        "latency": {
            "name": "Latency",
            "device_class": "duration",
            "state_class": "measurement",
            "unit_of_measurement": "ms",
            "suggested_display_precision": 0,
            "entity_category": "diagnostic",
            "value_template": "{{ value_json.latency_ms }}",
        },
        "source": {
            "name": "Source",
            "icon": "mdi:cctv",
            "device_class": "enum",
            "options": list(SOURCE_STATES),
            "entity_category": "diagnostic",
            "value_template": "{{ value_json.source }}",
        },
    }
    if not aggregate:
        found["expression"] = {
            "name": "Expression",
            "icon": "mdi:emoticon-outline",
            "device_class": "enum",
            "options": list(dict.fromkeys((*labels, UNCERTAIN, NOBODY))),
            "value_template": "{{ value_json.expression }}",
        }
    for entity in found.values():
        entity["state_topic"] = topics.state
    if told.stream:
        found["source"]["json_attributes_topic"] = topics.addresses
    if told.still and told.fetchable:
        found["picture"] = {"name": "Picture", "url_topic": topics.still}
    return {
        name: {"platform": PLATFORMS[name], "unique_id": f"emotion_edge_{topics.id}_{name}", **entity}
        for name, entity in found.items()
    }
