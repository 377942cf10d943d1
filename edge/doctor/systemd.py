"""Reads what systemd and the unit's files tell of the service. Needs no privileges."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge.doctor.world import SERVICE_PROGRAM, Unit, World

NAME: Final = "emotion-edge.service"
DROP_IN: Final = "picamera2.conf"
FOLDERS: Final = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
)
"""Where unit files are; the first that has one counts."""
ASK_S: Final = 10.0
YOUNG_S: Final = 20.0
"""What a start may take: a camera on a ribbon cable answers after some ten seconds on a small board."""
_PROPERTIES: Final = (
    "LoadState",
    "UnitFileState",
    "ActiveState",
    "SubState",
    "Result",
    "ExecMainStatus",
    "MainPID",
    "NRestarts",
    "StartLimitBurst",
    "NeedDaemonReload",
    "StatusText",
    "ActiveEnterTimestampMonotonic",
)


def read_unit(world: World) -> Unit:
    """Everything there is to know."""
    shown = _shown()
    systemd = shown is not None
    files = _files(world)
    if not files:
        return Unit(systemd=systemd)
    settings = [pair for file in files for pair in _pairs(world.path(file))]
    words = shown or {}
    return Unit(
        systemd=systemd,
        path=files[0],
        load=words.get("LoadState", ""),
        program=_last(settings, "ExecStart", SERVICE_PROGRAM).split()[0].lstrip("@-:+!"),
        user=_last(settings, "User", "root"),
        groups=tuple(name for key, value in settings if key == "SupplementaryGroups" for name in value.split()),
        credentials=tuple(_credentials(settings)),
        drop_ins=files[1:],
        enabled=words.get("UnitFileState", ""),
        active=words.get("ActiveState", ""),
        sub=words.get("SubState", ""),
        result=words.get("Result", ""),
        status=_number(words, "ExecMainStatus"),
        pid=_number(words, "MainPID"),
        restarts=_number(words, "NRestarts"),
        starts=_number(words, "StartLimitBurst"),
        stale=words.get("NeedDaemonReload") == "yes",
        says=words.get("StatusText", ""),
        young=_age_s(words) < YOUNG_S,
    )


def _shown() -> dict[str, str] | None:
    """What `systemctl show` tells; None where no systemd runs."""
    if shutil.which("systemctl") is None:
        return None
    command = ["systemctl", "show", NAME, f"--property={','.join(_PROPERTIES)}"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ASK_S,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    lines = done.stdout.decode(errors="replace").splitlines()
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def _files(world: World) -> tuple[str, ...]:
    """The unit's file and its drop-ins in the order in which they count; empty: it is not installed."""
    own = next((f"{folder}/{NAME}" for folder in FOLDERS if world.path(f"{folder}/{NAME}").is_file()), None)
    if own is None:
        return ()
    # of drop-ins of the same name the first folder's counts, and all are read in the order of their names
    found: dict[str, str] = {}
    for folder in FOLDERS:
        for file in world.path(f"{folder}/{NAME}.d").glob("*.conf"):
            found.setdefault(file.name, f"{folder}/{NAME}.d/{file.name}")
    return (own, *(path for _, path in sorted(found.items())))


def _pairs(file: Path) -> Iterator[tuple[str, str]]:
    """Keys and values of a unit file, sections aside: no key that is read here is in two of them."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
    except OSError:
        return
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.lstrip().startswith(("#", ";")):
            yield key.strip(), value.strip()


def _last(settings: list[tuple[str, str]], key: str, default: str) -> str:
    values = [value for name, value in settings if name == key and value]
    return values[-1] if values else default


def _credentials(settings: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Name and path of those that are loaded from files."""
    for key, value in settings:
        name, _, path = value.partition(":")
        if key == "LoadCredential" and path.startswith("/"):
            yield name, path


def _age_s(words: dict[str, str]) -> float:
    """Since when it runs, by the clock that systemd goes by."""
    since_us = _number(words, "ActiveEnterTimestampMonotonic")
    return time.monotonic() - since_us / 1e6 if since_us else float("inf")


def _number(words: dict[str, str], key: str) -> int:
    value = words.get(key, "")
    return int(value) if value.isdecimal() else 0
