"""Clients that send slowly, take slowly, or come in crowds."""

import asyncio
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from edge.server.app import serving
from edge.server.bind import bind
from edge.server.bodies import read_body, stream_body
from edge.server.reception import DEFAULT_LIMITS, Limits, limits_for
from edge.server.settings import ServerSettings
from tests.serving import serve
from tests.stage import Stage
from tests.wire import Wire, eventually, get

ROOT = Path(__file__).parents[2]
MAX_BYTES = 100_000


async def whole(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await read_body(request, MAX_BYTES, 0.5, "uploads.max_mb"))))


async def pieces(request: web.Request) -> web.Response:
    size = 0
    async with aclosing(stream_body(request, MAX_BYTES, "uploads.max_mb", grace_s=0.5, min_bytes_s=10_000)) as chunks:
        async for chunk in chunks:
            size += len(chunk)
    return web.Response(text=str(size))


async def large(request: web.Request) -> web.Response:
    return web.Response(body=b"x" * 30_000_000)


@contextmanager
def server(limits: Limits = DEFAULT_LIMITS) -> Iterator[int]:
    """The port of one that takes bodies."""
    from concurrent.futures import Future, ThreadPoolExecutor

    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    app = web.Application()
    app.add_routes([web.post("/whole", whole), web.post("/pieces", pieces), web.get("/large", large)])

    async def run() -> None:
        stop = asyncio.Event()
        async with serving(app, sock, limits=limits):
            started.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()

    with bind(ServerSettings(port=0)) as sock, ThreadPoolExecutor(1) as thread:
        done = thread.submit(asyncio.run, run())
        loop, stop = started.result()
        try:
            yield sock.getsockname()[1]
        finally:
            loop.call_soon_threadsafe(stop.set)
            done.result()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with server() as found:
        yield found


def posted(port: int, path: str, body: bytes, **headers: str) -> tuple[str, str]:
    with Wire(port) as wire:
        wire.send(path, "POST", "1.1", Host="localhost", Connection="close", **headers)
        wire.sock.sendall(body)
        got = wire.read_headers()
        return got["status"], wire.read(int(got["content-length"])).decode()


@pytest.mark.parametrize("path", ["/whole", "/pieces"])
class TestABody:
    def test_is_taken(self, port: int, path: str) -> None:
        assert posted(port, path, b"x" * MAX_BYTES, Content_Length=str(MAX_BYTES)) == ("200", str(MAX_BYTES))
        assert posted(port, path, b"5\r\nabcde\r\n0\r\n\r\n", Transfer_Encoding="chunked") == ("200", "5")
        assert posted(port, path, b"") == ("200", "0")

    def test_that_says_it_is_too_large_is_not_even_read(self, port: int, path: str) -> None:
        status, text = posted(port, path, b"", Content_Length=str(10**12))
        assert status == "413"
        assert "1000000000000 bytes" in text
        assert "at most 100000 (uploads.max_mb)" in text

    def test_that_turns_out_too_large_is_cut(self, port: int, path: str) -> None:
        chunk = b"%x\r\n%b\r\n" % (60_000, b"x" * 60_000)
        status, text = posted(port, path, chunk * 2, Transfer_Encoding="chunked")
        assert status == "413"
        assert "uploads.max_mb" in text

    def test_that_drips_is_cut(self, port: int, path: str) -> None:
        with Wire(port) as wire:
            wire.send(path, "POST", "1.1", Host="localhost", Content_Length="1000")
            wire.sock.setblocking(False)
            answer = b""
            end_s = time.monotonic() + 20
            while not answer:
                assert time.monotonic() < end_s, "it is still listened to"
                try:
                    wire.sock.send(b"x")
                    answer = wire.sock.recv(4096)
                except BlockingIOError:
                    time.sleep(0.05)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"too slowly" in answer

    def test_that_is_compressed_is_refused(self, port: int, path: str) -> None:
        assert posted(port, path, b"x" * 10, Content_Length="10", Content_Encoding="gzip")[0] == "415"

    def test_that_is_broken_is_refused(self, port: int, path: str, caplog: pytest.LogCaptureFixture) -> None:
        with Wire(port) as wire:
            wire.send(path, "POST", "1.1", Host="localhost", Transfer_Encoding="chunked")
            wire.sock.sendall(b"5\r\nabcde\r\n")
            time.sleep(0.05)  # the first chunk is read, then comes nonsense
            wire.sock.sendall(b"nonsense\r\n\r\n")
            # aiohttp tells the reader of a body nothing of what cannot be parsed: then the time ends it
            assert wire.read_headers()["status"] in {"400", "408"}
        assert not any(record.exc_info for record in caplog.records)

    def test_whose_sender_leaves_leaves_nothing(self, port: int, path: str, caplog: pytest.LogCaptureFixture) -> None:
        with Wire(port) as wire:
            wire.send(path, "POST", "1.1", Host="localhost", Content_Length="1000")
            wire.sock.sendall(b"x" * 10)
        assert posted(port, path, b"") == ("200", "0")
        assert not any(record.exc_info for record in caplog.records)


