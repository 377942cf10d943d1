"""Where settings come from: defaults < TOML file < environment < flags, and the service manager's credentials."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from edge.config import (
    ENVIRONMENT_PREFIX,
    NEVER_QUOTED,
    Config,
    Layer,
    Models,
    choices,
    converted,
    refuse_unknown,
    settings,
    unknown,
)
from edge.credentials import credential
from edge.errors import ConfigError
from edge.named_paths import is_file

CONFIG_VARIABLE = "EMOTION_EDGE_CONFIG"
SYSTEM_FILE = Path("/etc/emotion-edge/config.toml")


def load(file: Path | None = None, flags: Layer | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """Put the layers together.

    Args:
        file: the TOML file; None: `$EMOTION_EDGE_CONFIG`, else the user's, else the system's, else none.
        flags: section → key → value, as given on the command line.
        environment: where `EMOTION_EDGE_<SECTION>_<KEY>` is looked up, and where credentials lie.

    Raises:
        ConfigError: a file is missing or no TOML, a key is unknown, a value has the wrong type or is out of range, a
            credential is needed and cannot be read.
    """
    merged: Layer = {}
    for origin, layer in layers(file, flags, environment):
        refuse_unknown(layer, origin)
        _refuse_undecodable(layer, origin)
        for section, values in layer.items():
            merged.setdefault(section, {}).update(values)
        # after each layer, so that the message names the layer that is wrong
        config = converted(merged, origin)
    return config


def layers(
    file: Path | None = None, flags: Layer | None = None, environment: Mapping[str, str] = os.environ
) -> Iterator[tuple[str, Layer]]:
    """What sets values, as `load` has it, and who that is; the later wins.

    The last are the service manager's credentials: `token` for `server.token`, and for a broker's `mqtt.password`
    `mqtt-password`, if none before has set that.

    Raises:
        ConfigError: a file is missing or no TOML, a variable is unknown or no value for its setting, the credential is
            empty or cannot be read.
    """
    given: Layer = {}
    for origin, layer in _written(file, flags or {}, environment):
        yield origin, layer
        for section in ("server", "mqtt"):
            given.setdefault(section, {}).update(layer.get(section, {}))
    token = None if "token" in given["server"] else credential("token", environment)
    if token is not None:
        yield "the credential token", {"server": {"token": token}}
    asked = given["mqtt"].get("host") and "password" not in given["mqtt"]
    password = credential("mqtt-password", environment) if asked else None
    if password is not None:
        yield "the credential mqtt-password", {"mqtt": {"password": password}}


def _written(file: Path | None, flags: Layer, environment: Mapping[str, str]) -> Iterator[tuple[str, Layer]]:
    path = file or default_file(environment)
    if path is not None:
        yield str(path), _read(path)
    yield "the environment", _from_environment(environment)
    yield "the command line", flags


def default_file(environment: Mapping[str, str]) -> Path | None:
    """The configuration file to read when none is named, or None."""
    named = environment.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    home = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "/")) / ".config")
    for path in (Path(home) / "emotion-edge" / "config.toml", SYSTEM_FILE):
        if is_file(path):
            return path
    return None


def _read(path: Path) -> Layer:
    try:
        layer: Layer = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        remedy = "check the path"
        if isinstance(error, PermissionError) and path == SYSTEM_FILE:
            remedy = "the service's is for root and the service's user only: use sudo, or name another with --config"
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}; {remedy}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error
    return layer


def _from_environment(environment: Mapping[str, str]) -> Layer:
    layer: Layer = {}
    known = {f"{ENVIRONMENT_PREFIX}{section}_{key}".upper() for section, key, _ in settings()}
    prefixes = tuple(f"{ENVIRONMENT_PREFIX}{section}_".upper() for section in {section for section, _, _ in settings()})
    for variable in environment:
        if variable.startswith(prefixes) and variable not in known:
            raise ConfigError(unknown("variable", variable, sorted(known), "the environment"))
    for section, key, kind in settings():
        variable = f"{ENVIRONMENT_PREFIX}{section}_{key}".upper()
        text = environment.get(variable)
        if text is None:
            continue
        try:
            layer.setdefault(section, {})[key] = _from_text(text, kind)
        except msgspec.DecodeError as error:
            shown = "***" if key in NEVER_QUOTED else text
            raise ConfigError(f"bad value {shown!r} in {variable}: {error}{choices(kind)}") from None
    return layer


def _from_text(text: str, kind: Any) -> Any:
    """A variable's value; regions and contracts as JSON."""
    several = kind == Models and os.pathsep in text
    try:
        return msgspec.convert(text.split(os.pathsep) if several else text, kind, strict=False)
    except msgspec.ValidationError:
        if not text.startswith(("[", "{")):
            raise
        return msgspec.json.decode(text, type=kind)


def _refuse_undecodable(layer: Layer, origin: str) -> None:
    """Names of files are bytes, and need not be UTF-8; records, `/state` and the log are text."""
    for section, values in layer.items():
        for key, value in values.items():
            if isinstance(value, str) and value != value.encode(errors="replace").decode():
                shown = "***" if key in NEVER_QUOTED else os.fsencode(value).decode("utf-8", "backslashreplace")
                raise ConfigError(
                    f"{section}.{key} in {origin} is not in UTF-8: {shown}; rename the file, or link to it"
                )
