"""Cameras of the operating system: V4L2 on Linux, whatever OpenCV finds elsewhere."""

import getpass
import os
import re
import sys
from pathlib import Path

import cv2

from edge.errors import TemporaryError
from edge.ports import Clock
from edge.sources.frozen import FrozenWatch
from edge.sources.newest import NewestFrame
from edge.sources.opencv import CaptureDevice, hush
from edge.sources.specs import V4l2Spec
from edge.types import PixelFormat, Pixels

OPEN_TIMEOUT_S = 5.0
"""Slow USB cameras take three seconds to their first picture."""


def open_v4l2(spec: V4l2Spec, clock: Clock) -> NewestFrame:
    """Open a camera and wait for its first picture.

    Raises:
        TemporaryError: none came; says whether the device is missing, forbidden or busy.
    """
    device = device_path(spec.device) if sys.platform.startswith("linux") else None
    name = f"v4l2:{device or spec.device}"
    advice = "check the cable, then `ls -l /dev/video*` and `v4l2-ctl --list-devices`"
    return NewestFrame(name, lambda: _V4l2Device(spec, device, clock), clock, OPEN_TIMEOUT_S, advice)


class _V4l2Device:
    def __init__(self, spec: V4l2Spec, device: Path | None, clock: Clock) -> None:
        hush()
        name = str(device) if device else f"camera {spec.device}"
        capture = (
            cv2.VideoCapture(str(device), cv2.CAP_V4L2) if device else cv2.VideoCapture(int(spec.device), cv2.CAP_ANY)
        )
        # the format first: the driver offers other sizes and rates for each
        if spec.format:
            code = {"mjpg": "MJPG", "yuyv": "YUYV"}[spec.format]
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*code))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, spec.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, spec.height)
        capture.set(cv2.CAP_PROP_FPS, spec.fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._device = CaptureDevice(
            capture, lambda: explain(device) if device else f"{name} delivers no picture; is another program using it?"
        )
        self._watch = FrozenWatch(spec.frozen_s)
        self._clock = clock
        self._stuck = (
            f"{name} has delivered the same picture for {spec.frozen_s:g} s, which no sensor does; plug the camera in "
            f"again or restart what feeds it (a picture that is meant to stand still needs frozen=0)"
        )

    def grab(self) -> tuple[Pixels, PixelFormat]:
        """See `Device`."""
        pixels, pixel_format = self._device.grab()
        if self._watch.frozen(pixels, self._clock()):
            raise TemporaryError(self._stuck)
        return pixels, pixel_format

    def close(self) -> None:
        """See `Device`."""
        self._device.close()


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
        user = getpass.getuser()
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


def holders(device: Path, proc: Path = Path("/proc")) -> tuple[str, ...]:
    """Other programs that have the device open, as "name (process 123)", as far as this user may see them."""
    found = []
    for process in proc.glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            if any(link.readlink() == device for link in (process / "fd").iterdir()):
                name = (process / "comm").read_text().strip()
                found.append(f"{name} (process {process.name})")
        except OSError:  # ended meanwhile, or somebody else's
            continue
    return tuple(sorted(found))
