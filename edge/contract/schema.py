"""The card's JSON Schema, for programs that read or write cards without this one.

It follows from the card's types. `python -m edge.contract.schema` writes the file anew after a change.
"""

import inspect
import re
from pathlib import Path
from typing import Any

import msgspec

from edge.contract.card import ModelCard

SCHEMA_FILE = Path(__file__).with_name("card.schema.json")

_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*)$")


def card_schema() -> bytes:
    """JSON Schema (draft 2020-12) of the model card, as `SCHEMA_FILE` holds it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(ModelCard)}
    schema["$defs"] = {name: _described(definition) for name, definition in schema["$defs"].items()}
    schema["$defs"][ModelCard.__name__]["required"].append("schema")
    return msgspec.json.format(msgspec.json.encode(schema)) + b"\n"


def _described(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition with what its docstring says of each attribute put to that attribute."""
    head, _, attributes = inspect.cleandoc(definition.get("description", "")).partition("\n\nAttributes:\n")
    texts: dict[str, str] = {}
    name = ""
    for line in attributes.splitlines():
        found = _ATTRIBUTE.match(line)
        if found:
            name = found[1]
        if line.strip():
            texts[name] = found[2] if found else f"{texts[name]} {line.strip()}"
    properties = {
        key: {**value, "description": texts[key]} if key in texts else value
        for key, value in definition.get("properties", {}).items()
    }
    return {**definition, "description": " ".join(head.split()), "properties": properties}


if __name__ == "__main__":
    SCHEMA_FILE.write_bytes(card_schema())
