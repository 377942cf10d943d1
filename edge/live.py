"""The settings of the running program: one immutable snapshot at a time, swapped whole."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from edge.config import Config, Layer, converted, refuse_unknown, settings
from edge.errors import ConfigError
from edge.tightening import loosened

LIVE: Final = {
    "source": ("max_fps",),
    "detector": ("interval", "max_roi_age_ms", "max_new_face_delay_ms", "tile_interval"),
    "expression": (
        "threshold",
        "smoothing_s",
        "hysteresis",
        "min_hold_s",
        "interval_ms",
        "max_faces",
        "faces",
        "quality_gate",
        "min_read_px",
    ),
    "budget": ("target_fps", "unwatched_fps", "max_latency_ms", "cpu_budget", "max_temperature_c"),
    "stream": ("quality",),
    "privacy": ("video", "events"),
    "server": ("events_hz", "client_kbps"),
    "log": ("level",),
}
"""By section, the keys that may be changed while the program runs."""

SECRET: Final = {"server": ("token", "certificate", "key"), "mqtt": ("password",)}
"""Never shown to anybody."""

Listener = Callable[[Config], None]


class Loosened(ConfigError):
    """More would be told of people than the settings allow that the program was started with."""


class ChangedMeanwhile(ConfigError):
    """Somebody else has changed the settings since they were looked at."""


class Reloaded(NamedTuple):
    """What became of settings that were read again.

    Attributes:
        changed: `section.key` and new value of what holds from now on.
        restart: `section.key` of what was given otherwise than it is, and holds after a restart only.
    """

    changed: tuple[tuple[str, Any], ...]
    restart: tuple[str, ...]


class LiveSettings:
    """Where the parts read the newest snapshot; any thread may, without a lock.

    Attributes:
        current: the newest snapshot. What may be changed while the program runs is read from here each time.
    """

    def __init__(self, config: Config, hide: Callable[[str], str] = lambda _: "***") -> None:
        """`hide` takes passwords out of a source's URI; without it, nothing of that is shown."""
        self.current = config
        self._hide = hide
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def change(self, patch: Any, since: Config | None = None) -> Config:
        """Swap the snapshot for one with other values, all of them or none.

        Args:
            patch: section → key → value, as from JSON.
            since: the snapshot that the change was made for; None: whichever is current.

        Returns:
            The snapshot that is current from now on.

        Raises:
            ChangedMeanwhile: `since` is not current any more.
            Loosened: more would be told of people than now.
            ConfigError: a key is unknown or needs a restart, a value has the wrong type or is out of range.
        """
        origin = "the change"
        if not isinstance(patch, dict):
            raise ConfigError(f'{origin} is no object; expected {{"section": {{"key": value}}}}')
        refuse_unknown(patch, origin)
        _refuse_fixed(patch)
        with self._lock:
            before = self.current
            if since is not None and since is not before:
                raise ChangedMeanwhile("the settings were changed meanwhile; read them again")
            merged: Layer = msgspec.to_builtins(before)
            for section, values in patch.items():
                merged[section].update(values)
            config = converted(merged, origin)
            more = loosened(before.privacy, config.privacy)
            if more:
                raise Loosened(
                    f"privacy.{'; privacy.'.join(more)}; this can only be loosened in the configuration file and by a "
                    "restart or reload"
                )
            self._swap(config)
        return config

    def reload(self, config: Config) -> Reloaded:
        """Swap the snapshot for one that has, of what may be changed while the program runs, all that `config` has.

        What `change` made of these values is gone, as it would be after a restart; unlike there, privacy may be
        loosened: these settings are the owner's.

        Args:
            config: what file, environment and flags come to now.
        """
        with self._lock:
            before = self.current
            sections = {
                section: msgspec.structs.replace(
                    getattr(before, section), **{key: getattr(getattr(config, section), key) for key in keys}
                )
                for section, keys in LIVE.items()
            }
            after = msgspec.structs.replace(before, **sections)
            changed = tuple(differences(before, after))
            if changed:
                self._swap(after)
        return Reloaded(changed, tuple(key for key, _ in differences(after, config)))

    def _swap(self, config: Config) -> None:
        """Within the lock: what the listeners are told last is what is current."""
        self.current = config
        for listener in self._listeners:
            listener(config)

    def on_change(self, listener: Listener) -> None:
        """Have `listener` called after each change, on the thread that made it; it must be quick."""
        self._listeners.append(listener)

    def shown(self, config: Config) -> dict[str, dict[str, Any]]:
        """A snapshot as JSON may have it, without credentials."""
        tree: dict[str, dict[str, Any]] = msgspec.to_builtins(config)
        for section, keys in SECRET.items():
            for key in keys:
                del tree[section][key]
        tree["source"]["uri"] = self._hide(config.source.uri)
        return tree


def live_keys() -> tuple[str, ...]:
    """`section.key` of all that may be changed while the program runs."""
    return tuple(f"{section}.{key}" for section, keys in LIVE.items() for key in keys)


def fixed_keys() -> tuple[str, ...]:
    """`section.key` of all others that are shown."""
    return tuple(
        f"{section}.{key}"
        for section, key, _ in settings()
        if key not in LIVE.get(section, ()) and key not in SECRET.get(section, ())
    )


def differences(before: Config, after: Config) -> Iterator[tuple[str, Any]]:
    """`section.key` and new value of all that has changed."""
    for section, key, _ in settings():
        was, now = (getattr(getattr(config, section), key) for config in (before, after))
        if was != now:
            yield f"{section}.{key}", now


def _refuse_fixed(patch: Layer) -> None:
    fixed = [
        f"{section}.{key}" for section, values in patch.items() for key in values if key not in LIVE.get(section, ())
    ]
    if fixed:
        raise ConfigError(
            f"{', '.join(fixed)} cannot be changed while the program runs: set it in the configuration file and "
            f"restart. What can be: {', '.join(live_keys())}"
        )
