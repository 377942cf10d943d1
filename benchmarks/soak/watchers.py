"""`python -m benchmarks.soak.watchers PORT INTERVAL_S`: whoever watches the program during a long run, at little cost.

A process of its own: one viewer who takes every picture, one reader of the events, and one more viewer who comes in
every third interval for half of it. For each line on its standard input it prints what came since the last one, as a
line of JSON. It ends with its input, or when the program can no longer be reached.
"""

import os
import select
import socket
import sys
import time
from typing import TypeVar

import msgspec

from edge.bench.viewers import TIMEOUT_S, Viewer

VISIT_EVERY = 3
VISIT_AFTER = 0.2
VISIT_LASTS = 0.5
"""In intervals: at a sample, which is taken at their beginning, the visitor is not there."""
REQUEST = b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
RECORD = b"\ndata:"


class Came(msgspec.Struct, frozen=True):
    """What came since it was last asked for.

    Attributes:
        ages_ms: of the viewer's pictures, from the moment in their headers until their last byte was there.
        events: records the reader of the events got.
        visits: of the viewer who comes and goes, since the beginning.
        lost: connections that the program ended, since the beginning; each is made anew.
    """

    ages_ms: tuple[float, ...]
    events: int
    visits: int
    lost: int


class Listener:
    """Reads the events and counts them."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.sock.sendall(REQUEST)
        self.sock.setblocking(False)
        self.events = 0
        self._rest = b""

    def take(self) -> bool:
        """Read what is there; False if the server hung up."""
        try:
            while data := self.sock.recv(1 << 16):
                text = self._rest + data
                self.events += text.count(RECORD)
                self._rest = text[1 - len(RECORD) :]
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        return False


One = TypeVar("One", Viewer, Listener)


class Watchers:
    """All of them, in one thread."""

    def __init__(self, port: int, interval_s: float) -> None:
        self._port = port
        self._interval_s = interval_s
        self._poll = select.epoll()
        self._taking: dict[int, Viewer | Listener] = {}
        self._viewer = self._joined(Viewer(port))
        self._listener = self._joined(Listener(port))
        self._visitor: Viewer | None = None
        self._begins_s = self._ends_s = float("inf")
        self._asked = self._visits = self._lost = 0

    def run(self) -> None:
        """Until the input ends.

        Raises:
            OSError: the program can no longer be reached.
        """
        asking = sys.stdin.fileno()
        self._poll.register(asking, select.EPOLLIN)
        while True:
            for number, _ in self._poll.poll(0.1 * min(1.0, self._interval_s)):
                if number != asking:
                    self._take(number)
                    continue
                asked = os.read(asking, 1024).count(b"\n")
                if not asked:
                    return
                for _ in range(asked):
                    print(msgspec.json.encode(self._came()).decode(), flush=True)
            self._visit(time.monotonic())

    def _joined(self, one: One) -> One:
        self._taking[one.sock.fileno()] = one
        self._poll.register(one.sock.fileno(), select.EPOLLIN)
        return one

    def _left(self, one: Viewer | Listener) -> None:
        self._poll.unregister(one.sock.fileno())
        del self._taking[one.sock.fileno()]
        one.sock.close()

    def _take(self, number: int) -> None:
        one = self._taking[number]
        if one.take():
            return
        self._lost += 1
        self._left(one)
        if one is self._visitor:
            self._visitor = None
        elif one is self._viewer:
            viewer = self._joined(Viewer(self._port))
            viewer.ages_ms += self._viewer.ages_ms
            self._viewer = viewer
        else:
            listener = self._joined(Listener(self._port))
            listener.events += self._listener.events
            self._listener = listener

    def _visit(self, now_s: float) -> None:
        if now_s >= self._begins_s:
            self._begins_s = float("inf")
            self._visitor = self._joined(Viewer(self._port))
            self._visits += 1
        if now_s >= self._ends_s:
            self._ends_s = float("inf")
            if self._visitor:
                self._left(self._visitor)
                self._visitor = None

    def _came(self) -> Came:
        now_s = time.monotonic()
        if self._asked % VISIT_EVERY == 0:
            self._begins_s = now_s + VISIT_AFTER * self._interval_s
            self._ends_s = self._begins_s + VISIT_LASTS * self._interval_s
        self._asked += 1
        ages_ms = tuple(round(age, 2) for age in self._viewer.ages_ms)
        events = self._listener.events
        self._viewer.ages_ms.clear()
        self._listener.events = 0
        return Came(ages_ms, events, self._visits, self._lost)


if __name__ == "__main__":
    given_port, given_s = sys.argv[1:]
    Watchers(int(given_port), float(given_s)).run()
