"""The `[server]` section of the configuration."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server listens and what it allows. Ranges are checked when it is converted from a mapping.

    Attributes:
        host: address or name to listen on; anything but loopback needs `token` or `insecure`.
        port: TCP port; 0 lets the system choose one.
        insecure: let everybody who reaches the port watch, and accept any Host header.
        max_clients: streams at once, and event feeds at once.
        send_timeout_s: a client that does not take one picture or event within this time is dropped.
        events_hz: most events per second for each client of `/events`.
        client_kbps: bandwidth of one client's stream in kilobits per second; it gets fewer pictures; 0: no limit.
        tls: serve https; with a certificate made by the program if none is named.
        certificate: path of a PEM file with the certificate and what it is signed by.
        key: path of a PEM file with its private key; empty: it is in `certificate`.
        token: what a client has to present; None on loopback means that everybody on this machine may watch.
    """

    host: Annotated[str, Meta(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    insecure: bool = False
    max_clients: Annotated[int, Meta(ge=1, le=1024)] = 32
    send_timeout_s: Annotated[float, Meta(gt=0, le=300)] = 10.0
    events_hz: Annotated[float, Meta(ge=0.01, le=60)] = 10.0
    client_kbps: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    tls: bool = False
    certificate: str = ""
    key: str = ""
    token: Annotated[str, Meta(min_length=8)] | None = None

    def __repr__(self) -> str:
        """As usual, but without the token: settings end up in logs and tracebacks."""
        fields = ((name, getattr(self, name)) for name in self.__struct_fields__)
        shown = (f"{name}={'***' if name == 'token' and value else repr(value)}" for name, value in fields)
        return f"{type(self).__name__}({', '.join(shown)})"
