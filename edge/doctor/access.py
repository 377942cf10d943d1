"""Whether the cameras' device nodes are open to this user, and to the service's."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from edge.doctor import accounts
from edge.doctor.apt_packages import visible
from edge.doctor.findings import Finding
from edge.doctor.world import World
from edge.errors import ConfigError
from edge.sources.specs import V4l2Spec
from edge.sources.uri import AUTO, parse
from edge.sources.v4l2 import device_path

CAMERAS: Final = "video"
"""The group that udev gives cameras to, on Debian and its kin."""
GRAPHICS: Final = "render"
_ROOT: Final = ("root", "0")
May = Callable[[Path], bool]


def check(world: World, may: May = lambda node: os.access(node, os.R_OK | os.W_OK)) -> Iterator[Finding]:
    """Groups and nodes.

    Args:
        world: what to look at.
        may: whether this user may use a node; root may use all.
    """
    wrong = False
    for finding in (*_user(world, may), *_service(world)):
        wrong = True
        yield finding
    if not wrong:
        nodes = len(_nodes(world))
        groups = ", ".join(world.user.groups) or "no group known here"
        yield world.finding("access-ok", f"{nodes} video devices; {world.user.name} is in {groups}")


def _user(world: World, may: May) -> Iterator[Finding]:
    """Of the one who asks."""
    closed = [node for node in _wanted(world) if not may(node)]
    if closed:
        yield _closed(world, closed[0])
    drawing = world.path("/dev/dri").glob("renderD*")
    if visible(world, "picamera2") and any(not may(node) for node in drawing):
        found = f"{world.user.name} is in {', '.join(world.user.groups)}"
        yield world.finding("user-not-in-render", found)


def _closed(world: World, node: Path) -> Finding:
    etc = world.path("/etc")
    group = _group_of(etc, node)
    name, found = world.user.name, f"{world.user.name} may not use {node}, which is of the group {group}"
    if group in world.user.groups or group == "root":
        return world.finding("camera-forbidden", found, path=str(node))
    if group in accounts.groups_of(etc, name):
        return world.finding("group-needs-login", f"{found}; {name} is in it since the last login", group=group)
    return world.finding("user-not-in-group", found, group=group)


def _service(world: World) -> Iterator[Finding]:
    """Of an installed service."""
    unit, etc = world.unit, world.path("/etc")
    if not unit.path:
        return
    if not accounts.has_user(etc, unit.user):
        yield world.finding("service-user-missing", f"{unit.path} says User={unit.user}", user=unit.user)
    elif unit.user in _ROOT or (world.of_service and not world.settings.camera):
        return
    elif CAMERAS not in (*unit.groups, *accounts.groups_of(etc, unit.user)):
        found = f"{unit.user} is in {', '.join(accounts.groups_of(etc, unit.user)) or 'no group'}"
        yield world.finding("service-user-not-in-group", found, user=unit.user)


def _wanted(world: World) -> list[Path]:
    """Nodes that the settings ask for: all of them if any camera will do, or one on a ribbon cable."""
    uri = world.settings.source
    if not world.settings.camera:
        return []
    try:
        spec = None if uri.strip() == AUTO else parse(uri)
    except ConfigError:
        return []
    if isinstance(spec, V4l2Spec):
        node = world.path(str(device_path(spec.device)))
        return [node] if node.exists() else []
    return _nodes(world)


def _nodes(world: World) -> list[Path]:
    return sorted(world.path("/dev").glob("video[0-9]*"))


def _group_of(etc: Path, node: Path) -> str:
    """Name of the group that a node belongs to, or its number."""
    try:
        gid = node.stat().st_gid
    except OSError:
        return CAMERAS
    return next((group.name for group in accounts.groups(etc) if group.gid == gid), str(gid))
