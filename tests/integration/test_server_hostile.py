"""Requests nobody sends by mistake: each gets a 4xx, none reaches a file, and none fills the log."""

import logging
from collections.abc import Iterator

import pytest

from edge.server.settings import ServerSettings
from tests.serving import Served, serve
from tests.stage import Stage
from tests.wire import Wire, get

HOST = b"Host: localhost\r\n"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve(Stage().backstage(), ServerSettings(port=0)) as server:
        yield server


def sent(server: Served, request: bytes) -> tuple[int, dict[str, str], bytes]:
    with Wire(server.port) as wire:
        wire.sock.sendall(request)
        headers = wire.read_headers()
        length = headers.get("content-length")
        return int(headers["status"]), headers, wire.read_all() if length is None else wire.read(int(length))


ELSEWHERE = [
    b"/static/../../etc/passwd",
    b"/static/%2e%2e/%2e%2e/etc/passwd",
    b"/static/..%2f..%2f..%2fetc%2fpasswd",
    b"/static/..%5c..%5cetc%5cpasswd",
    b"/static/%2fetc%2fpasswd",
    b"/static//etc/passwd",
    b"/static/../app.py",
    b"/static/%2e%2e%2fapp.py",
    b"/static/app.js%00.html",
    b"/static/%ff%fe",
    b"/static/%zz",
    b"/static/" + b"a" * 7000,
    b"/static/.",
    b"/static/",
    b"/../etc/passwd",
    b"//etc/passwd",
    b"/api/v1/videos/..%2f..%2fetc%2fpasswd",
    b"/api/v1/videos/%2e%2e/events.jsonl",
    b"/api/v1/videos/%00",
    b"/api/v1/videos/..%2f..%2fetc/annotated.webm",
]


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: path[:40].decode())
def test_no_path_leads_to_a_file(served: Served, path: bytes) -> None:
    status, _, body = sent(served, b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    assert status == 404
    assert b"root:" not in body
    assert b"import" not in body


MALFORMED = {
    "a long address": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long header": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 20_000 + b"\r\n\r\n",
    "a long header name": b"GET / HTTP/1.1\r\n" + HOST + b"X" * 9000 + b": a\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 300 + b"\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
    "a space before a colon": b"GET / HTTP/1.1\r\n" + HOST + b"X : a\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: localhost\n\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "no slash": b"GET state HTTP/1.1\r\n" + HOST + b"\r\n",
    "a broken address": b"GET http://[::1/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "an unknown version": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
    # two ways to tell where a request ends: what one server takes for a body, another takes for the next request
    "length and chunks": b"POST /login HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    "chunks and length": b"POST /login HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG",
    "two lengths": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 6\r\nContent-Length: 5\r\n\r\n123456",
    "a length with a sign": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: +6\r\n\r\n123456",
    "a negative length": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: -6\r\n\r\n123456",
    "a huge length": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "chunks, then not": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an unknown encoding": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two encodings": b"POST /login HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "a chunk without size": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_no_http_is_refused_in_one_line_of_the_log(
    served: Served, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    status, _, _ = sent(served, MALFORMED[kind])
    assert 400 <= status < 500
    noisy = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert [record.getMessage() for record in noisy] in ([], ["a malformed request was refused"])
    assert not any(record.exc_info for record in noisy)
    assert get(served.port, "/livez")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/no%0d%0aSet-Cookie:%20a=b",
        "/?action=%0d%0aSet-Cookie:%20a=b",
        "/static/%0d%0aSet-Cookie:%20a=b",
        "/api/v1/%0d%0aSet-Cookie:%20a=b",
    ],
)
def test_an_address_makes_no_header(served: Served, path: str) -> None:
    status, headers, _ = get(served.port, path, Host="localhost")
    assert status == 404
    assert "set-cookie" not in headers


def test_the_address_after_signing_in_makes_no_header_and_leads_nowhere_else() -> None:
    with serve(Stage().backstage(), ServerSettings(port=0, token="open-sesame")) as server:
        for query in ("x=%0d%0aLocation:%20http://evil.example", "http://evil.example", "x=//evil.example"):
            status, headers, _ = get(server.port, f"/?token=open-sesame&{query}")
            assert status == 303
            assert headers["location"].startswith("./?")


def test_odd_but_harmless_requests_are_answered(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    odd = {
        b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n": 404,
        b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n": 405,
        b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n": 404,
        b"GET / HTTP/1.1\r\n" + HOST + b"Expect: nonsense\r\n\r\n": 417,
        b"GET /livez HTTP/1.1\r\n" + HOST + b"Cookie: \xff=\x80; $Path=/; " + b"a=b; " * 900 + b"\r\n\r\n": 200,
        b"GET / HTTP/1.1\r\n" + HOST + b'If-None-Match: "\r\nRange: bytes=zz\r\n\r\n': 200,
        b"GET / HTTP/1.1\r\nHost: local host\r\n\r\n": 403,
    }
    for request, expected in odd.items():
        assert sent(served, request)[0] == expected, request[:60]
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]
