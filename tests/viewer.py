"""Somebody who watches the installed service, and notes when each picture came."""

import itertools
import re
import threading
import time
from types import TracebackType
from typing import Self

from tests.service import TOKEN, Service

REQUEST = f"GET /stream.mjpg HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
END_OF_PICTURE = b"\xff\xd9\r\n--"
"""Ends of a JPEG and of its part: the boundary follows each picture at once."""
STAMP = re.compile(rb"X-Timestamp: ([\d.]+)")


class Viewer:
    """One connection to `/stream.mjpg`, read on a thread of its own until the context is left or the service hangs up.

    Attributes:
        came_s: when each picture was there as a whole, on the monotonic clock.
        stamps_s: when each was taken, as the service says: seconds since 1970.
        ended: whether the service has hung up.
    """

    def __init__(self, service: Service) -> None:
        self.came_s: list[float] = []
        self.stamps_s: list[float] = []
        self.ended = False
        self._connection = service.connect(timeout_s=1.0)
        self._connection.sendall(REQUEST)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="viewer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self._connection.close()

    def wait(self, pictures: int, *, within_s: float = 30.0) -> None:
        """Until so many more pictures have come.

        Raises:
            AssertionError: they do not come in time, or the service hangs up.
        """
        wanted = len(self.came_s) + pictures
        end_s = time.monotonic() + within_s
        while len(self.came_s) < wanted:
            missing = wanted - len(self.came_s)
            assert not self.ended, f"the service hung up, {missing} of {pictures} pictures before the end"
            assert time.monotonic() < end_s, f"{missing} of {pictures} pictures did not come within {within_s:g} s"
            time.sleep(0.02)

    def longest_gap_s(self, since_s: float) -> float:
        """Longest time between two pictures that came after a moment, the one before it included."""
        came_s = [*[at_s for at_s in self.came_s if at_s <= since_s][-1:], *[s for s in self.came_s if s > since_s]]
        return max((after_s - before_s for before_s, after_s in itertools.pairwise(came_s)), default=0.0)

    def _watch(self) -> None:
        rest = b""
        while not self._stop.is_set():
            try:
                data = self._connection.recv(1 << 18)
            except TimeoutError:
                continue
            except OSError:
                break
            if not data:
                break
            rest += data
            now_s = time.monotonic()
            *pictures, rest = rest.split(END_OF_PICTURE)
            self.stamps_s.extend(float(stamp[1]) for stamp in map(STAMP.search, pictures) if stamp)
            self.came_s.extend(now_s for _ in pictures)
        self.ended = not self._stop.is_set()
