"""A snapshot of the settings as TOML."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from edge.config import Config
from edge.live import SECRET

HIDDEN: Final = "***"
"""Shown instead of a credential that is set."""


def snapshot(config: Config, origins: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """A snapshot as the lines of a TOML file; credentials hidden, and where a value comes from unless it is a default.

    Args:
        config: the snapshot.
        origins: section and key → who set it.
    """
    for section in msgspec.structs.fields(Config):
        yield f"[{section.name}]"
        values = getattr(config, section.name)
        for key in msgspec.structs.fields(section.type):
            value = getattr(values, key.name)
            if value and key.name in SECRET.get(section.name, ()):
                value = HIDDEN
            written = as_toml(value)
            line = f"{key.name} = {written}" if written else f"# {key.name} is not set"
            origin = origins.get((section.name, key.name))
            yield f"{line}  # from {origin}" if origin else line
        yield ""


def as_toml(value: Any) -> str:
    """A value as TOML has it; empty for None, which TOML has not."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:g}" if value == round(value) and abs(value) < 1e6 else repr(value)
        case str():
            return _quoted(value)
        case msgspec.Struct():
            given = {key: as_toml(each) for key, each in msgspec.structs.asdict(value).items()}
            return "{" + ", ".join(f"{key} = {text}" for key, text in given.items() if text) + "}"
        case _:
            return "[" + ", ".join(map(as_toml, value)) + "]"


def _quoted(text: str) -> str:
    """A basic string, whose escapes are those of JSON but for one: TOML wants DEL escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
