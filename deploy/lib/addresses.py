"""Prints what to open in a browser: addresses.py CONFIG TOKEN_FILE ADDRESSES. Needs nothing but Python."""

import socket
import sys
import tomllib
from pathlib import Path
from urllib.parse import quote

ANY = ("0.0.0.0", "::")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def urls(settings: dict[str, object], token: str, own: list[str]) -> list[str]:
    """What to open elsewhere if the settings let others in, else here; the likeliest first.

    Args:
        settings: the configuration's section `server`.
        token: goes into each, unless the section has another.
        own: this machine's addresses.
    """
    host = str(settings.get("host", LOOPBACK[0]))
    scheme = "https" if settings.get("tls") else "http"
    query = quote(str(settings.get("token", token)), safe="")
    names = [host]
    if host in ANY:
        name = socket.gethostname().partition(".")[0]
        names = [*(each for each in own if ":" not in each), f"{name}.local"]
    shown = [f"[{name}]" if ":" in name else name for name in names]
    return [f"{scheme}://{name}:{settings.get('port', 8080)}/?token={query}" for name in shown]


def main() -> None:
    config, token, own = sys.argv[1:]
    settings = tomllib.loads(Path(config).read_text(encoding="utf-8")).get("server", {})
    key = Path(token).read_text(encoding="utf-8").strip()
    host = settings.get("host", LOOPBACK[0])
    where = "on this machine" if host in LOOPBACK else "on your network"
    print(f"emotion-edge is ready. Open in a browser {where}:", *urls(settings, key, own.split()), sep="\n  ")
    if host in ANY:
        print("or on this machine itself:", *urls({**settings, "host": LOOPBACK[0]}, key, []), sep="\n  ")


if __name__ == "__main__":
    main()
