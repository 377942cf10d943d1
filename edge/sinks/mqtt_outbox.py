"""Events that wait for the broker. Bounded: what is oldest goes first, and is counted."""

import threading
from collections import deque
from collections.abc import Sequence

import msgspec


class Told(msgspec.Struct, frozen=True):
    """One record, ready to be sent.

    Attributes:
        payload: JSON.
        of_faces: whether it tells of single faces, and must not leave once only aggregates may.
    """

    payload: bytes
    of_faces: bool


class Outbox:
    """Between the thread that analyses, which puts, and the one that sends, which takes. No call waits for the broker.

    Attributes:
        sent: records that the broker has said it has; counted by who takes.
        dropped: records that were lost for want of room.
    """

    def __init__(self, size: int) -> None:
        """`size`: records it holds at most."""
        self._size = size
        self._lock = threading.Lock()
        self._waiting: deque[Told] = deque()
        self.sent = 0
        self.dropped = 0

    def __len__(self) -> int:
        """Records that wait."""
        return len(self._waiting)

    def put(self, told: Told) -> bool:
        """Add the newest record; whether there was room without dropping the oldest."""
        with self._lock:
            full = len(self._waiting) >= self._size
            if full:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(told)
        return not full

    def take(self, *, of_faces: bool) -> Told | None:
        """The oldest record.

        Args:
            of_faces: whether those may be told that tell of single faces; if not, they are thrown away here.
        """
        with self._lock:
            while self._waiting:
                told = self._waiting.popleft()
                if of_faces or not told.of_faces:
                    return told
        return None

    def put_back(self, unsent: Sequence[Told]) -> None:
        """Put records that were taken, oldest first, back before all others; if there is no room, the oldest go."""
        with self._lock:
            self._waiting.extendleft(reversed(unsent))
            while len(self._waiting) > self._size:
                self._waiting.popleft()
                self.dropped += 1
