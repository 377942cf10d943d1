"""Puts the server together, binds it, and runs it beside the program's other threads."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from edge.server.auth import LOGIN, LOGOUT, Gate
from edge.server.config_api import ConfigApi
from edge.server.control import ControlApi
from edge.server.description import Description
from edge.server.errors import json_errors
from edge.server.feed import Feed
from edge.server.headers import add_security_headers
from edge.server.malformed import HTTP_LOG
from edge.server.origin import guard_origin
from edge.server.pages import Pages, load_assets
from edge.server.pictures import Pictures
from edge.server.receive import Receive
from edge.server.reception import DEFAULT_LIMITS, Limits, Reception
from edge.server.reports import Reports
from edge.server.settings import ServerSettings
from edge.server.tls import RELOAD_S, Tls
from edge.server.uploads import Uploads
from edge.server.view import Backstage
from edge.uploads.desk import UploadDesk

IDLE_TIMEOUT_S = 15.0
"""A connection that has not sent a whole request by then is closed; so is one kept alive without another request."""

GOODBYE_S = 0.4
"""What clients get to take the end of their response when the server stops. aiohttp waits for this twice."""


def make_app(backstage: Backstage, settings: ServerSettings) -> web.Application:
    """The application with all its endpoints; HEAD works on each."""
    pictures, feed = Pictures(backstage, settings), Feed(backstage, settings)
    pages, reports = Pages(load_assets()), Reports(backstage)
    config = ConfigApi(backstage.settings)
    control, receive = ControlApi(backstage), Receive(backstage, settings)
    gate = Gate(settings)
    desk = backstage.uploads or UploadDesk(backstage.settings)
    uploads = Uploads(desk, settings.max_clients)

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

    async def welcome(_app: web.Application) -> None:
        await desk.open()

    async def goodbye(_app: web.Application) -> None:
        pictures.close()
        feed.close()
        await receive.close()
        await desk.close()

    app = web.Application(middlewares=[json_errors, guard_origin, gate.middleware])
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
            web.get("/api/v1/openapi.json", Description().read),
            web.get("/api/v1/schema.json", reports.schema),
            web.get("/api/v1/config", config.read),
            web.patch("/api/v1/config", config.change),
            web.post("/api/v1/control", control.ask),
            web.get("/api/v1/push", receive.push),
            web.post("/api/v1/analyze", uploads.analyze),
            web.post("/api/v1/videos", uploads.send),
            web.get("/api/v1/videos", uploads.index),
            web.get("/api/v1/videos/{id}", uploads.job),
            web.delete("/api/v1/videos/{id}", uploads.delete),
            web.get("/api/v1/videos/{id}/{file}", uploads.result),
            web.post(LOGIN, gate.login),
            web.get(LOGIN, gate.back),
            web.post(LOGOUT, gate.logout),
            web.get("/favicon.svg", pages.favicon),
            web.get("/favicon.ico", pages.favicon),
            web.get("/static/{name}", pages.asset),
        ]
    )
    app.on_response_prepare.append(add_security_headers)
    app.on_startup.append(welcome)
    app.on_shutdown.append(goodbye)
    return app


@asynccontextmanager
async def serving(
    app: web.Application,
    sock: socket.socket,
    idle_timeout_s: float = IDLE_TIMEOUT_S,
    *,
    tls: Tls | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> AsyncIterator[None]:
    """Serve `app` on the running event loop, from a socket that listens, for as long as the context lasts."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,  # a viewer who leaves while nothing comes stops being one
        keepalive_timeout=idle_timeout_s,
        lingering_time=1.0,
        shutdown_timeout=GOODBYE_S,
        logger=HTTP_LOG,
        auto_decompress=False,  # no compressed body is taken: see edge/server/bodies.py
    )
    await runner.setup()
    assert runner.server is not None
    reception = Reception(runner.server, limits, tls)
    tasks = [asyncio.create_task(reception.run(sock))]
    if tls is not None:
        tasks.append(asyncio.create_task(_keep_current(tls)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await runner.cleanup()


async def _keep_current(tls: Tls) -> None:
    """Take a renewed certificate without a restart."""
    while True:
        await asyncio.sleep(RELOAD_S)
        tls.reload_or_keep()
