"""Answers about what changes all the time: no cache may keep them."""

from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from edge.server.errors import JSON

NO_STORE: Final[dict[str, str]] = {hdrs.CACHE_CONTROL: "no-store"}


def json_answer(content: Any, status: int = 200, **headers: str) -> web.Response:
    """What msgspec can encode, as JSON."""
    return web.Response(
        status=status, body=msgspec.json.encode(content), content_type=JSON, headers={**NO_STORE, **headers}
    )
