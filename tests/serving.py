"""Serves a stage on a thread of its own, so that a test can be the client."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from edge.server.app import make_app, serving
from edge.server.bind import bind, local_url
from edge.server.reception import DEFAULT_LIMITS, Limits
from edge.server.settings import ServerSettings
from edge.server.tls import Tls
from edge.server.view import Backstage


@dataclass(frozen=True, slots=True)
class Served:
    """A running server.

    Attributes:
        url: to open on this machine.
        port: the port it really has.
        done: over when the server's thread is; holds the error it died of.
    """

    url: str
    port: int
    done: Future[None]


@contextmanager
def serve(
    backstage: Backstage, settings: ServerSettings, *, tls: Tls | None = None, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Served]:
    """Serve on a thread of its own for as long as the context lasts; leaving it takes less than a second.

    Raises:
        ConfigError: it cannot listen where the settings say.
    """
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def until_stopped() -> None:
        stop = asyncio.Event()
        async with serving(make_app(backstage, settings), sock, tls=tls, limits=limits):
            started.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()

    with bind(settings) as sock, ThreadPoolExecutor(max_workers=1, thread_name_prefix="server") as thread:
        done: Future[None] = thread.submit(asyncio.run, until_stopped())
        either: tuple[Future[Any], ...] = (started, done)
        wait(either, return_when=FIRST_COMPLETED)
        if not started.done():
            done.result()
        try:
            yield Served(url=local_url(sock, "https" if tls else "http"), port=sock.getsockname()[1], done=done)
        finally:
            loop, stop = started.result()
            with suppress(RuntimeError):  # the loop is closed: the server died, and `done` says of what
                loop.call_soon_threadsafe(stop.set)
    done.result()
