"""Whether there is room where the program writes, and it may write there."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from edge.doctor.findings import Finding
from edge.doctor.world import World
from edge.named_paths import SERVICE_FOLDER
from edge.server.bind import is_loopback

LEAST_MB: Final = 50
"""Below this nothing works any more: journald, too, needs some."""


class Room(msgspec.Struct, frozen=True):
    """Of a file system.

    Attributes:
        free_mb: for users other than root.
        files: that can still be made; None where there is no such bound.
        read_only: whether nothing can be written at all.
    """

    free_mb: float
    files: int | None
    read_only: bool


class Place(msgspec.Struct, frozen=True):
    """A folder the program writes to.

    Attributes:
        folder: may not be there yet.
        use: what for.
        wanted_mb: of room.
        needed: whether the program wants it with these settings.
        vital: whether it does its work only with it.
    """

    folder: Path
    use: str
    wanted_mb: float
    needed: bool = True
    vital: bool = True


def room(folder: Path) -> Room:
    """Of the file system that a folder is on. Raises OSError."""
    found = os.statvfs(folder)
    files = found.f_favail if found.f_files else None
    return Room(found.f_bavail * found.f_frsize / 1e6, files, bool(found.f_flag & os.ST_RDONLY))


def check(
    world: World,
    room: Callable[[Path], Room] = room,
    may: Callable[[Path], bool] = lambda folder: os.access(folder, os.W_OK | os.X_OK),
) -> Iterator[Finding]:
    """Each place by itself.

    Args:
        world: what to look at.
        room: of a folder that exists; raises OSError.
        may: whether this user may make files in a folder.
    """
    if not hasattr(os, "statvfs"):
        return
    well = []
    for place in _places(world):
        there = _nearest(place.folder)
        try:
            found = room(there)
        except OSError:
            continue  # went in this moment
        finding = _judged(world, place, found) or _permission(world, place, there, may)
        if finding and place.needed:
            yield finding
        elif finding:
            well.append(f"nothing has to be kept in {place.folder}")
        else:
            well.append(f"{found.free_mb / 1000:.1f} GB free for {place.use} in {place.folder}")
    if well:
        yield world.finding("disk-ok", "; ".join(well))


def _places(world: World) -> Iterator[Place]:
    settings = world.settings
    if world.unit.path and world.path(SERVICE_FOLDER).is_dir():
        yield Place(world.path(SERVICE_FOLDER), "the service", LEAST_MB)
    elif world.state:
        server = settings.server
        needed = (server.tls and not server.certificate) or not (is_loopback(server.host) or server.token)
        yield Place(Path(world.state), "token and certificate", LEAST_MB, needed)
    if settings.events:
        yield Place(Path(world.folder, settings.events).parent, "the event log", max(LEAST_MB, settings.events_mb))
    if settings.uploads:
        yield Place(Path(world.folder, settings.uploads), "uploads", LEAST_MB, vital=False)


def _judged(world: World, place: Place, found: Room) -> Finding | None:
    text = f"{found.free_mb:.0f} MB free in {place.folder}, for {place.use}"
    slots = {"wanted": f"{place.wanted_mb:.0f}", "path": str(place.folder)}
    if not place.vital and (found.read_only or found.free_mb < LEAST_MB or found.files == 0):
        never = "; nothing can be written there" if found.read_only or found.files == 0 else ""
        return world.finding("disk-low", f"{text}{never}", **slots)
    if found.read_only:
        return world.finding("disk-read-only", f"{place.folder}, for {place.use}", **slots)
    if found.free_mb < LEAST_MB or found.files == 0:
        return world.finding("disk-full", text if found.files != 0 else f"{text}, and no file can be made", **slots)
    if found.free_mb < place.wanted_mb - _held_mb(world):
        return world.finding("disk-low", text, **slots)
    return None


def _permission(world: World, place: Place, there: Path, may: Callable[[Path], bool]) -> Finding | None:
    """Of this user; what is the service's business is that of its user."""
    others = world.unit.path and not world.for_service
    if others or may(there):
        return None
    found = f"{world.user.name} may not write to {there}, for {place.use}"
    code = "folder-not-writable" if there == place.folder else "folder-missing"
    return world.finding(code, found, path=str(place.folder))


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there: what is missing is made."""
    for candidate in (folder, *folder.parents):
        if os.path.isdir(candidate):  # noqa: PTH112  # in a folder that may be closed to us
            return candidate
    return Path(folder.anchor or ".")


def _held_mb(world: World) -> float:
    """What the event log has taken of its share already."""
    if not world.settings.events:
        return 0.0
    path, held = Path(world.folder, world.settings.events), 0
    try:
        for file in path.parent.glob(f"{path.name}*"):
            held += file.stat().st_size
    except OSError:
        return held / 1e6
    return held / 1e6
