"""What Home Assistant takes for the discovery of a device, as its documentation has it, told in JSON Schema.

https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload and the pages on the MQTT sensor, binary
sensor and image. Stricter in one thing: it leaves out keys of components that it does not know, here they are errors.
"""

from typing import Any

import jsonschema

TEXT = {"type": "string", "minLength": 1}
TOPIC = {"type": "string", "pattern": "^[^#+]+$"}
TEMPLATE = {"type": "string", "pattern": r"^\{\{.+\}\}$"}
WEB = {"type": "string", "pattern": "^https?://."}

ENTITY: dict[str, Any] = {
    "platform": {"enum": ["sensor", "binary_sensor", "image"]},
    "unique_id": TEXT,
    "name": TEXT,
    "icon": {"type": "string", "pattern": "^mdi:[a-z0-9-]+$"},
    "entity_category": {"const": "diagnostic"},
    "json_attributes_topic": TOPIC,
}
READ = {"state_topic": TOPIC, "value_template": TEMPLATE}

SENSOR = {
    "type": "object",
    "properties": {
        **ENTITY,
        **READ,
        "device_class": {"enum": ["enum", "duration"]},
        "options": {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True},
        "state_class": {"enum": ["measurement", "total", "total_increasing"]},
        "unit_of_measurement": TEXT,
        "suggested_display_precision": {"type": "integer", "minimum": 0},
    },
    "required": ["platform", "unique_id", "state_topic"],
    "additionalProperties": False,
    "allOf": [
        {
            "if": {"required": ["options"]},
            "then": {
                "properties": {"device_class": {"const": "enum"}},
                "required": ["device_class"],
                "not": {"anyOf": [{"required": ["state_class"]}, {"required": ["unit_of_measurement"]}]},
            },
        },
        {
            "if": {"properties": {"device_class": {"const": "duration"}}, "required": ["device_class"]},
            "then": {
                "properties": {"unit_of_measurement": {"enum": ["d", "h", "min", "s", "ms", "µs"]}},
                "required": ["unit_of_measurement"],
            },
        },
    ],
}
BINARY_SENSOR = {
    "type": "object",
    "properties": {**ENTITY, **READ, "device_class": {"enum": ["occupancy", "presence", "motion"]}},
    "required": ["platform", "unique_id", "state_topic"],
    "additionalProperties": False,
}
IMAGE = {
    "type": "object",
    "properties": {**ENTITY, "url_topic": TOPIC, "image_topic": TOPIC, "url_template": TEMPLATE},
    "required": ["platform", "unique_id"],
    "oneOf": [{"required": ["url_topic"]}, {"required": ["image_topic"]}],
    "additionalProperties": False,
}
REMOVED = {
    "type": "object",
    "properties": {"platform": ENTITY["platform"]},
    "required": ["platform"],
    "additionalProperties": False,
}


def _of(platform: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {"platform": {"const": platform}}}, "then": {"anyOf": [REMOVED, schema]}}


DEVICE_DISCOVERY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "device": {
            "type": "object",
            "properties": {
                "identifiers": {"type": "array", "items": TEXT, "minItems": 1},
                **dict.fromkeys(("name", "manufacturer", "model", "sw_version"), TEXT),
                "configuration_url": WEB,
            },
            "required": ["identifiers"],
            "additionalProperties": False,
        },
        "origin": {
            "type": "object",
            "properties": {"name": TEXT, "sw_version": TEXT, "support_url": WEB},
            "required": ["name"],
            "additionalProperties": False,
        },
        "availability_topic": TOPIC,
        "components": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["platform"],
                "properties": {"platform": ENTITY["platform"]},
                "allOf": [_of("sensor", SENSOR), _of("binary_sensor", BINARY_SENSOR), _of("image", IMAGE)],
            },
        },
    },
    "required": ["device", "origin", "components"],
    "additionalProperties": False,
}


def check_discovery(payload: Any) -> None:
    """Refuse what Home Assistant would.

    Raises:
        jsonschema.ValidationError: it does not fit.
    """
    jsonschema.Draft202012Validator(DEVICE_DISCOVERY).validate(payload)
    names = [each["unique_id"] for each in payload["components"].values() if "unique_id" in each]
    if len(set(names)) != len(names):
        raise jsonschema.ValidationError(f"two entities have the same unique_id: {names}")
