"""The live picture: an endless stream of JPEGs, and a single one."""

import asyncio
from collections.abc import AsyncGenerator

from aiohttp import web

from edge.server.newest import Newest
from edge.server.push import push
from edge.server.seats import Seats
from edge.server.settings import ServerSettings
from edge.server.view import Backstage
from edge.types import JpegPacket

BOUNDARY = "emotion-edge-frame"
SNAPSHOT_TIMEOUT_S = 5.0
OPENING = f"--{BOUNDARY}\r\n".encode()


def part(packet: JpegPacket, timestamp_s: float) -> bytes:
    """One part of the stream, and the boundary after it: Chromium shows a picture only when it has seen that."""
    head = (
        "Content-Type: image/jpeg\r\n"
        f"Content-Length: {len(packet.data)}\r\n"
        f"X-Timestamp: {timestamp_s:.6f}\r\n"
        f"X-Sequence: {packet.seq}\r\n\r\n"
    )
    return b"".join((head.encode(), packet.data, f"\r\n--{BOUNDARY}\r\n".encode()))


class Pictures:
    """Handlers for the stream and the snapshot. Clients share one part per picture, made when the first needs it."""

    def __init__(self, backstage: Backstage, settings: ServerSettings) -> None:
        self._stage = backstage
        self._settings = settings
        self._newest = Newest(backstage.jpegs)
        self._seats = Seats(settings.max_clients, "streams")
        self._part: tuple[int, bytes] = (0, b"")

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """`/stream.mjpg`: the newest picture as fast as this client takes them; without end, and without queue."""
        headers = {"Content-Type": f"multipart/x-mixed-replace; boundary={BOUNDARY}"}
        with self._seats.taken():
            return await push(request, headers, self._parts(), self._settings.send_timeout_s)

    async def _parts(self) -> AsyncGenerator[bytes, None]:
        # what is there was made for somebody who watched earlier, unless somebody still does
        seq = 0 if self._stage.audience.count > 0 else self._newest.seq()
        with self._newest.reading(), self._stage.audience.watching():
            yield OPENING
            before: JpegPacket | None = None
            while (found := await self._newest.newer(seq)) is not None:
                seq, packet = found
                yield self._shared_part(seq, packet)
                # asked for the next part: this one is out. A picture that is sent again is older each time
                if packet is not before:
                    self._stage.delivered(packet)
                before = packet

    async def snapshot(self, request: web.Request) -> web.StreamResponse:
        """`/snapshot.jpg`: the next picture, encoded for this client if nobody else watches."""
        headers = {"Content-Type": "image/jpeg", "Cache-Control": "no-store"}
        if request.method == "HEAD":
            return web.Response(headers=headers)
        with self._seats.taken(), self._newest.reading(), self._stage.audience.watching():
            try:
                async with asyncio.timeout(SNAPSHOT_TIMEOUT_S):
                    found = await self._newest.newer(self._newest.seq())
            except TimeoutError:
                raise web.HTTPGatewayTimeout(
                    text=f"No new picture within {SNAPSHOT_TIMEOUT_S:g} s. {self._source()}\n"
                ) from None
        if found is None:
            raise web.HTTPServiceUnavailable(text=f"There will be no more pictures. {self._source()}\n")
        packet = found[1]
        headers["X-Timestamp"] = f"{self._stage.timestamp_s(packet.t_ns):.6f}"
        headers["X-Sequence"] = str(packet.seq)
        return web.Response(body=packet.data, headers=headers)

    def close(self) -> None:
        """End all streams."""
        self._newest.close()

    def _shared_part(self, seq: int, packet: JpegPacket) -> bytes:
        if self._part[0] != seq:
            self._part = (seq, part(packet, self._stage.timestamp_s(packet.t_ns)))
        return self._part[1]

    def _source(self) -> str:
        source = self._stage.status().source
        return f"The source {source.name} is {source.state}: {source.reason}. See /state."
