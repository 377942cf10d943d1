"""Server-sent events over real sockets."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from edge.affect import COORDINATES
from edge.config import Config
from edge.events import AggregateEvent
from edge.live import LiveSettings
from edge.server.app import serving
from edge.server.bind import bind
from edge.server.feed import Feed
from edge.server.records import Records
from edge.server.settings import ServerSettings
from tests.serving import Served, serve
from tests.stage import Stage
from tests.wire import Wire, eventually, get


@contextmanager
def served_by(stage: Stage, events_hz: float, max_clients: int = 8) -> Iterator[Served]:
    settings = ServerSettings(port=0, events_hz=events_hz, max_clients=max_clients)
    stage.settings = LiveSettings(Config(server=settings))
    with serve(stage.backstage(), settings) as served:
        yield served


@pytest.fixture
def served(stage: Stage) -> Iterator[Served]:
    with served_by(stage, 4.0, max_clients=2) as served:
        yield served


def listen(port: int, query: str = "", **headers: str) -> Wire:
    wire = Wire(port).send(f"/events{query}", **headers)
    answer = wire.read_headers()
    assert answer["status"] == "200", answer
    assert answer["content-type"] == "text/event-stream; charset=utf-8"
    assert "no-store" in answer["cache-control"]
    assert wire.read_event() == {"retry": "2000"}
    return wire


def seq_of(event: dict[str, str]) -> int:
    """The number of the scene that an event tells of."""
    return int(json.loads(event["data"])["seq"])


def number_of(event: dict[str, str]) -> int:
    """The number in an event's id, behind that of the run."""
    return int(event["id"].rpartition("-")[2])


def test_an_event_is_the_record_of_the_scene(stage: Stage, served: Served) -> None:
    with listen(served.port) as client:
        scene = stage.step()
        event = client.read_event()
    record = json.loads(event["data"])
    assert event.keys() == {"id", "data"}
    assert record["seq"] == scene.frame.seq
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


def test_scenes_that_come_too_fast_are_skipped_and_the_newest_wins(stage: Stage) -> None:
    with served_by(stage, 1.0) as served, listen(served.port) as client:
        stage.step()
        first = client.read_event()
        assert seq_of(first) == 1
        for _ in range(10):
            stage.step()
        second = client.read_event()
        assert seq_of(second) == 11
        assert number_of(second) == number_of(first) + 1, "what nobody was told has no number"


def test_no_client_gets_more_events_than_allowed() -> None:
    stage = Stage()
    with stage.running(100), served_by(stage, 10.0) as served, listen(served.port) as client:
        start = time.monotonic()
        told = [seq_of(client.read_event()) for _ in range(11)]
        elapsed_s = time.monotonic() - start
    assert elapsed_s >= 0.95
    assert told == sorted(set(told))


def test_the_rate_can_be_changed_while_somebody_listens() -> None:
    stage = Stage()
    with stage.running(100), served_by(stage, 2.0) as served, listen(served.port) as client:
        client.read_event()
        stage.settings.change({"server": {"events_hz": 50.0}})
        start = time.monotonic()
        for _ in range(12):
            client.read_event()
        assert time.monotonic() - start < 5.0, "at 2 a second it would take 6 s"


def test_a_newcomer_gets_the_scene_that_is_there(stage: Stage, served: Served) -> None:
    stage.step()
    with listen(served.port) as client:
        assert seq_of(client.read_event()) == 1


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
    async def scenario() -> bytes:
        app = web.Application()
        feed = Feed(Stage().backstage(), ServerSettings(), keep_alive_s=0.05)
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


def test_the_status_is_told_at_once_and_again_and_again() -> None:
    stage = Stage()

    async def scenario() -> list[str]:
        app = web.Application()
        feed = Feed(stage.backstage(), ServerSettings(), status_s=0.2)
        app.router.add_get("/events", feed.events)
        with bind(ServerSettings(port=0)) as sock:
            async with serving(app, sock):
                reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
                writer.write(b"GET /events?status=1 HTTP/1.0\r\n\r\n")
                await reader.readuntil(b"\r\n\r\nretry: 2000\n\n")
                events = []
                for faces in (2, 3):
                    stage.faces = faces
                    events += [(await reader.readuntil(b"\n\n")).decode() for _ in range(2)]
                writer.close()
                return events

    events = asyncio.run(scenario())
    for event in events:
        name, data, *_ = event.splitlines()
        assert name == "event: status"
        assert json.loads(data.removeprefix("data: "))["source"]["state"] == "online"
    assert '"faces":2' in events[0]
    assert '"faces":3' in events[-1], "it is made anew"


def test_all_who_listen_share_one_status() -> None:
    stage = Stage()
    made = 0

    def status() -> object:
        nonlocal made
        made += 1
        return Stage.status(stage)

    stage.status = status  # type: ignore[method-assign, assignment]
    with (
        served_by(stage, 4.0) as served,
        listen(served.port, "?status=1") as one,
        listen(served.port, "?status=1") as other,
    ):
        for _ in range(2):
            assert one.read_event()["event"] == other.read_event()["event"] == "status"
        assert made <= 3, "one at the start, or two if the second came late, and one on the beat"


