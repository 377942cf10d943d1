"""Whether the source that the settings name is there, free, and delivers a picture. No picture is kept."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.doctor.apt_packages import visible
from edge.doctor.findings import Finding
from edge.doctor.world import World
from edge.errors import ConfigError, EdgeError
from edge.sources.cameras import survey
from edge.sources.choosing import probe as take_picture
from edge.sources.opening import check as check_uri
from edge.sources.picamera2 import RibbonCamera, ribbon_cameras
from edge.sources.specs import FileSpec, ImagesSpec, Picamera2Spec, UrlSpec, V4l2Spec, redacted
from edge.sources.uri import AUTO, parse
from edge.sources.v4l2 import device_path, explain, holders, video_devices
from edge.sources.v4l2_modes import Card, read_card

Probe = Callable[[str], None]
Ribbon = Callable[[], tuple[RibbonCamera, ...]]
CardOf = Callable[[Path], Card]


def check(
    world: World,
    probe: Probe | None = take_picture,
    ribbon: Ribbon = ribbon_cameras,
    card_of: CardOf = read_card,
) -> Iterator[Finding]:
    """See `Finding`.

    Args:
        world: what to look at.
        probe: takes a picture from a URI; raises EdgeError. None: none is to be taken.
        ribbon: the cameras on ribbon cables; raises EdgeError.
        card_of: asks a node what it is; raises OSError.
    """
    uri = world.settings.source
    try:
        spec = None if uri.strip() == AUTO else parse(uri)
        check_uri(uri)
    except ConfigError as error:
        yield world.finding("source-unusable", str(error))
        return
    if world.unit.running and world.settings.camera:
        if not world.unit.without_pictures:
            yield _left_alone(world)
            return
        probe = None  # which the service tries itself; why it does not succeed can be seen without
    match spec:
        case None:
            yield from _auto(world, probe, ribbon, card_of)
        case V4l2Spec(device=device):
            yield from _node(world, uri, world.path(str(device_path(device))), probe)
        case Picamera2Spec(camera=number):
            yield from _ribbon(world, uri, number, probe, ribbon)
        case UrlSpec():
            yield from _picture(world, (uri,), probe)
        case FileSpec() | ImagesSpec():
            yield from _picture(world, (uri,), probe, "source-unusable")
        case _:
            yield world.finding("camera-ok", f"{redacted(uri)} needs no camera of this machine")


def _auto(world: World, probe: Probe | None, ribbon: Ribbon, card_of: CardOf) -> Iterator[Finding]:
    """All cameras there are, as `--source auto` sees them."""
    on_cable: tuple[RibbonCamera, ...] = ()
    try:
        on_cable = ribbon()
    except EdgeError as error:
        if visible(world, "picamera2"):  # most machines have none, and need none
            yield world.finding("picamera2-unusable", str(error))
    dev, proc = world.path("/dev"), world.path("/proc")
    found = survey(dev=dev, proc=proc, card_of=card_of, ribbon=lambda: on_cable)
    free = tuple(camera.uri for camera in found.cameras if not camera.used_by)
    if free:
        yield from _picture(world, free, probe)
    elif found.cameras:
        users = dict.fromkeys(user for camera in found.cameras for user in camera.used_by)
        yield _busy(world, found.cameras[0].uri.partition(":")[2], tuple(users))
    elif all(os.access(node, os.R_OK | os.W_OK) for node in video_devices(dev)):  # else see `access`
        notes = [note for note in found.notes if on_cable or not note.startswith("picamera2 sees")]
        yield world.finding("camera-none", "; ".join(note.partition(";")[0] for note in notes) or "no camera")


def _node(world: World, uri: str, node: Path, probe: Probe | None) -> Iterator[Finding]:
    """A V4L2 camera, by its node."""
    dev, proc = world.path("/dev"), world.path("/proc")
    if not node.exists():
        found = explain(node, dev, proc).partition(";")[0]
        yield world.finding("camera-missing", found, path=str(node))
        return
    users = holders(node, proc)
    if users:
        yield _busy(world, str(node), users)
    elif os.access(node, os.R_OK | os.W_OK):  # else see `access`
        yield from _picture(world, (uri,), probe)


def _busy(world: World, node: str, users: tuple[str, ...]) -> Finding:
    found = f"{node} is in use by {', '.join(users)}"
    if all(user.startswith("emotion-edge ") for user in users):
        return world.finding("camera-of-service", found)
    return world.finding("camera-busy", found, path=node)


def _ribbon(world: World, uri: str, number: int, probe: Probe | None, ribbon: Ribbon) -> Iterator[Finding]:
    """A camera on a ribbon cable."""
    try:
        known = ribbon()
    except EdgeError as error:
        yield world.finding("picamera2-unusable", str(error))
        return
    if all(camera.number != number for camera in known):
        names = ", ".join(f"{camera.number}: {camera.model}" for camera in known) or "none"
        yield world.finding("camera-missing", f"libcamera sees no camera {number}; it sees {names}", path=uri)
    else:
        yield from _picture(world, (uri,), probe)


def _left_alone(world: World) -> Finding:
    found = f"the service (process {world.unit.pid}) runs: {world.unit.says or 'it says nothing of itself'}"
    return world.finding("camera-of-service", found)


def _picture(
    world: World, uris: tuple[str, ...], probe: Probe | None, code: str = "camera-no-picture"
) -> Iterator[Finding]:
    """The first that delivers one; `code` if none does."""
    if probe is None:
        yield _left_alone(world)
        return
    reasons = []
    for uri in uris:
        try:
            probe(uri)
        except EdgeError as error:
            reasons.append(str(error).replace(uri, redacted(uri)))
        else:
            yield world.finding("camera-ok", f"{redacted(uri)} has delivered a picture")
            return
    yield world.finding(code, "; ".join(reasons))
