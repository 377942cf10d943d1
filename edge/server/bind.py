"""Where the server may listen, and how it comes to do so."""

import errno
import ipaddress
import socket

from edge.errors import ConfigError
from edge.server.owner import listener_of
from edge.server.settings import ServerSettings

BACKLOG = 128


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


def bind(settings: ServerSettings) -> socket.socket:
    """A socket that listens where the settings say; from then on clients may connect.

    Raises:
        ConfigError: the bind is unsafe, the port is taken or forbidden, the host is unknown or not this machine's.
    """
    check_bind(settings)
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise ConfigError(
            f"server.host {host!r} is no name or address this machine knows ({error.strerror}). "
            "Use 127.0.0.1, 0.0.0.0 or one of its own addresses."
        ) from error
    # `localhost` may be both: browsers and tools that try only one of them try IPv4
    family, kind, protocol, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise ConfigError(_why_not(error, host, port)) from error
    return sock


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
