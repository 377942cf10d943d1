"""https, with a client that looks at the certificate."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.server.detour import answer
from edge.server.settings import ServerSettings
from edge.server.tls import SELF_MADE, Tls
from tests.serving import Served, serve
from tests.stage import Stage
from tests.wire import PATIENCE_S, Wire, eventually

SETTINGS = ServerSettings(port=0, tls=True, token="open-sesame", send_timeout_s=1.0)
AUTHORISED = b"Authorization: Bearer open-sesame\r\n"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage().running(30) as stage:
        yield stage


@pytest.fixture
def served(stage: Stage, tmp_path: Path) -> Iterator[Served]:
    with serve(stage.backstage(), SETTINGS, tls=Tls(SETTINGS, tmp_path)) as server:
        yield server


@contextmanager
def connected(
    port: int, folder: Path, name: str = "127.0.0.1", receive_buffer: int | None = None
) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=str(folder / SELF_MADE))
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # what newer Pythons and phones insist on
    with socket.socket() as plain:
        if receive_buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(PATIENCE_S)
        plain.connect(("127.0.0.1", port))
        with context.wrap_socket(plain, server_hostname=name) as sock:
            yield sock


def read_all(sock: ssl.SSLSocket) -> bytes:
    found = b""
    while more := sock.recv(65536):
        found += more
    return found


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", socket.gethostname().partition(".")[0]])
def test_a_client_that_trusts_the_certificate_is_served(served: Served, tmp_path: Path, name: str) -> None:
    assert served.url == f"https://127.0.0.1:{served.port}/"
    with connected(served.port, tmp_path, name) as sock:
        assert sock.version() in {"TLSv1.2", "TLSv1.3"}
        sock.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        head = read_all(sock).decode()
        assert head.startswith("HTTP/1.0 200")
        assert "Strict-Transport-Security" not in head


def test_a_client_that_does_not_trust_it_says_so(served: Served) -> None:
    context = ssl.create_default_context()
    with socket.create_connection(("127.0.0.1", served.port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname="localhost")


def test_the_cookie_stays_within_https(served: Served, tmp_path: Path) -> None:
    with connected(served.port, tmp_path) as sock:
        sock.sendall(b"GET /?token=open-sesame HTTP/1.0\r\n\r\n")
        cookie = next(line for line in read_all(sock).decode().splitlines() if line.startswith("Set-Cookie"))
        assert "Secure" in cookie


def test_only_the_page_by_https_counts_as_ours(served: Served, tmp_path: Path) -> None:
    for scheme, status in (("https", b"303"), ("http", b"403")):
        with connected(served.port, tmp_path) as sock:
            origin = f"Host: localhost:{served.port}\r\nOrigin: {scheme}://localhost:{served.port}\r\n".encode()
            sock.sendall(b"POST /logout HTTP/1.0\r\n" + origin + b"\r\n")
            assert read_all(sock).split()[1] == status


def test_the_stream_flows(served: Served, tmp_path: Path) -> None:
    with connected(served.port, tmp_path) as sock:
        sock.sendall(b"GET /stream.mjpg HTTP/1.0\r\n" + AUTHORISED + b"\r\n")
        found, end_s = b"", time.monotonic() + PATIENCE_S
        while found.count(b"X-Sequence") < 20:
            assert time.monotonic() < end_s
            found += sock.recv(65536)


def test_a_client_that_takes_nothing_is_dropped(served: Served, stage: Stage, tmp_path: Path) -> None:
    with connected(served.port, tmp_path, receive_buffer=8192) as sock:
        sock.sendall(b"GET /stream.mjpg HTTP/1.0\r\n" + AUTHORISED + b"\r\n")
        eventually(lambda: stage.audience.count == 1, "a viewer")
        eventually(lambda: stage.audience.count == 0, "the viewer dropped")


def test_a_handshake_that_never_ends_holds_up_nobody(served: Served, tmp_path: Path) -> None:
    with Wire(served.port) as silent, Wire(served.port) as half:
        half.sock.sendall(b"\x16\x03\x01\x02\x00\x01")
        with connected(served.port, tmp_path) as sock:
            sock.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            assert read_all(sock).startswith(b"HTTP/1.0 200")
        assert silent.sock.fileno() > 0


def test_whoever_comes_by_http_is_shown_the_way(served: Served) -> None:
    with Wire(served.port) as wire:
        wire.send("/state?x=1", Host=f"localhost:{served.port}")
        headers = wire.read_headers()
        assert headers["status"] == "307"
        assert headers["location"] == f"https://localhost:{served.port}/state?x=1"
        assert wire.read_all() == b"This port speaks https only.\n"


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /login HTTP/1.1\r\nHost: localhost\r\n\r\ntoken=x",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b'GET / HTTP/1.1\r\nHost: evil"><script>\r\n\r\n',
        b"GET //evil\r\nX: y HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET @evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x00\x01\x02",
        b"",
    ],
)
def test_nothing_else_is_redirected(request_: bytes) -> None:
    found = answer(request_)
    assert found.startswith(b"HTTP/1.1 400 ")
    assert b"Location" not in found
