"""The live picture: an endless stream of JPEGs, and a single one."""

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import msgspec
from aiohttp import web

from edge.audience import Showing, TooManyVariants
from edge.config import PrivacyConfig
from edge.privacy import shows_pictures
from edge.server.clients import Client
from edge.server.pace import Pace
from edge.server.picture_options import PictureOptions, picture_options
from edge.server.push import endless, push
from edge.server.reels import BOUNDARY, OPENING, RESULT_HEADER, Reel, Results
from edge.server.seats import RETRY_AFTER_S, Seats
from edge.server.settings import ServerSettings
from edge.server.view import Backstage
from edge.types import JpegPacket

SNAPSHOT_TIMEOUT_S = 5.0

LONGEST_RESULT = 6000
"""Characters that fit a header: clients and proxies take 8 KiB, some of them for all headers together."""


class Pictures:
    """Handlers for the stream and the snapshot. Clients share one part per picture, made when the first needs it."""

    def __init__(self, backstage: Backstage, settings: ServerSettings) -> None:
        self._stage = backstage
        self._settings = settings
        self._seats = Seats(settings.max_clients, "streams")
        self._results = Results()
        self._reels: WeakKeyDictionary[Showing, Reel] = WeakKeyDictionary()
        self._closed = False

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """`/stream.mjpg`: the newest picture as fast as this client takes them; without end, and without queue."""
        options = self._options(request)
        headers = {"Content-Type": f"multipart/x-mixed-replace; boundary={BOUNDARY}"}
        if request.method == "HEAD":
            return endless(headers)
        with (
            self._seats.taken(),
            self._watching(options) as (reel, seq),
            self._stage.clients.served("stream", request.remote, options.text()) as client,
        ):
            parts = self._parts(reel, seq, options, client)
            return await push(request, headers, parts, self._settings.send_timeout_s)

    async def _parts(
        self, reel: Reel, seq: int, options: PictureOptions, client: Client
    ) -> AsyncGenerator[bytes, None]:
        yield OPENING
        newest, delivered, live = reel.newest, self._stage.delivered, self._stage.settings
        pace = Pace(options.interval_s, lambda: live.current.server.client_kbps, time.monotonic_ns)
        before: JpegPacket | None = None
        while (found := await newest.newer(seq)) is not None:
            seq, packet = found
            privacy = live.current.privacy
            if packet.privacy is not privacy and packet.privacy != privacy:
                if not shows_pictures(privacy.video):
                    return
                continue  # it shows what must not be seen any more
            if options.results and not _complete(packet, privacy):
                continue  # it was made before this client came
            part = reel.part(seq, packet, result=options.results)
            yield part
            # asked for the next part: this one is out. A picture that is sent again is older each time
            if packet is not before:
                delivered(packet)
            before = packet
            client.took(len(part))
            if options.fps or live.current.server.client_kbps:
                pace.sent(len(part))
                if await pace.bandwidth():
                    client.skipped += newest.seq() - seq
                    seq = newest.seq()
                if await pace.interval():
                    seq = newest.seq()
            else:
                client.skipped += max(0, newest.seq() - seq - 1)

    async def snapshot(self, request: web.Request) -> web.StreamResponse:
        """`/snapshot.jpg`: the next picture with its result, made for this client if nobody else watches."""
        options = self._options(request)
        headers = {"Content-Type": "application/json" if options.as_json else "image/jpeg", "Cache-Control": "no-store"}
        if request.method == "HEAD":
            return web.Response(headers=headers)
        with self._seats.taken(), self._watching(msgspec.structs.replace(options, fps=0.0, results=True)) as (reel, _):
            try:
                async with asyncio.timeout(SNAPSHOT_TIMEOUT_S):
                    packet = await self._next(reel)
            except TimeoutError:
                raise web.HTTPGatewayTimeout(
                    text=f"No new picture within {SNAPSHOT_TIMEOUT_S:g} s. {self._source()}\n"
                ) from None
        if packet is None:
            self._refuse_without_pictures()
            raise web.HTTPServiceUnavailable(text=f"There will be no more pictures. {self._source()}\n")
        headers["X-Timestamp"] = f"{self._stage.timestamp_s(packet.t_ns):.6f}"
        headers["X-Sequence"] = str(packet.seq)
        result = "null" if packet.result is None else self._results.text(packet.result)
        if options.as_json:
            picture = base64.b64encode(packet.data).decode()
            return web.Response(text=f'{{"result":{result},"jpeg":"{picture}"}}', headers=headers)
        if packet.result is not None and len(result) <= LONGEST_RESULT:
            headers[RESULT_HEADER] = result
        return web.Response(body=packet.data, headers=headers)

    async def _next(self, reel: Reel) -> JpegPacket | None:
        """The next picture that may be shown, with its result if there is one; None if there will be none."""
        seq = reel.newest.seq()
        while (found := await reel.newest.newer(seq)) is not None:
            seq, packet = found
            privacy = self._stage.settings.current.privacy
            if _complete(packet, privacy) and packet.privacy == privacy and shows_pictures(privacy.video):
                return packet
        return None

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        for reel in list(self._reels.values()):
            reel.newest.close()

    def _options(self, request: web.Request) -> PictureOptions:
        """What is asked for.

        Raises:
            HTTPBadRequest: what cannot be had.
            HTTPForbidden: no picture may leave.
        """
        options = picture_options(request.query, request.headers.get("Accept", ""))
        self._refuse_without_pictures()
        if options.variant.width or options.variant.quality:
            width = self._stage.status().source.width
            fitted = options.variant.fitted(width, self._stage.settings.current.stream.quality)
            return msgspec.structs.replace(options, variant=fitted)
        return options

    def _refuse_without_pictures(self) -> None:
        if not shows_pictures(self._stage.settings.current.privacy.video):
            raise web.HTTPForbidden(
                text="This program shows no picture: privacy.video is none. What it finds, in numbers, is under "
                "/events and /state.\n"
            )

    @contextmanager
    def _watching(self, options: PictureOptions) -> Iterator[tuple[Reel, int]]:
        """Be a viewer; gives the reel, and the number of its last picture that is of no interest.

        Raises:
            HTTPServiceUnavailable: too many other kinds of picture are being watched.
        """
        try:
            with (
                self._stage.audience.watching(options.variant, options.interval_s, results=options.results) as showing,
                self._reel(showing).newest.reading(),
            ):
                reel = self._reel(showing)
                # what is there was made for somebody who watched earlier, unless somebody still does
                yield reel, 0 if showing.viewers > 1 and not options.results else reel.newest.seq()
        except TooManyVariants as error:
            raise _too_many(error) from None

    def _reel(self, showing: Showing) -> Reel:
        reel = self._reels.get(showing)
        if reel is None:
            reel = self._reels[showing] = Reel(showing, self._results, self._stage.timestamp_s)
            if self._closed:
                reel.newest.close()
        return reel

    def _source(self) -> str:
        source = self._stage.status().source
        return f"The source {source.name} is {source.state}: {source.reason}. See /state."


def _complete(packet: JpegPacket, privacy: PrivacyConfig) -> bool:
    """Whether it has the result that goes with it, if there is one and it may be told."""
    return packet.result is not None or packet.notice or privacy.events != "faces"


def _too_many(error: TooManyVariants) -> web.HTTPServiceUnavailable:
    in_use = ", ".join(f"?{variant.text()}" for variant in error.in_use)
    others = f" and for {in_use}" if in_use else ""
    return web.HTTPServiceUnavailable(
        text=f"All {error.limit} kinds of picture that may be encoded at once (stream.max_variants) are in use: places "
        f"are kept for the default picture{others}. Take one of these, or try again in a few seconds. "
        "(fps and results may differ.)\n",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )
