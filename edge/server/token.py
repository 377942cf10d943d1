"""The token that `--lan` makes, and the addresses to open with it."""

import os
import secrets
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from edge.errors import ConfigError
from edge.named_paths import home

TOKEN_BYTES = 24
SIOCGIFADDR = 0x8915
"""The ioctl for an interface's IPv4 address (netdevice(7))."""

NOWHERE = ("192.0.2.1", 9)
"""TEST-NET-1 (RFC 5737): connecting a UDP socket sends nothing, yet shows the address the system would use."""


def token_path() -> Path:
    """Where the token of `--lan` is kept: systemd's state directory, else the user's."""
    state = os.environ.get("STATE_DIRECTORY")
    if state:
        return Path(state) / "token"
    folder = os.environ.get("XDG_STATE_HOME") or home() / ".local" / "state"
    return Path(folder) / "emotion-edge" / "token"


def load_or_make_token(path: Path) -> str:
    """The token kept in `path`; made, readable by its owner only, if there is none yet.

    Raises:
        ConfigError: others may read the file, it is empty or too short, or it can be neither read nor made.
    """
    try:
        if not path.exists():
            _make(path)
        return _load(path)
    except OSError as error:
        raise ConfigError(
            f"The token file {path} can be neither read nor made ({error.strerror}). "
            "Make its folder writable for this user."
        ) from error


def lan_urls(host: str, port: int, token: str | None, scheme: str = "http") -> list[str]:
    """What to open on another device of the network, the likeliest first.

    Args:
        host: where the server listens; a wildcard gives a URL per address of this machine, and one by its mDNS name.
        port: the port it really has.
        token: goes into the URLs if set.
        scheme: `https` if TLS is on.
    """
    query = "" if token is None else f"?token={quote(token, safe='')}"
    if host in {"0.0.0.0", "::"}:
        hosts = [*lan_addresses(), f"{socket.gethostname().partition('.')[0]}.local"]
    else:
        hosts = [f"[{host}]" if ":" in host else host]
    return [f"{scheme}://{name}:{port}/{query}" for name in hosts]


def lan_addresses() -> list[str]:
    """This machine's IPv4 addresses but loopback, the one of the default route first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        addresses: list[str | None] = []
        with suppress(OSError):  # a sandbox may forbid the question
            addresses += [_address_of(sock, name) for _, name in socket.if_nameindex()]
        with suppress(OSError):  # there may be no default route
            sock.connect(NOWHERE)
            addresses.insert(0, sock.getsockname()[0])
    return list(dict.fromkeys(address for address in addresses if address and not address.startswith("127.")))


def _address_of(sock: socket.socket, interface: str) -> str | None:
    try:
        import fcntl  # noqa: PLC0415 (not on every system)
    except ImportError:
        return None
    try:
        answer = fcntl.ioctl(sock.fileno(), SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
    except OSError:
        return None  # down, or without IPv4
    return socket.inet_ntoa(answer[20:24])


def _load(path: Path) -> str:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise ConfigError(f"The token file {path} has mode {mode:04o}: others may read it. Run: chmod 600 {path}")
    token = path.read_text(encoding="utf-8").strip()
    if len(token) < 8:
        raise ConfigError(
            f"The token file {path} holds {len(token)} characters, expected 8 or more. "
            "Delete it to have a new one made."
        )
    return token


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # a link, not a rename: whoever was first wins, and both programs use the same token
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
