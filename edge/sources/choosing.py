"""Which source `auto` stands for on this machine, and why."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edge.errors import EdgeError
from edge.sources.opening import check, open_source
from edge.sources.picamera2 import cameras
from edge.sources.uri import AUTO
from edge.sources.v4l2 import video_devices

_PROBE_TIMEOUT_S = 3.0
_INDICES_ELSEWHERE = 4
"""Other systems have no list of cameras; the first few numbers are tried."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A source, and why it was taken.

    Attributes:
        uri: for `open_source`.
        reason: one sentence for people, with everything that was tried before it.
        caption: the same in a few words, for the picture; empty where the source was asked for by name.
    """

    uri: str
    reason: str
    caption: str = ""


def probe(uri: str) -> None:
    """Open a source, take one frame, close it.

    Raises:
        EdgeError: why there is no frame.
    """
    source = open_source(uri)
    try:
        source.read(_PROBE_TIMEOUT_S)
    finally:
        source.close()


def choose(
    uri: str = AUTO,
    *,
    probe: Callable[[str], None] = probe,
    pi_cameras: Callable[[], tuple[int, ...]] = cameras,
    candidates: Callable[[], Iterator[str]] | None = None,
) -> Choice:
    """Settle on a source.

    Args:
        uri: `auto`, or a URI that is taken as it is.
        probe: raises an EdgeError unless the URI it is given delivers a frame.
        pi_cameras: numbers of the cameras on ribbon cables.
        candidates: URIs of the operating system's cameras.

    Returns:
        A Pi's camera if one answers, else the first other camera that delivers a frame, else the demo.

    Raises:
        ConfigError: the URI is wrong.
    """
    if uri.strip() != AUTO:
        check(uri)
        return Choice(uri, "It was asked for.")
    rejected: list[str] = []
    try:
        found = [f"picamera2:{number}" for number in pi_cameras()]
        if not found:
            rejected.append("picamera2 sees no camera on a ribbon cable")
    except EdgeError as error:
        found = []
        # what is missing is enough here: most machines have no such camera, and `picamera2:` tells how to install it
        rejected.append(str(error).partition(";")[0])
    others = tuple((candidates or _system_cameras)())
    if not others:
        rejected.append("there is no /dev/video* device")
    for candidate in (*found, *others):
        try:
            probe(candidate)
        except EdgeError as error:
            rejected.append(str(error))
        else:
            before = f", after others were ruled out: {'; '.join(rejected)}" if rejected else ""
            reason = f"{candidate} is the first camera that delivers a picture{before}."
            return Choice(candidate, reason, f"auto: {candidate}, the first camera that answers")
    reason = f"The demo runs because no camera delivers a picture: {'; '.join(rejected)}."
    return Choice("demo", reason, "auto: demo, no camera answers")


def _system_cameras() -> Iterator[str]:
    if sys.platform.startswith("linux"):
        yield from (f"v4l2:{path}" for path in video_devices())
    else:
        yield from (f"v4l2:{index}" for index in range(_INDICES_ELSEWHERE))
