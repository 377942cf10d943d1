"""Puts the server together, binds it, and runs it beside the program's other threads."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from edge.server.auth import make_gate
from edge.server.feed import Feed
from edge.server.headers import add_security_headers
from edge.server.pages import Pages, load_assets
from edge.server.pictures import Pictures
from edge.server.reports import Reports
from edge.server.settings import ServerSettings
from edge.server.view import Backstage

IDLE_TIMEOUT_S = 15.0
"""A connection that has not sent a whole request by then is closed; so is one kept alive without another request."""

GOODBYE_S = 0.4
"""What clients get to take the end of their response when the server stops. aiohttp waits for this twice."""


def make_app(backstage: Backstage, settings: ServerSettings) -> web.Application:
    """The application with all its endpoints; HEAD works on each."""
    pictures, feed = Pictures(backstage, settings), Feed(backstage, settings)
    pages, reports = Pages(load_assets()), Reports(backstage)

    async def root(request: web.Request) -> web.StreamResponse:
        match request.query.get("action"):
            case None:
                return pages.index(request)
            case "stream":
                return await pictures.stream(request)
            case "snapshot":
                return await pictures.snapshot(request)
            case action:
                raise web.HTTPNotFound(text=f"No action {action[:100]!r}. There are `stream` and `snapshot`.\n")

    async def goodbye(_app: web.Application) -> None:
        pictures.close()
        feed.close()

    app = web.Application(middlewares=[make_gate(settings)])
    app.add_routes(
        [
            web.get("/", root),
            web.get("/stream.mjpg", pictures.stream),
            web.get("/stream", pictures.stream),
            web.get("/snapshot.jpg", pictures.snapshot),
            web.get("/events", feed.events),
            web.get("/state", reports.state),
            web.get("/metrics", reports.metrics),
            web.get("/livez", reports.livez),
            web.get("/readyz", reports.readyz),
            web.get("/favicon.svg", pages.favicon),
            web.get("/favicon.ico", pages.favicon),
            web.get("/static/{name}", pages.asset),
        ]
    )
    app.on_response_prepare.append(add_security_headers)
    app.on_shutdown.append(goodbye)
    return app


@asynccontextmanager
async def serving(
    app: web.Application, sock: socket.socket, idle_timeout_s: float = IDLE_TIMEOUT_S
) -> AsyncIterator[None]:
    """Serve `app` on the running event loop, from a socket that listens, for as long as the context lasts."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,  # a viewer who leaves while nothing comes stops being one
        keepalive_timeout=idle_timeout_s,
        lingering_time=1.0,
        shutdown_timeout=GOODBYE_S,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, sock).start()
        yield
    finally:
        await runner.cleanup()
