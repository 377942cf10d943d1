"""Accepts connections: not more than there are file descriptors for, none that stalls for ever, TLS if asked for."""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from edge.logs import event
from edge.server.detour import speaks_plainly
from edge.server.lockout import LOOPBACK, group
from edge.server.tls import Tls

log = logging.getLogger(__name__)

SPARE: Final = 64
"""Connections beside those that `server.max_clients` allows: pages, single pictures, the API."""

RESERVED: Final = 64
"""File descriptors for everything else: camera, models, event log, uploads."""

RETRY_S: Final = 0.2
HANDSHAKE_S: Final = 10.0
GOODBYE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What connections may cost.

    Attributes:
        connections: at once.
        per_client: of one address, or one IPv6 network of 64 bits; this machine itself has all.
        stalled_s: one whose client has taken nothing of what is ready for it for so long is cut by the kernel.
    """

    connections: int = 128
    per_client: int = 64
    stalled_s: float = 60.0


DEFAULT_LIMITS: Final = Limits()


def limits_for(max_clients: int, send_timeout_s: float) -> Limits:
    """The limits that go with the settings, as far as this process may open files."""
    wanted = 2 * max_clients + SPARE
    possible = max(8, _open_files() - RESERVED)
    if possible < wanted:
        message = f"this process may open so few files (ulimit -n) that {possible} connections fit, not {wanted}"
        event(log, logging.WARNING, "server.few_files", message)
    connections = min(wanted, possible)
    return Limits(connections, max(4, connections // 2), max(30.0, 2 * send_timeout_s))


def _open_files() -> int:
    """How many files this process may have open."""
    try:
        import resource  # noqa: PLC0415 (not on every system)
    except ImportError:
        return 512
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 1 << 20 if soft == resource.RLIM_INFINITY else soft


class Reception:
    """Hands each new connection to a protocol. Used on the event loop's thread only."""

    def __init__(self, protocol: Callable[[], asyncio.Protocol], limits: Limits, tls: Tls | None) -> None:
        self._protocol = protocol
        self._limits = limits
        self._tls = tls
        self._clients: Counter[str] = Counter()
        self._arriving: set[asyncio.Task[None]] = set()

    async def run(self, sock: socket.socket) -> None:
        """Accept until cancelled.

        Args:
            sock: listens, and does not block.
        """
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    found, address = await loop.sock_accept(sock)
                except OSError as error:
                    if sock.fileno() < 0:
                        return
                    # no file descriptor is left, or the client has gone already: the next one may have better luck
                    event(log, logging.WARNING, "server.refused", f"a connection was refused: {error.strerror}")
                    await asyncio.sleep(RETRY_S)
                    continue
                self._welcome(_Connection(found), str(address[0]))
                await asyncio.sleep(0)  # a flood must not keep the others from being served
        finally:
            for task in self._arriving:
                task.cancel()

    def _welcome(self, connection: "_Connection", address: str) -> None:
        who = group(address)
        crowded = who != LOOPBACK and self._clients[who] >= self._limits.per_client
        if crowded or self._clients.total() >= self._limits.connections:
            why = f"one client has {self._limits.per_client}" if crowded else f"{self._limits.connections} are open"
            event(log, logging.WARNING, "server.full", f"a connection was refused: {why}", client=address)
            connection.close()
            return
        self._clients[who] += 1
        connection.on_close = lambda: self._left(who)
        task = asyncio.get_running_loop().create_task(self._serve(connection, address))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    def _left(self, who: str) -> None:
        self._clients[who] -= 1
        if not self._clients[who]:
            del self._clients[who]

    async def _serve(self, connection: "_Connection", address: str) -> None:
        try:
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; counts while the client's window is closed, too (tcp(7))
                stalled_ms = round(self._limits.stalled_s * 1000)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, stalled_ms)
            options: dict[str, Any] = {}
            if self._tls is not None:
                if await speaks_plainly(connection, HANDSHAKE_S):
                    connection.close()
                    return
                options = {
                    "ssl": self._tls.context,
                    "ssl_handshake_timeout": HANDSHAKE_S,
                    "ssl_shutdown_timeout": GOODBYE_S,
                }
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection, **options)
        except OSError as error:  # those of TLS among them
            event(log, logging.DEBUG, "server.left", f"a connection came to nothing: {error}", client=address)
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise


class _Connection(socket.socket):
    """Tells when it is closed, whoever does it: then its file descriptor is free again."""

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())
        self.setblocking(False)
        self.on_close: Callable[[], None] | None = None

    def close(self) -> None:
        super().close()
        told, self.on_close = self.on_close, None
        if told is not None:
            told()
