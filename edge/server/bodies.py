"""Request bodies, taken with a bound on their size and on the time their sender may need."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, NoReturn

from aiohttp import hdrs, web

GRACE_S: Final = 10.0
MIN_BYTES_S: Final = 16 * 1024
"""Far below any network that a video would be sent over, far above what it costs to hold a connection open for days."""


async def read_body(request: web.Request, max_bytes: int, timeout_s: float, limit: str = "what is taken here") -> bytes:
    """All of a body.

    Args:
        request: whose body was not touched yet.
        max_bytes: a longer one is refused, before it is read if it says so.
        timeout_s: the whole body has to be there by then.
        limit: what sets `max_bytes`, such as `uploads.max_mb`, for the message.

    Raises:
        HTTPRequestEntityTooLarge: there is more.
        HTTPRequestTimeout: it took longer.
        HTTPUnsupportedMediaType: it is compressed.
        HTTPBadRequest: it broke off, or its chunks are malformed.
    """
    body = bytearray()
    async with aclosing(stream_body(request, max_bytes, limit, grace_s=timeout_s, min_bytes_s=None)) as chunks:
        async for chunk in chunks:
            body += chunk
    return bytes(body)


async def stream_body(
    request: web.Request,
    max_bytes: int,
    limit: str = "what is taken here",
    *,
    grace_s: float = GRACE_S,
    min_bytes_s: float | None = MIN_BYTES_S,
) -> AsyncGenerator[bytes, None]:
    """A body in pieces as they come. Iterate within `contextlib.aclosing`.

    Args:
        request: whose body was not touched yet.
        max_bytes: a longer one is refused, before it is read if it says so.
        limit: what sets `max_bytes`, such as `uploads.max_mb`, for the message.
        grace_s: seconds before the rate counts.
        min_bytes_s: bytes per second that have to come from then on, on the whole; None: all of it within `grace_s`.

    Raises:
        HTTPRequestEntityTooLarge: there is more.
        HTTPRequestTimeout: it comes too slowly.
        HTTPUnsupportedMediaType: it is compressed.
        HTTPBadRequest: it broke off, or its chunks are malformed.
    """
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        # nothing here takes it, and a small body could become a huge one
        raise web.HTTPUnsupportedMediaType(text="The body is compressed. Send it without Content-Encoding.\n")
    if request.content_length is not None and request.content_length > max_bytes:
        _too_large(max_bytes, limit, request.content_length)
    start_s, received = asyncio.get_running_loop().time(), 0
    while True:
        end_s = start_s + grace_s + (received / min_bytes_s if min_bytes_s else 0.0)
        try:
            async with asyncio.timeout_at(end_s):
                chunk = await request.content.readany()
        except TimeoutError:
            raise _closing(web.HTTPRequestTimeout(text=_too_slow(received, grace_s, min_bytes_s))) from None
        except (web.RequestPayloadError, web.PayloadAccessError) as error:
            raise _closing(web.HTTPBadRequest(text=f"The body is broken: {error}. Send it again.\n")) from error
        if not chunk:
            return
        received += len(chunk)
        if received > max_bytes:
            _too_large(max_bytes, limit, received)
        yield chunk


def _too_large(max_bytes: int, limit: str, found: int) -> NoReturn:
    or_raise = f", or raise {limit}" if limit.startswith("uploads.") else ""
    text = f"The body has {found} bytes or more, expected at most {max_bytes} ({limit}). Send less{or_raise}.\n"
    raise _closing(web.HTTPRequestEntityTooLarge(max_bytes, found, text=text))


def _too_slow(received: int, grace_s: float, min_bytes_s: float | None) -> str:
    wanted = f"all of it within {grace_s:g} s"
    if min_bytes_s is not None:
        wanted = f"{min_bytes_s / 1024:g} KiB a second after the first {grace_s:g} s"
    return f"The body came too slowly: {received} bytes so far, expected {wanted}. Send it again over a faster link.\n"


def _closing(answer: web.HTTPException) -> web.HTTPException:
    """The rest of the body is still on its way: the connection is of no use for another request."""
    answer.force_close()
    return answer
