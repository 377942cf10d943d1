"""Where pictures that come from outside wait for the capture thread: the newest one, never a queue."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from edge.jpeg_header import BadPicture, jpeg_header
from edge.slot import LatestSlot

MAX_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken.

    Attributes:
        max_fps: more are left out, the newest is taken.
        width: of the largest picture in px; it may also stand upright.
        height: of the largest picture in px.
        max_bytes: of one picture's JPEG.
    """

    max_fps: float = 30.0
    width: int = 1920
    height: int = 1080
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True, slots=True, eq=False)
class Posted:
    """A picture as it came.

    Attributes:
        t_ns: when it was there as a whole, on the monotonic clock; no two are the same, so this also names it.
        jpeg: its bytes, of which the header has been checked.
    """

    t_ns: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """A picture that could not be decoded.

    Attributes:
        t_ns: which.
        error: why.
    """

    t_ns: int
    error: BadPicture


class Mailbox:
    """Between the server's thread, which fills it, and the capture thread, which empties it. Outlives both's errors.

    Attributes:
        limits: of what is taken.
        pictures: the newest one; those that were overwritten show as gaps in the numbers.
        refusals: the newest one that could not be decoded.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.pictures: LatestSlot[Posted] = LatestSlot()
        self.refusals: LatestSlot[Refusal] = LatestSlot()
        self._lock = threading.Lock()
        self._sender = ""
        self._last_ns = 0

    @property
    def sender(self) -> str:
        """Who sends, for people; empty while nobody does."""
        return self._sender

    @contextmanager
    def sending(self, sender: str) -> Iterator[bool]:
        """Be the sender for as long as the context lasts; gives whether that is possible: there is one at a time."""
        with self._lock:
            free = not self._sender
            if free:
                self._sender = sender
        try:
            yield free
        finally:
            if free:
                self._sender = ""

    def post(self, jpeg: bytes, t_ns: int) -> int:
        """Make a picture the newest, if its header allows.

        Args:
            jpeg: as it came.
            t_ns: now.

        Returns:
            `Posted.t_ns`.

        Raises:
            BadPicture: it is none, of an unusual kind, or too large.
        """
        header, most = jpeg_header(jpeg), self.limits
        longer, shorter = max(most.width, most.height), min(most.width, most.height)
        if max(header.width, header.height) > longer or min(header.width, header.height) > shorter:
            raise BadPicture(
                "too_large",
                f"this picture has {header.width}×{header.height} px, expected {most.width}×{most.height} at most; "
                f"send smaller ones, or start the program with push:?size={header.width}x{header.height}",
            )
        self._last_ns = max(t_ns, self._last_ns + 1)
        self.pictures.put(Posted(self._last_ns, jpeg))
        return self._last_ns