def test_a_steady_body_may_take_longer_than_the_grace(port: int) -> None:
    with Wire(port) as wire:
        wire.send("/pieces", "POST", "1.1", Host="localhost", Content_Length=str(9 * 10_000))
        start_s = time.monotonic()
        for _ in range(9):
            wire.sock.sendall(b"x" * 10_000)
            time.sleep(0.1)
        assert wire.read_headers()["status"] == "200"
        assert time.monotonic() - start_s > 0.5


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="needs Linux' TCP_USER_TIMEOUT")
def test_a_client_that_never_takes_its_answer_is_cut_off() -> None:
    with server(Limits(stalled_s=0.5)) as port, Wire(port, receive_buffer=8192) as wire:
        wire.send("/large", "GET", "1.1", Host="localhost")
        eventually(lambda: cut_off(port), "the connection is gone")


def cut_off(port: int) -> bool:
    """Whether the server's side has no connection left, by the kernel's own table."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = "01"
    return not any(row[1].endswith(f":{port:04X}") and row[3] == established for row in rows)


def test_more_connections_than_allowed_are_closed_and_places_become_free_again() -> None:
    with serve(Stage().backstage(), ServerSettings(port=0), limits=Limits(connections=4)) as served:
        with ExitStack() as stack:
            for _ in range(4):
                wire = stack.enter_context(Wire(served.port))
                assert wire.send("/livez", version="1.1", Host="localhost").read_headers()["status"] == "200"
            assert not is_served(served.port)
        eventually(lambda: is_served(served.port), "a free place")


def is_served(port: int) -> bool:
    try:
        return get(port, "/livez")[0] == 200
    except (OSError, KeyError):  # closed before it could answer
        return False


def test_one_address_cannot_take_all_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.server.reception.LOOPBACK", "somewhere else")
    with (
        serve(Stage().backstage(), ServerSettings(port=0), limits=Limits(4, per_client=2)) as served,
        ExitStack() as stack,
    ):
        for _ in range(2):
            stack.enter_context(Wire(served.port)).send("/livez", version="1.1", Host="localhost").read_headers()
        assert not is_served(served.port)


def test_limits_follow_the_settings_and_the_files_that_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.server.reception._open_files", lambda: 1024)
    assert limits_for(32, 10) == Limits(128, 64, 30)
    assert limits_for(1024, 300).connections == 1024 - 64
    assert limits_for(32, 300).stalled_s == 600
    monkeypatch.setattr("edge.server.reception._open_files", lambda: 64)
    assert limits_for(32, 10) == Limits(8, 4, 30)


CROWDED = """
    import resource, sys
    from edge.server.reception import Limits
    from edge.server.settings import ServerSettings
    from tests.serving import serve
    from tests.stage import Stage

    stage = Stage()
    with serve(stage.backstage(), ServerSettings(port=0), limits=Limits(connections=1000)) as served:
        resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
        print(served.port, flush=True)
        sys.stdin.read()
"""


def test_running_out_of_file_descriptors_does_not_end_the_server() -> None:
    pytest.importorskip("resource")
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CROWDED)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        crowd = [Wire(port) for _ in range(80)]
        time.sleep(0.5)  # those beyond the limit are refused, or wait in the kernel's queue
        assert process.poll() is None
        for wire in crowd:
            wire.close()
        eventually(lambda: is_served(port), "the server answers again")
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert "a connection was refused: Too many open files" in errors
