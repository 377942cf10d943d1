"""What the event feed tells, made once for all who listen, and kept for a moment for those who come back."""

import asyncio
import secrets
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from edge.events import AggregateEvent, SceneEvent
from edge.server.newest import Newest
from edge.server.view import Backstage

KEEP_S = 30.0
"""How far back it can be told what somebody missed, and for how long records are made after the last one has left."""

LEAST_KEPT = 16


@dataclass(frozen=True, slots=True)
class Record:
    """One record, as it is sent.

    Attributes:
        number: counts up by one.
        data: the whole server-sent event.
    """

    number: int
    data: bytes


class Records:
    """The newest records, at most `server.events_hz` a second. On the event loop's thread only.

    They are made while somebody listens and `keep_s` longer, and only then kept, in memory. A record's id is
    `<run>-<number>`; the run is drawn by lot when the program starts, so that an id of an earlier run is known as such.
    """

    def __init__(self, backstage: Backstage, keep_s: float = KEEP_S) -> None:
        self._stage = backstage
        self._keep_s = keep_s
        self._run = secrets.token_hex(4)
        self._scenes = Newest(backstage.scenes)
        self._aggregates = Newest(backstage.aggregates)
        self._kept: deque[Record] = deque()
        self._kept_aggregates = False
        self._number = 0
        self._first = 1
        self._listeners = 0
        self._changed = asyncio.Event()
        self._ended = False
        self._maker: asyncio.Task[None] | None = None
        self._leaving: asyncio.TimerHandle | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Be a listener for as long as the context lasts; records are made for the first one on."""
        self._listeners += 1
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        if self._maker is None and not self._ended:
            self._first = self._number + 1
            self._maker = asyncio.create_task(self._make(), name="records")
            self._maker.add_done_callback(self._over)
        try:
            yield
        finally:
            self._listeners -= 1
            if self._listeners == 0:
                self._leaving = asyncio.get_running_loop().call_later(self._keep_s, self._forget)

    async def newer(self, number: int) -> Record | None:
        """The newest record once its number is above that; None when there will be none any more."""
        while not self._ended:
            # taken before looking: what is made in between sets this very event
            changed = self._changed
            records = self._allowed()
            if records and records[-1].number > number:
                return records[-1]
            await changed.wait()
        if self._maker is not None and self._maker.done():
            self._maker.result()  # an error in making them is not a quiet end
        return None

    def missed(self, last_id: str) -> tuple[int, bytes]:
        """What to tell first to somebody who has heard everything up to a record.

        Args:
            last_id: of that record.

        Returns:
            The number of the newest record in it, and the records; before them `gap`, if some are lost, with how many,
            null if that is not known. After an id of another run it is that alone.
        """
        run, _, text = last_id.rpartition("-")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
        if run != self._run or not 0 < number <= self._number:
            return 0, _gap(None)
        records = self._allowed()
        start = records[0].number if records else self._number + 1
        found = [record.data for record in records if record.number > number]
        if number < self._first:  # nobody listened for so long that none were made in between
            found.insert(0, _gap(None))
        elif start > number + 1:
            found.insert(0, _gap(start - number - 1))
        return self._number, b"".join(found)

    def close(self) -> None:
        """Make all listeners end."""
        self._end()
        self._forget()

    async def _make(self) -> None:
        """Tell of the newest, again and again, until there will be none any more."""
        scene_seq = aggregate_seq = 0
        while True:
            if self._only_aggregates():
                with self._aggregates.reading():
                    aggregated = await self._aggregates.newer(aggregate_seq)
                if aggregated is None:
                    return
                aggregate_seq = aggregated[0]
                self._tell(aggregated[1])
            else:
                with self._scenes.reading():
                    found = await self._scenes.newer(scene_seq)
                if found is None:
                    return
                scene_seq = found[0]
                if self._only_aggregates():  # since it began to wait
                    continue
                self._tell(self._stage.event(found[1]))
            await asyncio.sleep(1 / self._stage.settings.current.server.events_hz)

    def _tell(self, event: SceneEvent | AggregateEvent) -> None:
        self._number += 1
        name = b"event: aggregate\n" if isinstance(event, AggregateEvent) else b""
        head = b"%bid: %b-%d\ndata: " % (name, self._run.encode(), self._number)
        records = self._allowed()
        records.append(Record(self._number, b"".join((head, msgspec.json.encode(event), b"\n\n"))))
        while len(records) > max(LEAST_KEPT, self._keep_s * self._stage.settings.current.server.events_hz):
            records.popleft()
        self._wake()

    def _allowed(self) -> deque[Record]:
        """What is kept; nothing of single scenes once only aggregates may be told."""
        if self._only_aggregates() != self._kept_aggregates:
            self._kept.clear()
            self._kept_aggregates = not self._kept_aggregates
        return self._kept

    def _only_aggregates(self) -> bool:
        return self._stage.settings.current.privacy.events == "aggregate"

    def _forget(self) -> None:
        """Stop making records: nobody comes back for them any more."""
        if self._maker is not None and not self._maker.done():
            self._maker.cancel()
            self._maker = None
        self._kept.clear()
        self._leaving = None

    def _over(self, maker: asyncio.Task[None]) -> None:
        """There will be no more scenes, or they cannot be told."""
        if not maker.cancelled():
            self._end()

    def _end(self) -> None:
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _gap(missed: int | None) -> bytes:
    """Says that records are lost, and how many; None: not known."""
    return b'event: gap\ndata: {"missed":%b}\n\n' % (b"null" if missed is None else str(missed).encode())
