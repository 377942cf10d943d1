"""What the server sees of the rest of the program."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.audience import Audience
from edge.config import Config
from edge.control import Ask, ControlStatus, asked
from edge.events import AggregateEvent, SceneEvent
from edge.live import LiveSettings
from edge.mailbox import Mailbox
from edge.server.clients import Clients
from edge.slot import LatestSlot
from edge.status import Status
from edge.types import JpegPacket, Scene
from edge.uploads.desk import UploadDesk

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

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
        audience: entered for as long as a client needs pictures, and gives them; nobody encodes while it is empty.
        status: the snapshot that `/state` shows.
        event: the record of a scene.
        registry: gives what `/metrics` exports; called by those who ask for that.
        ready: whether frames flow.
        alive: whether all workers do their work; False asks for a restart.
        clients: whom it serves now; the server's own.
        settings: what may be changed while the program runs is read from there each time.
        control: pauses, stops and starts the source.
        mailbox: where pictures from outside are put; None if the source takes none.
        aggregates: the newest aggregate; there are some only with `privacy.events = "aggregate"`.
        uploads: takes pictures and videos in; None: the server makes one of its own.
        timestamp_s: seconds since 1970 of a picture's `t_ns`, for its X-Timestamp.
        delivered: told each picture that the kernel has taken for a client of the stream.
    """

    scenes: LatestSlot[Scene]
    audience: Audience
    status: Callable[[], Status]
    event: Callable[[Scene], SceneEvent]
    registry: Callable[[], "CollectorRegistry"]
    ready: Health
    alive: Health
    clients: Clients = field(default_factory=Clients)
    settings: LiveSettings = field(default_factory=lambda: LiveSettings(Config()))
    control: Ask = lambda action: asked(ControlStatus(), action)
    mailbox: Mailbox | None = None
    uploads: UploadDesk | None = None
    aggregates: LatestSlot[AggregateEvent] = field(default_factory=LatestSlot)
    timestamp_s: Callable[[int], float] = epoch_s
    delivered: Callable[[JpegPacket], None] = lambda _: None
