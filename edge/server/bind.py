"""Where the server may listen, and how it comes to do so."""

import errno
import ipaddress
import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

from edge.errors import ConfigError, TemporaryError
from edge.logs import event
from edge.server.owner import listener_of
from edge.server.settings import ServerSettings

log = logging.getLogger(__name__)

BACKLOG = 128

_AHEAD: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, getattr(socket, "IP_FREEBIND", 15)),
    socket.AF_INET6: (socket.IPPROTO_IPV6, getattr(socket, "IPV6_FREEBIND", 78)),
}
"""The option to listen on an address before the machine has it, of ip(7) and Linux' `linux/in6.h`; for anybody."""


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine only (RFC 6761: `localhost` and all below it)."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def check_bind(settings: ServerSettings) -> None:
    """Refuse to show the camera to a network without asking who watches.

    Raises:
        ConfigError: `host` is reachable from elsewhere, and there is neither a token nor `insecure`.
    """
    if is_loopback(settings.host) or settings.token is not None or settings.insecure:
        return
    raise ConfigError(
        f"server.host is {settings.host}, which others can reach, and no token is set: everybody on the network could "
        "watch the camera. Use --lan to make a token and print the address to open, set server.token, "
        "or accept it with --insecure."
    )


def bind(settings: ServerSettings, environment: Mapping[str, str] = os.environ) -> socket.socket:
    """A socket that listens where the settings say; from then on clients may connect.

    A service is started before the network gives this machine its address: it listens on one that is still to come.

    Args:
        settings: where.
        environment: tells whether a service manager waits for us.

    Raises:
        ConfigError: the bind is unsafe, the port is taken or forbidden, the host is unknown or not this machine's.
        TemporaryError: nobody could be asked for the host's address.
    """
    check_bind(settings)
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise TemporaryError(
                f"server.host {host!r} cannot be looked up now ({error.strerror}). Is the network up? An address "
                "instead of a name, such as 0.0.0.0, needs none."
            ) from error
        raise ConfigError(
            f"server.host {host!r} is no name or address this machine knows ({error.strerror}). "
            "Use 127.0.0.1, 0.0.0.0 or one of its own addresses."
        ) from error
    except UnicodeError as error:  # a part between dots that is empty, or has more than 63 characters
        raise ConfigError(
            f"server.host {host!r} cannot be a name ({error}). Use 127.0.0.1, 0.0.0.0 or one of its own addresses."
        ) from error
    # `localhost` may be both: browsers and tools that try only one of them try IPv4
    family, kind, protocol, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        _bind(sock, address, ahead="NOTIFY_SOCKET" in environment and _is_address(host))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise ConfigError(_why_not(error, host, port)) from error
    return sock


def _bind(sock: socket.socket, address: tuple[object, ...], *, ahead: bool) -> None:
    """`ahead`: also to an address that this machine does not have yet."""
    try:
        sock.bind(address)
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL or not ahead or sock.family not in _AHEAD:
            raise
        try:
            sock.setsockopt(*_AHEAD[sock.family], 1)
            sock.bind(address)
        except OSError:  # another system than Linux
            raise error from None
        message = f"server.host {address[0]} is no address of this machine yet; it is listened on as soon as it is"
        event(log, logging.WARNING, "server.ahead", message)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def local_url(sock: socket.socket, scheme: str = "http") -> str:
    """The address to open on this machine for a listening socket."""
    host, port = sock.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        return f"{scheme}://127.0.0.1:{port}/"
    return f"{scheme}://[{host}]:{port}/" if address.version == 6 else f"{scheme}://{host}:{port}/"


def _why_not(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            owner = listener_of(port)
            by = f" by {owner}" if owner else " by another program"
            return f"Port {port} on {host} is in use{by}. Stop it, or choose another with --port (0: any free one)."
        case errno.EADDRNOTAVAIL:
            return f"server.host {host} is no address of this machine. Use 127.0.0.1, 0.0.0.0 or one of its own."
        case errno.EACCES:
            return f"Port {port} needs privileges this program does not have. Choose one above 1023 with --port."
        case _:
            return f"Cannot listen on {host}, port {port}: {error.strerror}. Choose others with --host and --port."
