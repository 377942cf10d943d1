"""JSON Schemas of our own types, with what their docstrings say of each attribute."""

import inspect
import re
from typing import Any, Final

REF: Final = "#/components/schemas/{name}"
"""Where schemas refer to each other, as OpenAPI has it."""

Schema = dict[str, Any]


def described(schema: Schema) -> Schema:
    """A type's schema, its docstring taken apart: what stands under "Attributes" goes to the attributes.

    Those that have a default are there in every answer too.
    """
    head, _, tail = inspect.cleandoc(schema.get("description", "")).partition("\nAttributes:\n")
    texts = {name: " ".join(text.split()) for name, text in re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", tail, re.M)}
    properties = {
        name: {**untitled(each), "description": texts[name]} if name in texts else untitled(each)
        for name, each in schema.get("properties", {}).items()
    }
    return {
        **untitled(schema),
        "description": head.strip(),
        **({"properties": properties, "required": list(properties)} if properties else {}),
    }


def untitled(schema: Schema) -> Schema:
    """Titles say nothing that the names do not."""
    return {key: value for key, value in schema.items() if key != "title"}
