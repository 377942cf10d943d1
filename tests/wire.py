"""A plain HTTP client on a bare socket: it sees what is on the wire, and when."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

PATIENCE_S = 20.0


def eventually(
    condition: Callable[[], bool], what: str, *, within_s: float = PATIENCE_S, every_s: float = 0.005
) -> None:
    """Wait for something another thread does; generous, for busy machines."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(every_s)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart stream."""

    headers: dict[str, str]
    body: bytes

    @property
    def seq(self) -> int:
        """The number of the picture."""
        return int(self.headers["x-sequence"])


class Wire:
    """One connection with one request. HTTP/1.0 by default, so that bodies come without chunks."""

    def __init__(self, port: int, timeout_s: float = PATIENCE_S, receive_buffer: int | None = None) -> None:
        self.sock = socket.socket()
        if receive_buffer is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout_s)
        self.sock.connect(("127.0.0.1", port))
        self._file = self.sock.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self.sock.close()

    def send(self, path: str, method: str = "GET", version: str = "1.0", **headers: str) -> Self:
        """Send a request; underscores in header names become hyphens."""
        lines = [f"{method} {path} HTTP/{version}", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return self

    def read_headers(self) -> dict[str, str]:
        """Read the header block that comes next; the status line, if any, is under `status`."""
        headers: dict[str, str] = {}
        while line := self._file.readline().decode().rstrip("\r\n"):
            if line.startswith("HTTP/"):
                headers["status"] = line.split()[1]
            else:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
        return headers

    def read_line(self) -> bytes:
        """The next line, without its end."""
        return self._file.readline().rstrip(b"\r\n")

    def read(self, size: int) -> bytes:
        """So many bytes."""
        return self._file.read(size)

    def read_all(self) -> bytes:
        """Everything up to the end of the connection."""
        return self._file.read()

    def read_part(self) -> Part:
        """The next part of a stream whose opening boundary has been read, and the boundary that ends it."""
        headers = self.read_headers()
        body = self.read(int(headers["content-length"]))
        assert self.read(2) == b"\r\n"
        assert self.read_line() == b"--emotion-edge-frame"
        return Part(headers, body)

    def read_event(self) -> dict[str, str]:
        """The fields of the next server-sent event; a comment is under the empty name."""
        fields: dict[str, str] = {}
        while line := self.read_line().decode():
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        return fields


def get(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a short response."""
    with Wire(port) as wire:
        got = wire.send(path, method, **headers).read_headers()
        return int(got["status"]), got, wire.read_all()


def watch(port: int, path: str = "/stream.mjpg", **options: int) -> Wire:
    """Open a stream and read up to its first part."""
    wire = Wire(port, **options).send(path)
    headers = wire.read_headers()
    assert headers["status"] == "200", headers
    assert wire.read_line() == b"--emotion-edge-frame"
    return wire
