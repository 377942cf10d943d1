"""`python -m benchmarks.watchers PORT HEALTHY STALLED SECONDS`: many clients of one MJPEG stream, at little cost.

A process of its own, so that what the clients cost is not counted as the server's: one thread, one epoll, and pictures
are not copied out of the kernel. Prints `measuring` when all are connected and have had a second, then a line of JSON.
"""

import select
import socket
import sys
import time

import msgspec

SETTLE_S = 1.0
TIMEOUT_S = 20.0
STALL_S = 12.5
"""A stalled client is replaced so often. The server gives it up by then; the client cannot see that without reading."""
REQUEST = b"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HEADER_END = b"\r\n\r\n"


class Watched(msgspec.Struct, frozen=True):
    """What the clients got while it was measured.

    Attributes:
        seconds: how long that was.
        pictures: of each healthy client.
        ages_ms: of the healthy clients' pictures, from the moment in their headers until their last byte was there.
        lost: healthy clients that were dropped.
    """

    seconds: float
    pictures: tuple[int, ...]
    ages_ms: tuple[float, ...]
    lost: int


class Viewer:
    """A client that takes all it is sent, and keeps nothing of it but the headers."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.sock.sendall(REQUEST)
        self.sock.setblocking(False)
        self.pictures = 0
        self.ages_ms: list[float] = []
        self._header = b""
        self._left = 0
        self._grabbed_s = 0.0

    def take(self) -> bool:
        """Read what is there; False if the server hung up."""
        try:
            while True:
                if self._left:
                    # the kernel throws the picture away instead of copying it: see tcp(7) on MSG_TRUNC
                    taken = self.sock.recv_into(EMPTY, min(self._left, len(EMPTY)), socket.MSG_TRUNC)
                    if not taken:
                        return False
                    self._left -= taken
                    if not self._left:
                        self.pictures += 1
                        self.ages_ms.append((time.time() - self._grabbed_s) * 1e3)
                else:
                    data = self.sock.recv(160)
                    if not data:
                        return False
                    self._read(data)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False

    def _read(self, data: bytes) -> None:
        """Look for a part's header; what follows it is the picture's beginning, which ends in this read never."""
        header, end, rest = (self._header + data).partition(HEADER_END)
        if not end:
            self._header = header
            return
        self._header = b""
        fields = dict(line.lower().split(b": ", 1) for line in header.split(b"\r\n") if b": " in line)
        if b"x-timestamp" in fields:
            self._grabbed_s = float(fields[b"x-timestamp"])
            self._left = int(fields[b"content-length"]) - len(rest)
        else:  # the response's own header, or the end of a chunk
            self._header = rest
            if HEADER_END in rest:
                self._read(b"")


EMPTY = bytearray(1 << 20)


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
    viewers = {viewer.sock.fileno(): viewer for viewer in (Viewer(port) for _ in range(healthy))}
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
                viewer.pictures = 0
                viewer.ages_ms.clear()
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
    ages_ms = tuple(round(age, 3) for viewer in viewers.values() for age in viewer.ages_ms)
    return Watched(spent_s, tuple(viewer.pictures for viewer in viewers.values()), ages_ms, lost)


if __name__ == "__main__":
    port, healthy, stalling, seconds = sys.argv[1:]
    print(msgspec.json.encode(watch(int(port), int(healthy), int(stalling), float(seconds))).decode(), flush=True)
