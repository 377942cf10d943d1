"""Cameras of the operating system: V4L2 on Linux, whatever OpenCV finds elsewhere."""

import getpass
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec

from edge.demand import every
from edge.errors import ConfigError
from edge.ports import Clock, Wanted
from edge.sources.frozen import Watched
from edge.sources.newest import NewestFrame
from edge.sources.opencv import CaptureDevice, hush
from edge.sources.refused import tell_refused
from edge.sources.specs import V4l2Spec
from edge.sources.v4l2_modes import Mode, read_card
from edge.sources.v4l2_settings import best_format, settle
from edge.sources.whereabouts import Whereabouts
from edge.types import PixelFormat, Pixels

OPEN_TIMEOUT_S = 5.0
"""Slow USB cameras take three seconds to their first picture."""

_whereabouts = Whereabouts()


def open_v4l2(spec: V4l2Spec, clock: Clock, wanted: Wanted = every) -> NewestFrame:
    """Open a camera and wait for its first picture. Its name tells what it did not take of the mode asked for.

    Args:
        spec: which, and its mode.
        clock: stamps the frames.
        wanted: which pictures are to be decoded.

    Raises:
        ConfigError: this system knows its cameras by number only.
        TemporaryError: none came; says whether the device is missing, forbidden or busy.
    """
    asked = device_path(spec.device) if sys.platform.startswith("linux") else None
    device = _whereabouts.find(asked) if asked else None
    name = f"v4l2:{device or spec.device}"
    advice = "check the cable, then `ls -l /dev/video*` and `v4l2-ctl --list-devices`"
    index = None if device else camera_index(spec.device)
    refused: list[str] = []
    source = NewestFrame(
        name, lambda: _V4l2Device(spec, device or index or 0, clock, refused), clock, OPEN_TIMEOUT_S, advice, wanted
    )
    tell_refused(source, refused)
    if asked and device:
        _whereabouts.worked(asked, device)
    return source


class _V4l2Device:
    """One that is open and set.

    Args:
        spec: the mode that is wanted.
        device: the node on Linux, a number elsewhere.
        clock: the world's time.
        refused: what the camera did not take is put here.
    """

    def __init__(self, spec: V4l2Spec, device: Path | int, clock: Clock, refused: list[str]) -> None:
        hush()
        if isinstance(device, Path):
            name = str(device)
            capture = cv2.VideoCapture(name, cv2.CAP_V4L2)
            wanted = spec
        else:
            name = f"camera {device}"
            capture = cv2.VideoCapture(device, cv2.CAP_ANY)
            # every backend counts exposure in a unit of its own
            wanted = msgspec.structs.replace(spec, exposure=None)
            refused += ["exposure is not set on this system"] * (spec.exposure is not None)
        if capture.isOpened():
            shortfall = settle(capture, wanted, best_format(_modes(device), wanted))
            refused += [shortfall] * bool(shortfall)
        camera = CaptureDevice(
            capture,
            lambda: (
                explain(device)
                if isinstance(device, Path)
                else f"{name} delivers no picture; is another program using it?"
            ),
        )
        stuck = (
            f"{name} has delivered the same picture for {spec.frozen_s:g} s, which no sensor does; plug the camera in "
            f"again or restart what feeds it (a picture that is meant to stand still needs frozen=0)"
        )
        self._device = Watched(name, camera, spec.frozen_s, clock, stuck)

    def grab(self, wanted: Callable[[], bool]) -> tuple[Pixels, PixelFormat] | None:
        """See `Device`."""
        return self._device.grab(wanted)

    def close(self) -> None:
        """See `Device`."""
        self._device.close()


def _modes(device: Path | int) -> tuple[Mode, ...]:
    try:
        return read_card(device).modes if isinstance(device, Path) else ()
    except OSError:
        return ()


def camera_index(device: str) -> int:
    """The number by which OpenCV knows a camera where there are no nodes.

    Raises:
        ConfigError: the device is named in another way.
    """
    found = re.fullmatch(r"(?:/dev/video)?(\d+)", device)
    if not found:
        raise ConfigError(f"v4l2:{device} is a name of Linux; here cameras have numbers: v4l2:0, v4l2:1, …")
    return int(found[1])


def device_path(device: str, dev: Path = Path("/dev")) -> Path:
    """`0` is `/dev/video0`."""
    return dev / f"video{int(device)}" if device.isdecimal() else Path(device)


def video_devices(dev: Path = Path("/dev")) -> tuple[Path, ...]:
    """All V4L2 nodes, video2 before video10. Not each is a camera."""
    found = [path for path in dev.glob("video*") if re.fullmatch(r"video\d+", path.name)]
    return tuple(sorted(found, key=lambda path: int(path.name[5:])))


def explain(device: Path, dev: Path = Path("/dev"), proc: Path = Path("/proc")) -> str:
    """Why a device delivers nothing, and what to do, as far as the file system tells.

    Args:
        device: the node.
        dev: where nodes are.
        proc: where processes are.
    """
    if not device.exists():
        others = ", ".join(str(path) for path in video_devices(dev))
        if others:
            return f"there is no {device}, but {others}; name one of these, or plug the camera in"
        return (
            f"there is no {device}, nor any other V4L2 device; plug the camera in and look at `ls -l /dev/video*` and "
            f"`dmesg | tail` (a container needs --device {device})"
        )
    if not os.access(device, os.R_OK | os.W_OK):
        user = _user()
        return (
            f"no permission to use {device}, see `ls -l {device}`; add the user to the group: "
            f"`sudo usermod -aG video {user}`, then log in again (systemd: SupplementaryGroups=video)"
        )
    users = holders(device, proc)
    if users:
        return f"{device} is in use by {', '.join(users)}; stop that program first"
    return (
        f"{device} delivers no picture: it is not a camera's video node, it was just unplugged, or a program of "
        f"another user has it; look at `ls -l /dev/video*`, `v4l2-ctl --list-devices` and `sudo fuser -v {device}`"
    )


def _user() -> str:
    """Name of who runs this, or its number: containers give them no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # before and from Python 3.13 on
        return str(os.getuid())


def holders(device: Path, proc: Path = Path("/proc")) -> tuple[str, ...]:
    """Other programs that have the device open, as "name (process 123)", as far as this user may see them."""
    found = []
    device = device.resolve()  # what a process has open is shown by its node, not by a link such as /dev/v4l/by-id/…
    for process in proc.glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            if any(link.readlink() == device for link in (process / "fd").iterdir()):
                name = (process / "comm").read_text(errors="replace").strip()
                found.append(f"{name} (process {process.name})")
        except OSError:  # ended meanwhile, or somebody else's
            continue
    return tuple(sorted(found))
