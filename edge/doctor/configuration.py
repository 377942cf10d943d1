"""Whether the configuration is valid, and nobody reads the secrets in it that should not."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from edge.config import Config
from edge.config_layers import default_file, load
from edge.doctor import modes
from edge.doctor.findings import Finding
from edge.doctor.names import in_utf8
from edge.doctor.world import HIDDEN, Settings, World
from edge.errors import ConfigError
from edge.sources.specs import Picamera2Spec, V4l2Spec, redacted
from edge.sources.uri import AUTO, parse


def learn(world: World) -> World:
    """The world with its settings; with the defaults and the reason where they are refused."""
    file = Path(world.config) if world.config else default_file(os.environ)
    name = in_utf8(str(file or ""))
    try:
        config = load(file)
        secret = file is not None and _has_secret(load(file, environment={}))
    except ConfigError as error:
        return replace(world, settings=Settings(file=name, problem=in_utf8(str(error)), refused=_refusal(error)))
    return replace(world, settings=_settings(config, name, secret))


def check(world: World) -> Iterator[Finding]:
    """What `learn` found, and who may read it."""
    settings = world.settings
    if settings.problem:
        yield world.finding(settings.refused, settings.problem, path=settings.file)
    elif settings.secret and modes.mode(Path(settings.file)) & stat.S_IROTH:
        yield world.finding("config-open-to-others", modes.told(Path(settings.file)), path=settings.file)
    else:
        found = f"settings of {settings.file}" if settings.file else "no file: all settings are the defaults"
        yield world.finding("configuration-ok", found)
    token = Path(world.state, "token")
    if modes.mode(token) & modes.OTHERS:
        yield world.finding("token-open-to-others", modes.told(token), path=str(token))


def config_or_defaults(world: World) -> Config:
    """All settings, in a process that can load what they are made of; the defaults where they were refused."""
    if world.settings.refused:
        return Config()
    try:
        return load(Path(world.config) if world.config else None)
    except ConfigError:
        return Config()


def _refusal(error: ConfigError) -> str:
    """The code for it."""
    match error.__cause__:
        case FileNotFoundError() | NotADirectoryError() | IsADirectoryError():
            return "config-missing"
        case OSError():
            return "config-unreadable"
        case _:
            return "config-invalid"


def _settings(config: Config, file: str, secret: bool) -> Settings:
    server = config.server
    return Settings(
        file=file,
        secret=secret,
        source=config.source.uri,
        camera=_is_camera(config.source.uri),
        server=replace(server, token=HIDDEN if server.token else None),
        mqtt=replace(config.mqtt, password=HIDDEN if config.mqtt.password else None),
        events=config.events.path,
        events_mb=config.events.max_mb * (config.events.keep + 1),
        uploads=(config.uploads.folder or tempfile.gettempdir()) if config.uploads.enabled else "",
        max_temperature_c=config.budget.max_temperature_c,
        sysfs=config.budget.sysfs,
    )


def _is_camera(uri: str) -> bool:
    """Whether it is one of this machine."""
    if uri.strip() == AUTO:
        return True
    try:
        return isinstance(parse(uri), V4l2Spec | Picamera2Spec)
    except ConfigError:
        return False


def _has_secret(config: Config) -> bool:
    passwords = (config.server.token, config.mqtt.password)
    return any(passwords) or redacted(config.source.uri) != config.source.uri
