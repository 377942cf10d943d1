"""Which cameras are there, without taking a picture from any."""

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec

from edge.errors import EdgeError
from edge.sources import picamera2
from edge.sources.opencv import hush
from edge.sources.v4l2 import explain, holders, video_devices
from edge.sources.v4l2_modes import Card, Mode, read_card

_INDICES_ELSEWHERE = 4
_PIPELINES = frozenset(
    ("unicam", "bcm2835-isp", "bcm2835-codec", "bcm2835_isp", "rp1-cfe", "pispbe", "rpivid", "rpi-hevc-dec")
)
"""Drivers whose nodes are parts of a Raspberry Pi's own camera: they give no finished picture."""


class Camera(msgspec.Struct, frozen=True):
    """One that is there.

    Attributes:
        uri: for `--source`.
        name: for people.
        driver: of the kernel; `libcamera` for a camera on a ribbon cable; empty where unknown.
        bus: where it is plugged in.
        link: a path that stays its own when cameras are plugged in anew; empty if there is none.
        modes: on offer; empty where the system does not tell.
        used_by: programs that have it open, as far as this user may see.
    """

    uri: str
    name: str
    driver: str = ""
    bus: str = ""
    link: str = ""
    modes: tuple[Mode, ...] = ()
    used_by: tuple[str, ...] = ()


class Survey(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        cameras: in the order in which `auto` tries them.
        auto: what `auto` takes if it delivers a picture; `demo` if there is nothing to try.
        notes: why there are no more.
    """

    cameras: tuple[Camera, ...]
    auto: str
    notes: tuple[str, ...]


def survey(
    *,
    dev: Path = Path("/dev"),
    proc: Path = Path("/proc"),
    card_of: Callable[[Path], Card] = read_card,
    ribbon: Callable[[], tuple[picamera2.RibbonCamera, ...]] = picamera2.ribbon_cameras,
    linux: bool = sys.platform.startswith("linux"),
) -> Survey:
    """Look for cameras of all kinds.

    Args:
        dev: where nodes are.
        proc: where processes are.
        card_of: asks a node what it is; raises OSError.
        ribbon: the cameras that picamera2 sees; raises EdgeError.
        linux: whether this system has nodes at all.
    """
    cameras: list[Camera] = []
    notes: list[str] = []
    try:
        for found in ribbon():
            uri = f"picamera2:{found.number}"
            cameras.append(Camera(uri=uri, name=found.model, driver="libcamera", bus=found.id))
        if not cameras:
            notes.append("picamera2 sees no camera; check the ribbon cable at both ends")
    except EdgeError as error:
        notes.append(str(error))
    if linux:
        nodes = video_devices(dev)
        if not nodes:
            notes.append(
                f"there is no {dev}/video*; plug a camera in and look at `dmesg | tail` (a container needs "
                f"--device /dev/video0, a virtual machine the camera passed through)"
            )
        for node in nodes:
            _look_at(node, dev, proc, card_of, cameras, notes)
    else:
        cameras += _by_number()
    free = next((camera.uri for camera in cameras if not camera.used_by), "demo")
    return Survey(tuple(cameras), free, tuple(notes))


def _look_at(
    node: Path, dev: Path, proc: Path, card_of: Callable[[Path], Card], cameras: list[Camera], notes: list[str]
) -> None:
    try:
        card = card_of(node)
    except OSError as error:
        notes.append(f"{node} does not say what it is ({error.strerror}): {explain(node, dev, proc)}")
        return
    if card.driver in _PIPELINES:
        notes.append(f"{node} is a part of the Pi's own camera ({card.driver}); use picamera2 for that")
    elif not card.captures:
        notes.append(f"{node} of {card.name} gives no pictures; a camera has another node for these")
    else:
        cameras.append(
            Camera(
                uri=f"v4l2:{node}",
                name=card.name,
                driver=card.driver,
                bus=card.bus,
                link=_link_to(node, dev),
                modes=card.modes,
                used_by=holders(node, proc),
            )
        )


def _link_to(node: Path, dev: Path) -> str:
    target = node.resolve()
    return next((str(link) for link in sorted((dev / "v4l" / "by-id").glob("*")) if link.resolve() == target), "")


def _by_number() -> list[Camera]:
    """The numbers that open; no picture is taken."""
    hush()
    found = []
    for index in range(_INDICES_ELSEWHERE):
        capture = cv2.VideoCapture(index, cv2.CAP_ANY)
        if capture.isOpened():
            found.append(Camera(uri=f"v4l2:{index}", name=f"camera {index}", driver=capture.getBackendName()))
        capture.release()
    return found
