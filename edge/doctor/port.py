"""Whether the server could listen where the settings say; a running service may, and then does."""

import errno
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Final

from msgspec.structs import replace

from edge.doctor.findings import Finding
from edge.doctor.world import HIDDEN, World
from edge.errors import ConfigError, EdgeError
from edge.server.bind import bind, check_bind
from edge.server.owner import listener_of
from edge.server.settings import ServerSettings

ANSWER_S: Final = 3.0
SERVER: Final = "emotion-edge"
"""How this program calls itself in every answer, whatever it answers."""


def check(
    world: World,
    bind: Callable[[ServerSettings], socket.socket] = bind,
    listener: Callable[[int], str | None] = listener_of,
) -> Iterator[Finding]:
    """By listening for a moment.

    Args:
        world: what to look at.
        bind: gives a listening socket; raises an EdgeError.
        listener: who listens on a port, as far as this user may know.
    """
    settings = world.settings.server
    if world.of_service and any(name == "token" for name, _ in world.unit.credentials):
        # the service has it from systemd; nobody else can read it
        settings = replace(settings, token=settings.token or HIDDEN)
    try:
        check_bind(settings)
    except ConfigError as error:
        yield world.finding("bind-unprotected", str(error))
        return
    free = (
        f"port {settings.port} on {settings.host} is free" if settings.port else "port 0: the start chooses a free one"
    )
    try:
        with closing(bind(settings)):
            yield world.finding("port-ok", free)
    except EdgeError as error:
        yield _refused(world, error, listener)


def _refused(world: World, error: EdgeError, listener: Callable[[int], str | None]) -> Finding:
    settings = world.settings.server
    match getattr(error.__cause__, "errno", None):
        case errno.EADDRINUSE:
            owner = listener(settings.port)
            if _is_own(world, owner):
                by = owner or (f"the service (process {world.unit.pid})" if world.unit.pid else "this program")
                return world.finding("port-of-service", f"{by} listens on port {settings.port}")
            return world.finding("port-taken", str(error), port=str(settings.port), host=settings.host)
        case errno.EACCES:
            return world.finding("port-forbidden", str(error))
        case _:
            return world.finding("host-unusable", str(error))


def _is_own(world: World, owner: str | None) -> bool:
    """Whether it is this program that listens."""
    if owner and (owner.startswith("emotion-edge ") or (world.unit.running and f"(process {world.unit.pid})" in owner)):
        return True
    # another user's cannot be looked into, and `python -m edge` is called after its Python
    return (owner is None or owner.startswith("python")) and _answers(world.settings.server)


def _answers(settings: ServerSettings) -> bool:
    """Whether what listens answers as this program does, which may have been started with other settings."""
    return any(_is_named(settings, tls) for tls in (settings.tls, not settings.tls))


def _is_named(settings: ServerSettings, tls: bool) -> bool:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "localhost") else settings.host
    connection: http.client.HTTPConnection = http.client.HTTPConnection(host, settings.port, timeout=ANSWER_S)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is told to it
        connection = http.client.HTTPSConnection(host, settings.port, timeout=ANSWER_S, context=context)
    try:
        with closing(connection):
            connection.request("GET", "/livez")
            return connection.getresponse().getheader("Server") == SERVER
    except (OSError, http.client.HTTPException):
        return False
