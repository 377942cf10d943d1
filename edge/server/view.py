"""What the server sees of the rest of the program."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from edge.audience import Audience
from edge.events import SceneEvent
from edge.slot import LatestSlot
from edge.status import Status
from edge.types import JpegPacket, Scene

Health = Callable[[], tuple[bool, str]]
"""Whether it is well, and why (not), in one line."""


def epoch_s(t_ns: int) -> float:
    """Seconds since 1970 of a moment on `time.monotonic_ns`'s clock."""
    return time.time() - (time.monotonic_ns() - t_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Backstage:
    """Filled by the composition root. All callables are called on the server's thread and must not block.

    Attributes:
        scenes: the newest analysed frame.
        jpegs: the newest encoded picture.
        audience: entered for as long as a client needs pictures; nobody encodes while it is empty.
        status: the snapshot that `/state` shows.
        event: the record of a scene.
        registry: what `/metrics` exports.
        ready: whether frames flow.
        alive: whether all workers do their work; False asks for a restart.
        timestamp_s: seconds since 1970 of a picture's `t_ns`, for its X-Timestamp.
        delivered: told each picture that the kernel has taken for a client of the stream.
    """

    scenes: LatestSlot[Scene]
    jpegs: LatestSlot[JpegPacket]
    audience: Audience
    status: Callable[[], Status]
    event: Callable[[Scene], SceneEvent]
    registry: CollectorRegistry
    ready: Health
    alive: Health
    timestamp_s: Callable[[int], float] = epoch_s
    delivered: Callable[[JpegPacket], None] = lambda _: None
