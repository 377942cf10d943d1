"""The schemas of `/api/v1/config`, from those of the settings: what is shown of them, and what may be changed."""

from typing import Any

import msgspec

from edge.config import Config
from edge.live import LIVE, SECRET
from edge.schema import REF, Schema, described
from edge.server.config_api import NOTE


def components() -> dict[str, Schema]:
    """By name, the schemas that the operations on the settings need."""
    _, found = msgspec.json.schema_components((Config,), ref_template=REF)
    sections = {field.name: field.type.__name__ for field in msgspec.structs.fields(Config)}
    others = {name: described(schema) for name, schema in found.items() if name not in (*sections.values(), "Config")}
    keys = {section: described(found[name])["properties"] for section, name in sections.items()}
    shown = {
        section: _object({key: _free(each) for key, each in known.items() if key not in SECRET.get(section, ())}, True)
        for section, known in keys.items()
    }
    live = {section: _object({key: _free(keys[section][key]) for key in LIVE[section]}, False) for section in LIVE}
    names = {"type": "array", "items": {"type": "string"}}
    answer = {
        "config": _object(shown, True),
        "live": {**names, "description": "`section.key` of those that PATCH takes."},
        "restart": {**names, "description": "Of those that need a change of the configuration file and a restart."},
        "note": {"type": "string", "description": "What becomes of changes."},
    }
    return {
        **others,
        "Settings": {"description": "What the program goes by; without credentials.", **_object(answer, True)},
        "SettingsPatch": {"description": f"New values. {NOTE}", **_object(live, False)},
    }


def _object(properties: dict[str, Any], complete: bool) -> Schema:
    """One whose keys are all there, or some of them; no others."""
    required = {"required": list(properties)} if complete else {}
    return {"type": "object", "properties": properties, **required, "additionalProperties": False}


def _free(schema: Schema) -> Schema:
    """Of a value that is told, or left alone if it is not given: what the program begins with is no matter."""
    return {key: value for key, value in schema.items() if key != "default"}
