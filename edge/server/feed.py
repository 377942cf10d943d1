"""What was seen, as it happens: server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
import math
from collections.abc import AsyncGenerator

import msgspec
from aiohttp import web

from edge.server.clients import Client
from edge.server.push import push
from edge.server.records import Records
from edge.server.seats import Seats
from edge.server.settings import ServerSettings
from edge.server.view import Backstage

KEEP_ALIVE_S = 15.0
"""Silence after which a comment is sent: below the 30–60 s at which proxies and phones give up."""

STATUS_S = 2.0
"""How often the status is told."""

RETRY = b"retry: 2000\n\n"
KEEP_ALIVE = b": nothing new\n\n"


class Feed:
    """The handler for `/events`. Clients share one record per scene, and one status."""

    def __init__(
        self,
        backstage: Backstage,
        settings: ServerSettings,
        keep_alive_s: float = KEEP_ALIVE_S,
        status_s: float = STATUS_S,
    ) -> None:
        self._stage = backstage
        self._settings = settings
        self._keep_alive_s = keep_alive_s
        self._status_s = status_s
        self._records = Records(backstage)
        self._seats = Seats(settings.max_clients, "event feeds")
        self._status: tuple[float, bytes] = (-math.inf, b"")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """`/events`: the newest scene, at most `events_hz` times a second; scenes in between are skipped.

        `Last-Event-ID`, or `?last_event_id=`: tell first what came after that. `?status=1`: the status too.
        """
        last_id = request.headers.get("Last-Event-ID") or request.query.get("last_event_id", "")
        with_status = request.query.get("status") == "1"
        headers = {"Content-Type": "text/event-stream; charset=utf-8"}
        options = "status=1" if with_status else ""
        with self._seats.taken(), self._stage.clients.served("events", request.remote, options) as client:
            parts = self._told(client, last_id, with_status)
            return await push(request, headers, parts, self._settings.send_timeout_s)

    def close(self) -> None:
        """End all feeds."""
        self._records.close()

    async def _told(self, client: Client, last_id: str, with_status: bool) -> AsyncGenerator[bytes, None]:
        """Each part is asked for when the client has taken the one before."""
        clock = asyncio.get_running_loop().time
        status_s = clock() if with_status else math.inf
        with self._records.listening():
            number, missed = self._records.missed(last_id) if last_id else (0, b"")
            part = RETRY + missed
            while True:
                yield part
                client.took(len(part))
                now_s = clock()
                if now_s < status_s:
                    try:
                        async with asyncio.timeout(min(status_s - now_s, self._keep_alive_s)):
                            record = await self._records.newer(number)
                    except TimeoutError:
                        part, now_s = KEEP_ALIVE, clock()
                    else:
                        if record is None:
                            return
                        if number:
                            client.skipped += record.number - number - 1
                        number, part = record.number, record.data
                if now_s >= status_s:
                    part = self._shared_status(now_s)
                    # on the same beat for all, who so share one
                    status_s = (math.floor(now_s / self._status_s) + 1) * self._status_s

    def _shared_status(self, now_s: float) -> bytes:
        made_s, part = self._status
        if now_s - made_s >= self._status_s / 4:  # for who comes between two beats it may be so old
            part = b"event: status\ndata: %b\n\n" % msgspec.json.encode(self._stage.status())
            self._status = (now_s, part)
        return part
