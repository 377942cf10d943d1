"""What a JSON schema allows, said for people."""

import json
import math
from collections.abc import Mapping
from typing import Any

from edge.schema import Schema


def allowed(schema: Schema, found: Mapping[str, Schema]) -> str:
    """What a schema allows, in words.

    Args:
        schema: of a value.
        found: by name, the schemas that it refers to.
    """
    if "enum" in schema:
        return ", ".join(f"`{_word(value)}`" for value in schema["enum"] if value is not None)
    if "anyOf" in schema:
        # the plain one first
        kinds = sorted(schema["anyOf"], key=lambda each: each.get("type") == "array")
        return " or ".join(dict.fromkeys(allowed(each, found) for each in kinds if each.get("type") != "null"))
    if "$ref" in schema:
        required = found[schema["$ref"].rpartition("/")[2]]["required"]
        return "a table with " + ", ".join(f"`{key}`" for key in required) + " and [more](models.md)"
    if schema["type"] == "array":
        return _list(schema, found)
    return {
        "boolean": "`true`, `false`",
        "integer": f"whole number{_range(schema)}",
        "number": f"number{_range(schema)}",
        "string": f"text of {schema.get('minLength', 0)} characters or more" if _long(schema) else "text",
    }[schema["type"]]


def _list(schema: Schema, found: Mapping[str, Schema]) -> str:
    if "prefixItems" in schema:
        return f"{len(schema['prefixItems'])} numbers"
    most = f" of up to {schema['maxItems']}" if "maxItems" in schema else ""
    return f"list{most}, each {allowed(schema['items'], found)}"


def _long(schema: Schema) -> bool:
    """Whether it says more than that there must be something."""
    least: int = schema.get("minLength", 0)
    return least > 1


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _range(schema: Schema) -> str:
    if "exclusiveMinimum" in schema:
        least = f" above {schema['exclusiveMinimum']:g}"
    elif "minimum" in schema:
        least = f" from {schema['minimum']:g}"
    else:
        least = ""
    most = schema.get("maximum", math.inf)
    if most == math.inf:
        return least
    return f"{least}{',' if 'above' in least else ''} to {_plain(most)}"


def _plain(number: float) -> str:
    return f"{number:,.0f}" if number >= 10_000 else f"{number:g}"
