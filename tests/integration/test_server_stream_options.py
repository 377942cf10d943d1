"""Kinds of picture, their pace and their results, over real sockets with the real presenter."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack

import cv2
import msgspec
import numpy as np
import pytest

from edge.events import SceneEvent
from edge.server.settings import ServerSettings
from tests.presenting import presenting
from tests.serving import Served, serve
from tests.stage import Stage, wait_for_viewers
from tests.wire import Part, Wire, eventually, get, watch

SETTINGS = ServerSettings(port=0, max_clients=16, send_timeout_s=30.0)
RESULT = "x-emotion-edge-result"


@pytest.fixture
def served(stage: Stage) -> Iterator[Served]:
    with serve(stage.backstage(), SETTINGS) as served:
        yield served


@pytest.fixture
def _presented(stage: Stage) -> Iterator[None]:
    with presenting(stage):
        yield


def decoded(body: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)


def change(stage: Stage, section: str, **values: object) -> None:
    now = stage.settings.current
    changed = msgspec.structs.replace(getattr(now, section), **values)
    stage.settings.current = msgspec.structs.replace(now, **{section: changed})


@pytest.mark.usefixtures("_presented")
def test_one_encode_a_scene_and_kind_however_many_watch(stage: Stage, served: Served) -> None:
    paths = {"": (480, 640), "?width=320": (240, 320), "?raw=1": (480, 640), "?quality=20&t=5": (480, 640)}
    with ExitStack() as stack:
        viewers = [
            (path, stack.enter_context(watch(served.port, f"/stream.mjpg{path}"))) for path in paths for _ in "12"
        ]
        # the same as the default in other words
        viewers += [("", stack.enter_context(watch(served.port, f"/stream?{same}"))) for same in ("width=640", "raw=0")]
        wait_for_viewers(stage, 10)
        bodies: dict[str, set[bytes]] = {path: set() for path in paths}
        for _ in range(3):
            seq = stage.step().frame.seq
            for path, viewer in viewers:
                part = viewer.read_part()
                assert part.seq == seq
                bodies[path].add(part.body)
    assert stage.encoded == 3 * 4
    for path, shape in paths.items():
        assert len(bodies[path]) == 3
        assert all(decoded(body).shape == (*shape, 3) for body in bodies[path])
    assert max(map(len, bodies["?quality=20&t=5"])) < min(map(len, bodies[""]))


@pytest.mark.usefixtures("_presented")
def test_one_kind_more_than_allowed_is_told_which_are_in_use(stage: Stage, served: Served) -> None:
    change(stage, "stream", max_variants=3)
    with watch(served.port, "/stream?width=320") as leaving, watch(served.port, "/?action=stream&raw=1"):
        for path in ("/stream.mjpg?width=100", "/snapshot.jpg?width=100"):
            status, headers, body = get(served.port, path)
            assert status == 503
            assert int(headers["retry-after"]) > 0
            assert b"stream.max_variants" in body
            assert b"?width=320, ?raw=1" in body
        with watch(served.port), watch(served.port, "/stream?width=320&fps=3&results=1"):
            wait_for_viewers(stage, 4)
        leaving.close()
        eventually(lambda: len(stage.audience.showings) == 1, "a free place")
        watch(served.port, "/stream.mjpg?width=100").close()


@pytest.mark.parametrize(
    "path", ["/stream.mjpg", "/stream", "/?action=stream&x=1", "/snapshot.jpg", "/?action=snapshot"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_bad_option_is_refused_everywhere(stage: Stage, served: Served, path: str, method: str) -> None:
    join = "&" if "?" in path else "?"
    status, _, body = get(served.port, f"{path}{join}width=wide", method)
    assert status == 400
    assert method == "HEAD" or b"'wide'" in body
    assert get(served.port, f"{path}{join}width=320&raw=1&fps=5", "HEAD")[0] == 200
    assert stage.audience.count == 0


def part_result(part: Part) -> SceneEvent:
    text = part.headers[RESULT]
    assert text.isascii()
    return msgspec.json.decode(text, type=SceneEvent)


@pytest.mark.usefixtures("_presented")
def test_each_picture_comes_with_its_own_result_to_those_who_ask(stage: Stage, served: Served) -> None:
    stage.source = msgspec.structs.replace(stage.source, name="demo 640×480 “☺” 😀")
    with (
        watch(served.port, "/stream?results=1") as reader,
        watch(served.port, "/stream?results=1&width=320") as small,
        watch(served.port) as plain,
    ):
        wait_for_viewers(stage, 3)
        for _ in range(3):
            scene = stage.step()
            found = part_result(reader.read_part())
            assert found == stage.event(scene)
            assert found.source == stage.source.name
            assert part_result(small.read_part()) == found
            assert RESULT not in plain.read_part().headers


@pytest.mark.usefixtures("_presented")
def test_a_snapshot_carries_its_result(stage: Stage, served: Served) -> None:
    with stage.running(30):
        _, headers, body = get(served.port, "/snapshot.jpg?width=320&raw=1")
        result = msgspec.json.decode(headers[RESULT], type=SceneEvent)
        assert result.seq == int(headers["x-sequence"])
        assert len(result.faces) == stage.faces
        assert decoded(body).shape == (240, 320, 3)
        for path, accept in (("/snapshot.jpg?format=json", "*/*"), ("/?action=snapshot", "application/json")):
            status, headers, body = get(served.port, path, Accept=accept)
            assert status == 200
            assert headers["content-type"].startswith("application/json")
            answer = json.loads(body)
            assert answer["result"]["seq"] == int(headers["x-sequence"])
            assert decoded(base64.b64decode(answer["jpeg"])).shape == (480, 640, 3)


@pytest.mark.usefixtures("_presented")
def test_a_result_too_long_for_a_header_comes_as_json_only(stage: Stage, served: Served) -> None:
    stage.faces = 40
    with stage.running(30):
        assert RESULT not in get(served.port, "/snapshot.jpg")[1]
        answer = json.loads(get(served.port, "/snapshot.jpg?format=json")[2])
    assert len(answer["result"]["faces"]) == 40


@pytest.mark.usefixtures("_presented")
def test_where_only_aggregates_may_be_told_pictures_come_without_results(stage: Stage, served: Served) -> None:
    change(stage, "privacy", events="aggregate")
    with stage.running(30), watch(served.port, "/stream?results=1") as reader:
        assert RESULT not in reader.read_part().headers
        assert RESULT not in get(served.port, "/snapshot.jpg")[1]
        assert json.loads(get(served.port, "/snapshot.jpg?format=json")[2])["result"] is None


@pytest.mark.usefixtures("_presented")
def test_a_notice_has_no_result(stage: Stage, served: Served) -> None:
    stage.source = msgspec.structs.replace(stage.source, state="reconnecting", reason="no such device")
    status, headers, body = get(served.port, "/snapshot.jpg")
    assert status == 200
    assert RESULT not in headers
    assert decoded(body).mean() < 60


def mean_interval_s(viewer: Wire, parts: int) -> float:
    moments = [float(viewer.read_part().headers["x-timestamp"]) for _ in range(parts)]
    return (moments[-1] - moments[0]) / (parts - 1)


@pytest.mark.usefixtures("_presented")
def test_a_client_that_wants_few_pictures_gets_few_and_no_more_are_encoded(stage: Stage, served: Served) -> None:
    with stage.running(60), watch(served.port, "/stream?fps=8") as viewer:
        viewer.read_part()
        before = stage.encoded
        assert mean_interval_s(viewer, 12) > 0.95 / 8
        assert stage.encoded - before <= 14
        (client,) = stage.clients.status()
        assert client.options == "fps=8"
        assert client.skipped == 0


@pytest.mark.usefixtures("_presented")
def test_a_client_with_little_bandwidth_gets_fewer_pictures_and_each_is_new(stage: Stage, served: Served) -> None:
    with stage.running(60), watch(served.port) as viewer:
        size_kbit = len(viewer.read_part().body) * 8 / 1000
        change(stage, "server", client_kbps=size_kbit * 8)  # room for eight a second
        for _ in range(3):
            viewer.read_part()
        assert mean_interval_s(viewer, 12) > 0.9 / 8
        part = viewer.read_part()
        assert stage.seq - part.seq < 6, "a fresh one, not one that has waited"
        assert stage.clients.status()[0].skipped > 10


def test_a_picture_made_when_more_could_be_seen_is_not_sent_any_more(stage: Stage, served: Served) -> None:
    with watch(served.port) as early:
        wait_for_viewers(stage, 1)
        stage.step()
        assert early.read_part().seq == 1
        change(stage, "privacy", video="blurred")
        with watch(served.port) as late:
            wait_for_viewers(stage, 2)
            stage.step()
            assert late.read_part().seq == 2
            assert early.read_part().seq == 2


def test_where_no_picture_may_leave_one_that_was_made_before_does_not(stage: Stage, served: Served) -> None:
    with watch(served.port) as early:
        wait_for_viewers(stage, 1)
        stage.step()
        early.read_part()
        made = stage.jpegs.newer(0)
        assert made is not None
        change(stage, "privacy", video="none")
        stage.jpegs.put(made[1])  # as if it came too late
        assert early.read_all() == b"", "the stream ends"
        for path in ("/stream.mjpg", "/stream?raw=1", "/?action=stream", "/snapshot.jpg?raw=1", "/?action=snapshot"):
            for method in ("GET", "HEAD"):
                status, _, body = get(served.port, path, method)
                assert status == 403
                assert method == "HEAD" or b"privacy.video is none" in body


@pytest.mark.usefixtures("_presented")
def test_streams_end_and_snapshots_are_refused_when_pictures_are_forbidden(stage: Stage, served: Served) -> None:
    with watch(served.port) as viewer, watch(served.port, "/stream?width=320&raw=1&fps=2") as other:
        wait_for_viewers(stage, 2)
        stage.step()
        viewer.read_part()
        with Wire(served.port) as waiting:
            waiting.send("/snapshot.jpg")
            wait_for_viewers(stage, 3)
            change(stage, "privacy", video="none")
            assert waiting.read_headers()["status"] == "403"
        assert viewer.read_all() == b""
        other.read_all()
        encoded = stage.encoded
        stage.step()
        wait_for_viewers(stage, 0)
        assert stage.encoded == encoded


def test_who_watches_is_known_by_address_and_options_only(stage: Stage, served: Served) -> None:
    with watch(served.port, "/stream?width=320&fps=5&t=9&token=secret"):
        wait_for_viewers(stage, 1)
        (client,) = stage.clients.status()
        assert (client.kind, client.address, client.options) == ("stream", "127.0.0.1", "width=320&fps=5")
    wait_for_viewers(stage, 0)
    eventually(lambda: stage.clients.status() == (), "nobody")


@pytest.mark.usefixtures("_presented")
def test_a_stalled_client_of_each_kind_holds_nobody_up_and_is_counted(stage: Stage, served: Served) -> None:
    paths = ("/stream", "/stream?width=600&results=1", "/stream?raw=1&fps=100")
    with ExitStack() as stack:
        healthy = [stack.enter_context(watch(served.port, path)) for path in paths]
        for path in paths:
            stack.enter_context(watch(served.port, path, receive_buffer=8192))
        wait_for_viewers(stage, 6)
        for _ in range(60):
            seq = stage.step().frame.seq
            for viewer in healthy[:2]:
                assert viewer.read_part().seq == seq
        assert stage.encoded <= 3 * 60
