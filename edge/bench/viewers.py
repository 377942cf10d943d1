"""Those who watch: clients of the MJPEG stream that cost this machine as little as they can."""

import selectors
import socket
import threading
import time

from edge.errors import PermanentError

TIMEOUT_S = 20.0
POLL_S = 0.05
REQUEST = b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HEADER_END = b"\r\n\r\n"
EMPTY = bytearray(1 << 20)


class Viewer:
    """A client that takes all it is sent, and keeps nothing of it but the headers.

    Attributes:
        sock: its connection.
        pictures: that have come.
        ages_ms: of each, from the moment in its header, if it has one, until its last byte was there.
    """

    def __init__(self, port: int) -> None:
        """Ask the server on this port of this machine."""
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
                    taken = self._take_some(self._left)
                    if not taken:
                        return False
                    self._left -= taken
                    if not self._left:
                        self._took()
                else:
                    data = self.sock.recv(160)
                    if not data:
                        return False
                    self._read(data)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False

    def _begins(self, length: int, rest: bytes) -> None:
        """A picture of so many bytes, the first of which are there."""

    def _take_some(self, most: int) -> int:
        """Take what is there of the picture; how many bytes that were."""
        # the kernel throws it away instead of copying it: see tcp(7) on MSG_TRUNC
        return self.sock.recv_into(EMPTY, min(most, len(EMPTY)), socket.MSG_TRUNC)

    def _took(self) -> None:
        """All of a picture is there."""
        self.pictures += 1
        if self._grabbed_s:
            self.ages_ms.append((time.time() - self._grabbed_s) * 1e3)

    def _read(self, data: bytes) -> None:
        """Look for a part's header; what follows it is the picture's beginning, which ends in this read never."""
        header, end, rest = (self._header + data).partition(HEADER_END)
        if not end:
            self._header = header
            return
        self._header = b""
        fields = dict(line.lower().split(b": ", 1) for line in header.split(b"\r\n") if b": " in line)
        if b"content-length" in fields:
            self._grabbed_s = float(fields.get(b"x-timestamp", 0))
            length = int(fields[b"content-length"])
            self._left = length - len(rest)
            self._begins(length, rest)
        else:  # the response's own header, or the end of a chunk
            self._header = rest
            if HEADER_END in rest:
                self._read(b"")


class Viewers:
    """Several of them, on a thread of their own."""

    def __init__(self, port: int, count: int) -> None:
        """So many, of the server on this port."""
        self._port = port
        self._count = count
        self._viewers: list[Viewer] = []
        self._left = threading.Event()
        self._lost = 0

    def __enter__(self) -> "Viewers":
        if self._count:
            self._viewers = [Viewer(self._port) for _ in range(self._count)]
            self._thread = threading.Thread(target=self._watch, name="viewers", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        if self._viewers:
            self._thread.join(TIMEOUT_S)
        for viewer in self._viewers:
            viewer.sock.close()

    def seen(self) -> list[int]:
        """How many pictures each has had so far.

        Raises:
            PermanentError: one was dropped.
        """
        if self._lost:
            raise PermanentError(f"the program hung up on {self._lost} of {self._count} viewers; look at what it logs")
        return [viewer.pictures for viewer in self._viewers]

    def ages_ms(self, since: list[int]) -> list[float]:
        """Of the pictures that have come since each viewer had had so many."""
        return [age for viewer, first in zip(self._viewers, since, strict=True) for age in viewer.ages_ms[first:]]

    def _watch(self) -> None:
        with selectors.DefaultSelector() as selector:
            for viewer in self._viewers:
                selector.register(viewer.sock, selectors.EVENT_READ, viewer)
            while not self._left.is_set():
                for key, _ in selector.select(POLL_S):
                    viewer = key.data
                    if not viewer.take():
                        selector.unregister(viewer.sock)
                        self._lost += 1
