"""`python -m benchmarks.streaming.watchers PORT HEALTHY STALLED SECONDS`: many clients of a stream, at little cost.

A process of its own, so that what the clients cost is not counted as the server's: one thread, one epoll, and pictures
are not copied out of the kernel. A few are, and looked at afterwards: the moment that the camera has drawn into them
tells their age. Prints `measuring` when all are connected and have had a second, `measured` at the end, then a line of
JSON.
"""

import select
import socket
import sys
import time

import cv2
import msgspec
import numpy as np

from benchmarks.streaming import timecode
from edge.bench.viewers import REQUEST, TIMEOUT_S, Viewer

SETTLE_S = 1.0
STALL_S = 12.5
"""A stalled client is replaced so often. The server gives it up by then; the client cannot see that without reading."""


class Watched(msgspec.Struct, frozen=True):
    """What the clients got while it was measured.

    Attributes:
        seconds: how long that was.
        pictures: of each healthy client.
        picture_bytes: of a picture, on average; 0 without any.
        ages_ms: from the moment drawn into a picture until its last byte was there; of a picture of each client in
            turn, so that there are as many as one client has pictures.
        lost: healthy clients that were dropped.
    """

    seconds: float
    pictures: tuple[int, ...]
    picture_bytes: float
    ages_ms: tuple[float, ...]
    lost: int


class KeepingViewer(Viewer):
    """One that keeps a few pictures.

    Args:
        port: of the server.
        keep_every: one picture of so many is kept.
        first: which one, from 0.

    Attributes:
        bytes: of all pictures it got.
        kept: with the moment at which the last byte was there, in ns on `timecode`'s clock.
    """

    def __init__(self, port: int, keep_every: int, first: int = 0) -> None:
        super().__init__(port)
        self.forget()
        self._keep_every = keep_every
        self._until_kept = first
        self._whole: bytearray | None = None

    def forget(self) -> None:
        """Count anew."""
        self.pictures = 0
        self.bytes = 0
        self.ages_ms.clear()
        self.kept: list[tuple[int, bytes]] = []

    def _begins(self, length: int, rest: bytes) -> None:
        self.bytes += length
        if not self._until_kept:
            self._until_kept, self._whole = self._keep_every, bytearray(rest)
        self._until_kept -= 1

    def _take_some(self, most: int) -> int:
        if self._whole is None:
            return super()._take_some(most)
        data = self.sock.recv(most)
        self._whole += data
        return len(data)

    def _took(self) -> None:
        super()._took()
        if self._whole is not None:
            self.kept.append((timecode.now_ns(), bytes(self._whole)))
            self._whole = None


def stalled(port: int) -> socket.socket:
    """A client that asks and then takes nothing."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.settimeout(TIMEOUT_S)
    sock.connect(("127.0.0.1", port))
    sock.sendall(REQUEST)
    return sock


def watch(port: int, healthy: int, stalling: int, seconds: float) -> Watched:
    """Watch for a while."""
    poll = select.epoll()
    viewers = {viewer.sock.fileno(): viewer for viewer in (KeepingViewer(port, healthy, i) for i in range(healthy))}
    for number in viewers:
        poll.register(number, select.EPOLLIN)
    idle = [stalled(port) for _ in range(stalling)]
    lost = 0
    start_s = time.monotonic()
    replaced_s = start_s
    begins_s: float | None = start_s + SETTLE_S
    end_s = start_s + SETTLE_S + seconds
    while (now_s := time.monotonic()) < end_s:
        if begins_s is not None and now_s >= begins_s:
            begins_s, lost = None, 0
            for viewer in viewers.values():
                viewer.forget()
            print("measuring", flush=True)
            start_s = time.monotonic()
            end_s = start_s + seconds
        if now_s - replaced_s >= STALL_S:
            replaced_s = now_s
            for sock in idle:
                sock.close()
            idle = [stalled(port) for _ in range(stalling)]
        for number, _ in poll.poll(0.1):
            if not viewers[number].take():
                poll.unregister(number)
                lost += 1
    spent_s = time.monotonic() - start_s
    print("measured", flush=True)
    pictures = tuple(viewer.pictures for viewer in viewers.values())
    sent = sum(viewer.bytes for viewer in viewers.values())
    ages_ms = tuple(age for viewer in viewers.values() for age in ages(viewer.kept))
    return Watched(spent_s, pictures, sent / sum(pictures) if sum(pictures) else 0, ages_ms, lost)


def ages(kept: list[tuple[int, bytes]]) -> list[float]:
    """Of JPEGs with the moment they came at, in ms; those that no moment can be read off are left out."""
    found = []
    for now_ns, jpeg in kept:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        taken_ns = None if picture is None else timecode.read(picture, now_ns)
        if taken_ns is not None:
            found.append((now_ns - taken_ns) / 1e6)
    return found


if __name__ == "__main__":
    port, healthy, stalling, seconds = sys.argv[1:]
    print(msgspec.json.encode(watch(int(port), int(healthy), int(stalling), float(seconds))).decode(), flush=True)