@pytest.mark.parametrize("by_header", [True, False], ids=["Last-Event-ID", "last_event_id"])
def test_who_comes_back_is_told_at_once_what_came_meanwhile(by_header: bool) -> None:
    stage = Stage()
    with served_by(stage, 50.0) as served:
        with listen(served.port) as client:
            stage.step()
            last = client.read_event()["id"]
            told = [last]
        with listen(served.port) as witness:
            witness.read_event()
            for _ in range(3):
                stage.step()
                told.append(witness.read_event()["id"])
        query, headers = ("", {"Last_Event_ID": last}) if by_header else (f"&last_event_id={last}", {})
        with listen(served.port, query.replace("&", "?", 1), **headers) as again:
            events = [again.read_event() for _ in range(3)]
            assert [event["id"] for event in events] == told[1:]
            assert [seq_of(event) for event in events] == [2, 3, 4]
            stage.step()
            assert seq_of(again.read_event()) == 5, "and then goes on live"


def test_what_is_told_goes_on_while_nobody_listens_for_who_comes_back() -> None:
    stage = Stage()
    with served_by(stage, 50.0) as served:
        with listen(served.port) as client:
            stage.step()
            last = client.read_event()["id"]
        for _ in range(3):
            stage.step()
            time.sleep(0.05)  # at most 50 records a second
        with listen(served.port, Last_Event_ID=last) as client:
            assert [seq_of(client.read_event()) for _ in range(3)] == [2, 3, 4]


def test_who_missed_nothing_is_not_told_anything_twice(stage: Stage, served: Served) -> None:
    with listen(served.port) as client:
        stage.step()
        last = client.read_event()["id"]
    with listen(served.port, Last_Event_ID=last) as client:
        stage.step()
        assert seq_of(client.read_event()) == 2


@pytest.mark.parametrize("last", ["00000000-7", "7", "-", "abc", "9" * 5000, "00000000-\u0663"])
def test_an_id_of_another_run_is_answered_with_a_gap_and_what_is_new(stage: Stage, served: Served, last: str) -> None:
    stage.step()
    with listen(served.port, Last_Event_ID=last) as client:
        assert client.read_event() == {"event": "gap", "data": '{"missed":null}'}
        assert seq_of(client.read_event()) == 1


def test_what_is_no_longer_kept_is_told_by_its_number(stage: Stage) -> None:
    async def scenario() -> tuple[int, bytes, int, bytes]:
        stage.settings = LiveSettings(Config(server=ServerSettings(events_hz=60.0)))
        records = Records(stage.backstage(), keep_s=1.0)
        with records.listening():
            stage.step()
            first = await records.newer(0)
            assert first is not None
            for _ in range(70):
                stage.step()
                assert await records.newer(stage.seq - 1)
            last_id = first.data.split()[1].decode()
            number, told = records.missed(last_id)
        # nobody listens for longer than anything is kept
        await asyncio.sleep(1.2)
        with records.listening():
            stage.step()
            assert await records.newer(number)
            later, told_later = records.missed(last_id)
        records.close()
        return number, told, later, told_later

    number, told, later, told_later = asyncio.run(scenario())
    assert number == 71
    assert told.startswith(b'event: gap\ndata: {"missed":10}\n\nid: '), told[:80]
    assert told.count(b"data: ") == 61
    assert later == 72
    assert told_later.startswith(b'event: gap\ndata: {"missed":null}\n\nid: '), told_later[:80]
    assert told_later.count(b"data: ") == 2


def test_records_are_made_for_listeners_only() -> None:
    stage = Stage()
    made: list[int] = []
    event = stage.event
    stage.event = lambda scene: made.append(scene.frame.seq) or event(scene)  # type: ignore[method-assign, func-returns-value]
    with served_by(stage, 50.0) as served:
        for _ in range(5):
            stage.step()
        assert get(served.port, "/events", "HEAD")[0] == 200
        time.sleep(0.1)
        assert made == []
        with listen(served.port) as one, listen(served.port) as other:
            assert one.read_event() == other.read_event()
        assert made == [5], "one record for both"


def aggregate(scenes: int) -> AggregateEvent:
    return AggregateEvent("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", None, 60.0, "cam", scenes, 3, 0.1, 2, {})


def test_in_aggregate_mode_only_aggregates_are_told_under_a_name_of_their_own() -> None:
    stage = Stage()
    with served_by(stage, 50.0) as served, listen(served.port) as client:
        stage.step()
        last = client.read_event()["id"]
        stage.step()
        client.read_event()
        stage.settings.change({"privacy": {"events": "aggregate"}})
        stage.step()
        stage.aggregates.put(aggregate(100))
        event = client.read_event()
        assert event["event"] == "aggregate"
        assert json.loads(event["data"])["scenes"] == 100
        stage.step()
        with listen(served.port, Last_Event_ID=last) as again:
            assert again.read_event() == {"event": "gap", "data": '{"missed":1}'}, "the scene is not kept any more"
            assert again.read_event()["event"] == "aggregate"
            stage.aggregates.put(aggregate(200))
            assert json.loads(again.read_event()["data"])["scenes"] == 200


def test_listeners_are_among_the_clients(stage: Stage, served: Served) -> None:
    with listen(served.port) as client:
        stage.step()
        client.read_event()
        (found,) = stage.clients.status()
        assert (found.kind, found.address, found.options) == ("events", "127.0.0.1", "")
    eventually(lambda: not stage.clients.status(), "it has gone")
