"""Sends a browser that came by http to the https that is spoken here."""

import asyncio
import re
import socket
from typing import Final

HANDSHAKE: Final = b"\x16"
"""The first byte of every TLS connection: a handshake record (RFC 8446, section 5.1)."""

REQUEST_BYTES: Final = 8190
REQUEST: Final = re.compile(rb"(?:GET|HEAD) (/[!-~]*) HTTP/1\.[01]\r\n")
HOST: Final = re.compile(rb"\r\nhost:[ \t]*([A-Za-z0-9.:\[\]-]{1,255})[ \t]*\r\n", re.IGNORECASE)


async def speaks_plainly(connection: socket.socket, timeout_s: float) -> bool:
    """Whether a new connection is not TLS; it has its answer then, and is to be closed.

    Raises:
        TimeoutError: it says nothing in time.
        OSError: it broke.
    """
    async with asyncio.timeout(timeout_s):
        if await _first_byte(connection) in (HANDSHAKE, b""):
            return False
        loop, request = asyncio.get_running_loop(), b""
        while b"\r\n\r\n" not in request and len(request) < REQUEST_BYTES:
            more = await loop.sock_recv(connection, REQUEST_BYTES - len(request))
            if not more:
                break
            request += more
        await loop.sock_sendall(connection, answer(request))
    return True


def answer(request: bytes) -> bytes:
    """What to say to a request, or to whatever else it is."""
    asked, host = REQUEST.match(request), HOST.search(request)
    if asked is None or host is None:
        return _response("400 Bad Request", "This port speaks https only.\n")
    target = f"https://{host[1].decode()}{asked[1].decode()}"
    return _response("307 Temporary Redirect", "This port speaks https only.\n", f"Location: {target}\r\n")


def _response(status: str, text: str, header: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\n{header}Content-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
    return f"{head}Cache-Control: no-store\r\nConnection: close\r\n\r\n{text}".encode()


async def _first_byte(connection: socket.socket) -> bytes:
    """Look at it and leave it there."""
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()
    try:
        loop.add_reader(connection, lambda: None if readable.done() else readable.set_result(None))
    except NotImplementedError:  # Windows' event loop cannot: there, whoever comes is taken to speak TLS
        return HANDSHAKE
    try:
        await readable
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)
