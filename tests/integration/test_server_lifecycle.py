"""Starting and stopping, and clients that behave badly."""

import asyncio
import socket
import threading
import time

import pytest
from aiohttp import web

from edge.errors import ConfigError
from edge.server.app import make_app, serving
from edge.server.bind import bind
from edge.server.settings import ServerSettings
from tests.serving import serve
from tests.stage import Stage
from tests.wire import Wire, eventually, get, watch


def test_the_url_given_is_the_one_that_opens() -> None:
    with serve(Stage().backstage(), ServerSettings(port=0)) as served:
        assert served.url == f"http://127.0.0.1:{served.port}/"
        assert get(served.port, "/")[0] == 200
        assert not served.done.done()
    assert served.done.done()


def test_a_taken_port_is_refused_before_anything_starts() -> None:
    with serve(Stage().backstage(), ServerSettings(port=0)) as served:
        before = threading.active_count()
        with pytest.raises(ConfigError, match=f"Port {served.port}"):
            serve(Stage().backstage(), ServerSettings(port=served.port)).__enter__()
        assert threading.active_count() == before


def test_the_port_is_free_again_at_once() -> None:
    with serve(Stage().backstage(), ServerSettings(port=0)) as served, watch(served.port):
        pass
    with serve(Stage().backstage(), ServerSettings(port=served.port)) as again:
        assert get(again.port, "/livez")[0] == 200


def test_stopping_does_not_wait_for_viewers() -> None:
    stage = Stage()
    clients: list[Wire] = []
    with stage.running(60):
        with serve(stage.backstage(), ServerSettings(port=0, send_timeout_s=300)) as served:
            clients = [
                watch(served.port),
                watch(served.port, receive_buffer=8192),
                Wire(served.port).send("/events", receive_buffer="none"),
                Wire(served.port),
                Wire(served.port).send("/snapshot.jpg"),
            ]
            eventually(lambda: stage.audience.count >= 2 and stage.encoded > 40, "viewers, one of them stalled")
            start = time.monotonic()
        took_s = time.monotonic() - start
    for client in clients:
        client.close()
    assert took_s < 2.5  # 0.4–0.9 s on an idle machine; aiohttp's own default is a minute
    assert stage.audience.count == 0


def test_stopping_ends_streams_that_wait_for_a_first_picture() -> None:
    stage = Stage()
    with serve(stage.backstage(), ServerSettings(port=0)) as served:
        viewer = watch(served.port)
        eventually(lambda: stage.audience.count == 1, "a viewer")
    assert viewer.read_all() == b""
    viewer.close()


def test_an_error_in_the_callers_code_stops_the_server_too() -> None:
    with pytest.raises(ZeroDivisionError), serve(Stage().backstage(), ServerSettings(port=0)) as served:
        raise ZeroDivisionError
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", served.port), timeout=1)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_a_client_that_never_finishes_its_request_is_sent_away(sent: bytes) -> None:
    async def scenario() -> bytes:
        settings = ServerSettings(port=0)
        with bind(settings) as sock:
            async with serving(make_app(Stage().backstage(), settings), sock, idle_timeout_s=0.3):
                reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
                writer.write(sent)
                async with asyncio.timeout(20):
                    answer = await reader.read()
                writer.close()
                return answer

    assert asyncio.run(scenario()) == b""


def test_nonsense_gets_an_answer_and_hurts_nobody() -> None:
    with serve(Stage().backstage(), ServerSettings(port=0)) as served:
        with Wire(served.port) as wire:
            wire.sock.sendall(b"\x16\x03\x01 is no HTTP\r\n\r\n")
            assert wire.read_headers().get("status") == "400"
        assert get(served.port, "/livez")[0] == 200


def test_several_requests_on_one_connection() -> None:
    with serve(Stage().backstage(), ServerSettings(port=0)) as served, Wire(served.port) as wire:
        for _ in range(3):
            headers = wire.send("/livez", version="1.1", Host="localhost").read_headers()
            assert headers["status"] == "200"
            wire.read(int(headers["content-length"]))


def test_small_packets_are_not_held_back() -> None:
    # Nagle's algorithm would delay the end of each picture by the client's delayed acknowledgement
    async def no_delay(request: web.Request) -> web.Response:
        assert request.transport is not None
        sock = request.transport.get_extra_info("socket")
        return web.Response(text=str(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))

    async def scenario() -> str:
        app = web.Application()
        app.router.add_get("/", no_delay)
        with bind(ServerSettings(port=0)) as sock:
            async with serving(app, sock):
                port = sock.getsockname()[1]
                return (await asyncio.to_thread(get, port, "/"))[2].decode()

    assert asyncio.run(scenario()) == "1"
