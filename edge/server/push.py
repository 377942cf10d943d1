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
    response = web.StreamResponse(
        headers={**headers, "Cache-Control": "no-store, no-transform", "Pragma": "no-cache", "X-Accel-Buffering": "no"}
    )
    transport = request.transport
    if transport is not None:
        # asyncio pauses the writer as soon as anything is left over, and goes on when nothing is
        transport.set_write_buffer_limits(high=0)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    async with aclosing(parts):
        try:
            writer = await response.prepare(request)
            if writer is None or request.method == "HEAD":
                return response
            async for part in parts:
                async with asyncio.timeout(timeout_s):
                    await writer.write(part)
                    await writer.drain()
        except TimeoutError:
            message = f"a client that took nothing for {timeout_s:g} s was dropped"
            event(log, logging.INFO, "server.dropped", message, client=request.remote, path=request.path)
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            event(log, logging.DEBUG, "server.left", "a client has gone", client=request.remote)
    return response
