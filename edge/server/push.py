"""Endless responses that never run ahead of their client."""

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from aiohttp import web

from edge.logs import event

log = logging.getLogger(__name__)

SEND_BUFFER_BYTES = 128 * 1024
"""What the kernel may hold for one client: a few pictures. Its own choice grows to megabytes: seconds of lag."""


def endless(headers: Mapping[str, str]) -> web.StreamResponse:
    """A response without a length, that nothing on its way may keep; as it is, it answers a HEAD request."""
    return web.StreamResponse(
        headers={**headers, "Cache-Control": "no-store, no-transform", "Pragma": "no-cache", "X-Accel-Buffering": "no"}
    )


async def push(
    request: web.Request, headers: Mapping[str, str], parts: AsyncGenerator[bytes, None], timeout_s: float
) -> web.StreamResponse:
    """Answer with `parts`, asking for each only when the kernel has taken all of the one before.

    So `parts` can choose what is newest at that moment, and a slow client skips what it has no time for.

    Args:
        request: whom to answer; a HEAD request gets the headers only.
        headers: of the response; no-store is added.
        parts: the body; closed in the end.
        timeout_s: a client that does not take a part within this time is dropped.
    """
    response = endless(headers)
    transport, now_s = request.transport, asyncio.get_running_loop().time
    if transport is not None:
        # asyncio pauses the writer as soon as anything is left over, and goes on when nothing is. Not 0: asyncio's TLS
        # pauses at that size, not above it, so that it would wait with nothing left over
        transport.set_write_buffer_limits(high=1)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    async with aclosing(parts):
        try:
            writer = await response.prepare(request)
            if writer is None or request.method == "HEAD":
                return response
            with _Patience(request, timeout_s) as patience:
                async for part in parts:
                    patience.began_s = now_s()
                    await writer.write(part)
                    await writer.drain()
                    patience.began_s = None
                    if patience.over:
                        break
        except ConnectionError:
            event(log, logging.DEBUG, "server.left", "a client has gone", client=request.remote)
    return response


class _Patience:
    """Drops a client that does not take a part in time: its pending write then ends.

    Looks now and then instead of arming a timer for each part, which would cost more than sending it. So a client may
    get a quarter more than its time.

    Attributes:
        began_s: when the part that is on its way went off; None: the last one was taken.
        over: whether it was dropped.
    """

    def __init__(self, request: web.Request, timeout_s: float) -> None:
        self.began_s: float | None = None
        self.over = False
        self._request = request
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> "_Patience":
        self._look()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        if self.began_s is not None and self._loop.time() - self.began_s >= self._timeout_s:
            self._drop()
            return
        self._timer = self._loop.call_later(self._timeout_s / 4, self._look)

    def _drop(self) -> None:
        message = f"a client that took nothing for {self._timeout_s:g} s was dropped"
        event(log, logging.INFO, "server.dropped", message, client=self._request.remote, path=self._request.path)
        self.over = True
        if self._request.transport is not None:
            self._request.transport.abort()
