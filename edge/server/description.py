"""`/api/v1/openapi.json`: what all the operations are, for programs."""

import msgspec
from aiohttp import web

from edge.server.errors import JSON


class Description:
    """The handler: the document is made, and what describes the operations loaded, for the first who asks."""

    def __init__(self) -> None:
        self._body = b""

    async def read(self, _request: web.Request) -> web.Response:
        """GET."""
        if not self._body:
            from edge.server.operations_api import make_document  # noqa: PLC0415

            self._body = msgspec.json.encode(make_document())
        return web.Response(body=self._body, content_type=JSON, headers={"Cache-Control": "no-cache"})
