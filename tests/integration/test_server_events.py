"""Server-sent events over real sockets."""

import asyncio
import json
import time
from collections.abc import Iterator

import pytest
from aiohttp import web

from edge.affect import COORDINATES
from edge.server.app import serving
from edge.server.bind import bind
from edge.server.feed import Feed
from edge.server.settings import ServerSettings
from tests.serving import Served, serve
from tests.stage import Stage
from tests.wire import Wire, eventually, get


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def served(stage: Stage) -> Iterator[Served]:
    with serve(stage.backstage(), ServerSettings(port=0, events_hz=4.0, max_clients=2)) as served:
        yield served


def listen(port: int) -> Wire:
    wire = Wire(port).send("/events")
    headers = wire.read_headers()
    assert headers["status"] == "200", headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "no-store" in headers["cache-control"]
    assert wire.read_event() == {"retry": "2000"}
    return wire


def test_an_event_is_the_record_of_the_scene(stage: Stage, served: Served) -> None:
    with listen(served.port) as client:
        scene = stage.step()
        event = client.read_event()
    record = json.loads(event["data"])
    assert event["id"] == str(scene.frame.seq) == str(record["seq"])
    assert [face["id"] for face in record["faces"]] == [1, 2]
    assert record["faces"][1]["label"] == "uncertain"
    assert sum(record["faces"][0]["scores"].values()) == pytest.approx(1, abs=1e-3)


def test_every_face_has_the_point_its_probabilities_give_the_uncertain_one_too(stage: Stage, served: Served) -> None:
    with listen(served.port) as client:
        stage.step()
        faces = json.loads(client.read_event()["data"])["faces"]
    assert faces[0]["label"] != faces[1]["label"] == "uncertain"
    for face in faces:
        valence = sum(p * COORDINATES[label][0] for label, p in face["scores"].items())
        arousal = sum(p * COORDINATES[label][1] for label, p in face["scores"].items())
        assert (face["valence"], face["arousal"]) == pytest.approx((valence, arousal), abs=1e-3)
    assert faces[0]["valence"] != faces[1]["valence"]


def test_events_need_no_pictures(stage: Stage, served: Served) -> None:
    with listen(served.port) as client:
        stage.step()
        client.read_event()
        assert stage.audience.count == 0
        assert stage.encoded == 0


def test_scenes_that_come_too_fast_are_skipped_and_the_newest_wins(stage: Stage, served: Served) -> None:
    with listen(served.port) as client:
        stage.step()
        assert client.read_event()["id"] == "1"
        for _ in range(10):
            stage.step()
        assert client.read_event()["id"] == "11"


def test_no_client_gets_more_events_than_allowed() -> None:
    stage = Stage()
    with (
        stage.running(100),
        serve(stage.backstage(), ServerSettings(port=0, events_hz=10.0)) as served,
        listen(served.port) as client,
    ):
        start = time.monotonic()
        ids = [int(client.read_event()["id"]) for _ in range(11)]
        elapsed_s = time.monotonic() - start
    assert elapsed_s >= 0.95
    assert ids == sorted(set(ids))


def test_a_newcomer_gets_the_scene_that_is_there(stage: Stage, served: Served) -> None:
    stage.step()
    with listen(served.port) as client:
        assert client.read_event()["id"] == "1"


def test_no_more_listeners_than_allowed(stage: Stage, served: Served) -> None:
    with listen(served.port) as first, listen(served.port):
        status, headers, _ = get(served.port, "/events")
        assert status == 503
        assert "retry-after" in headers
        first.close()
        eventually(lambda: _can_listen(served.port), "a free seat")


def _can_listen(port: int) -> bool:
    with Wire(port) as wire:
        return wire.send("/events").read_headers()["status"] == "200"


def test_a_silent_feed_is_kept_alive_by_comments() -> None:
    stage = Stage()
    feed = Feed(stage.backstage(), ServerSettings(), keep_alive_s=0.05)

    async def scenario() -> bytes:
        app = web.Application()
        app.router.add_get("/events", feed.events)
        with bind(ServerSettings(port=0)) as sock:
            async with serving(app, sock):
                reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
                writer.write(b"GET /events HTTP/1.0\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\nretry: 2000\n\n")
                comments = await reader.readexactly(2 * len(b": nothing new\n\n"))
                writer.close()
                assert head.startswith(b"HTTP/1.0 200")
                return comments

    assert asyncio.run(scenario()) == b": nothing new\n\n" * 2
