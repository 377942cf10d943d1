"""What the program says about itself: state, metrics, health."""

import asyncio

import msgspec
from aiohttp import web

from edge.events import schema
from edge.server.answers import NO_STORE, json_answer
from edge.server.view import Backstage, Health


class Reports:
    """Handlers for `/state`, `/metrics`, `/livez`, `/readyz`, and for the schema of all records."""

    def __init__(self, backstage: Backstage) -> None:
        self._stage = backstage
        self._schema = msgspec.json.encode(schema())

    async def state(self, _request: web.Request) -> web.Response:
        """`/state`: the status as JSON."""
        return json_answer(self._stage.status())

    async def schema(self, _request: web.Request) -> web.Response:
        """`/api/v1/schema.json`: the JSON Schema of all records."""
        return web.Response(body=self._schema, content_type="application/schema+json", headers=NO_STORE)

    async def metrics(self, _request: web.Request) -> web.Response:
        """`/metrics`: Prometheus' text format."""
        # the first one loads the library, which takes a small board half a second: streams go on meanwhile
        registry = await asyncio.to_thread(self._stage.registry)
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415  # by those who are scraped

        body = generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST, **NO_STORE})

    async def livez(self, _request: web.Request) -> web.Response:
        """`/livez`: 200 while the program works, 503 when it should be restarted."""
        return _health(self._stage.alive)

    async def readyz(self, _request: web.Request) -> web.Response:
        """`/readyz`: 200 while frames flow, 503 while there is nothing to see."""
        return _health(self._stage.ready)


def _health(check: Health) -> web.Response:
    well, reason = check()
    return web.Response(status=200 if well else 503, text=f"{reason}\n", headers=NO_STORE)
