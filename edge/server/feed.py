"""What was seen, as it happens: server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
from aiohttp import web

from edge.server.newest import Newest
from edge.server.push import push
from edge.server.seats import Seats
from edge.server.settings import ServerSettings
from edge.server.view import Backstage
from edge.types import Scene

KEEP_ALIVE_S = 15.0
"""Silence after which a comment is sent: below the 30–60 s at which proxies and phones give up."""

RETRY = b"retry: 2000\n\n"
KEEP_ALIVE = b": nothing new\n\n"


class Feed:
    """The handler for `/events`. Clients share one record per scene."""

    def __init__(self, backstage: Backstage, settings: ServerSettings, keep_alive_s: float = KEEP_ALIVE_S) -> None:
        self._stage = backstage
        self._settings = settings
        self._keep_alive_s = keep_alive_s
        self._newest = Newest(backstage.scenes)
        self._seats = Seats(settings.max_clients, "event feeds")
        self._record: tuple[int, bytes] = (0, b"")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """`/events`: the newest scene, at most `events_hz` times a second; scenes in between are skipped."""
        headers = {"Content-Type": "text/event-stream; charset=utf-8"}
        with self._seats.taken():
            return await push(request, headers, self._records(), self._settings.send_timeout_s)

    async def _records(self) -> AsyncGenerator[bytes, None]:
        with self._newest.reading():
            yield RETRY
            seq = 0
            while True:
                try:
                    async with asyncio.timeout(self._keep_alive_s):
                        found = await self._newest.newer(seq)
                except TimeoutError:
                    yield KEEP_ALIVE
                    continue
                if found is None:
                    return
                seq, scene = found
                yield self._shared_record(seq, scene)
                await asyncio.sleep(1 / self._settings.events_hz)

    def close(self) -> None:
        """End all feeds."""
        self._newest.close()

    def _shared_record(self, seq: int, scene: Scene) -> bytes:
        if self._record[0] != seq:
            event = self._stage.event(scene)
            self._record = (seq, b"id: %d\ndata: %b\n\n" % (event.seq, msgspec.json.encode(event)))
        return self._record[1]
