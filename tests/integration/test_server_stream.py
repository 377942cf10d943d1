"""The live picture over real sockets."""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack

import cv2
import numpy as np
import pytest

from edge.server.settings import ServerSettings
from tests.serving import Served, serve
from tests.stage import Stage, wait_for_viewers
from tests.wire import Wire, eventually, get, watch

SETTINGS = ServerSettings(port=0, max_clients=8, send_timeout_s=30.0)


@pytest.fixture
def served(stage: Stage) -> Iterator[Served]:
    with serve(stage.backstage(), SETTINGS) as served:
        yield served


@pytest.mark.parametrize("path", ["/stream.mjpg", "/stream", "/?action=stream", "/stream.mjpg?t=123"])
def test_each_address_streams(stage: Stage, served: Served, path: str) -> None:
    with watch(served.port, path) as viewer:
        wait_for_viewers(stage, 1)
        scene = stage.step()
        part = viewer.read_part()
    assert part.seq == scene.frame.seq
    assert part.headers["content-type"] == "image/jpeg"
    picture = cv2.imdecode(np.frombuffer(part.body, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (480, 640, 3)


def test_the_boundary_follows_each_picture_at_once_so_that_it_is_shown(stage: Stage, served: Served) -> None:
    with watch(served.port) as viewer:
        wait_for_viewers(stage, 1)
        stage.step()
        viewer.read_part()  # would time out if the boundary came with the next picture: there is none


def test_a_browser_gets_the_same_in_chunks(stage: Stage, served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request("GET", "/stream.mjpg")
    response = connection.getresponse()
    assert response.getheader("Content-Type") == "multipart/x-mixed-replace; boundary=emotion-edge-frame"
    assert "no-store" in (response.getheader("Cache-Control") or "")
    wait_for_viewers(stage, 1)
    assert response.readline() == b"--emotion-edge-frame\r\n"
    stage.step()
    lines = {response.readline() for _ in range(5)}
    assert b"Content-Type: image/jpeg\r\n" in lines
    connection.close()


def test_the_time_of_each_picture_is_given(stage: Stage, served: Served) -> None:
    with watch(served.port) as viewer:
        wait_for_viewers(stage, 1)
        stage.step()
        first = float(viewer.read_part().headers["x-timestamp"])
        stage.step()
        assert float(viewer.read_part().headers["x-timestamp"]) > first > 1.6e9


def test_a_viewer_without_any_picture_waits(stage: Stage, served: Served) -> None:
    with watch(served.port) as viewer:
        wait_for_viewers(stage, 1)
        viewer.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            viewer.sock.recv(1)


def test_nobody_encodes_while_nobody_watches(stage: Stage, served: Served) -> None:
    stage.step()
    assert stage.encoded == 0
    with watch(served.port):
        wait_for_viewers(stage, 1)
        stage.step()
        assert stage.encoded == 1
    wait_for_viewers(stage, 0)
    stage.step()
    assert stage.encoded == 1


def test_a_viewer_who_leaves_while_nothing_comes_stops_being_one(stage: Stage, served: Served) -> None:
    watch(served.port).close()
    wait_for_viewers(stage, 0)


def test_one_picture_is_encoded_however_many_watch(stage: Stage, served: Served) -> None:
    with ExitStack() as stack:
        viewers = [stack.enter_context(watch(served.port)) for _ in range(5)]
        wait_for_viewers(stage, 5)
        stage.step()
        bodies = {viewer.read_part().body for viewer in viewers}
    assert stage.encoded == 1
    assert len(bodies) == 1


def test_what_was_encoded_for_somebody_who_left_is_not_shown_as_live(stage: Stage, served: Served) -> None:
    with watch(served.port) as early:
        wait_for_viewers(stage, 1)
        stage.step()
        early.read_part()
    wait_for_viewers(stage, 0)
    with watch(served.port) as late:
        wait_for_viewers(stage, 1)
        stage.step()
        assert late.read_part().seq == 2


def test_a_second_viewer_gets_the_picture_the_first_one_sees(stage: Stage, served: Served) -> None:
    with watch(served.port) as first:
        wait_for_viewers(stage, 1)
        stage.step()
        first.read_part()
        with watch(served.port) as second:
            assert second.read_part().seq == 1


def test_a_stalled_viewer_holds_nobody_up(stage: Stage, served: Served) -> None:
    with watch(served.port) as healthy, watch(served.port, receive_buffer=8192):
        wait_for_viewers(stage, 2)
        for _ in range(120):
            scene = stage.step()
            assert healthy.read_part().seq == scene.frame.seq


def test_a_viewer_who_was_stalled_goes_on_with_the_newest(stage: Stage, served: Served) -> None:
    with watch(served.port) as healthy, watch(served.port, receive_buffer=8192) as slow:
        wait_for_viewers(stage, 2)
        for _ in range(200):
            stage.step()
            healthy.read_part()
        late = [slow.read_part().seq]
        while late[-1] < 200:
            late.append(slow.read_part().seq)
    # what the buffers held, then the newest: nothing in between
    assert len(late) < 40
    assert late == sorted(set(late))


def test_a_stalled_viewer_is_dropped_after_a_while() -> None:
    stage = Stage()
    settings = ServerSettings(port=0, send_timeout_s=0.3)
    with ExitStack() as stack:
        stack.enter_context(stage.running(60))
        served = stack.enter_context(serve(stage.backstage(), settings))
        healthy = stack.enter_context(watch(served.port))
        stalled = stack.enter_context(watch(served.port, receive_buffer=8192))
        wait_for_viewers(stage, 2)
        for _ in range(10_000):
            healthy.read_part()
            if stage.audience.count == 1:
                break
        assert stage.audience.count == 1
        stalled.read_all()  # what the buffers held, then the end


def test_no_more_viewers_than_allowed(stage: Stage) -> None:
    with ExitStack() as stack:
        served = stack.enter_context(serve(stage.backstage(), ServerSettings(port=0, max_clients=2)))
        first, _ = (stack.enter_context(watch(served.port)) for _ in range(2))
        wait_for_viewers(stage, 2)
        status, headers, body = get(served.port, "/stream.mjpg")
        assert status == 503
        assert int(headers["retry-after"]) > 0
        assert b"server.max_clients" in body
        assert get(served.port, "/state")[0] == 200
        first.close()
        wait_for_viewers(stage, 1)
        watch(served.port).close()


def test_the_stream_ends_when_the_source_has(stage: Stage, served: Served) -> None:
    with watch(served.port) as viewer:
        wait_for_viewers(stage, 1)
        stage.step()
        viewer.read_part()
        stage.jpegs.close()
        assert viewer.read_all() == b""


def test_opencv_reads_the_stream() -> None:
    stage = Stage()
    with stage.running(30), serve(stage.backstage(), SETTINGS) as served:
        capture = cv2.VideoCapture(f"{served.url}stream.mjpg", cv2.CAP_FFMPEG)
        try:
            pictures = [capture.read() for _ in range(5)]
        finally:
            capture.release()
    assert all(ok and picture.shape == (480, 640, 3) for ok, picture in pictures)


def test_opencv_signs_in() -> None:
    stage = Stage()
    settings = ServerSettings(port=0, token="let-me-see-it")
    with stage.running(30), serve(stage.backstage(), settings) as served:
        for url in (
            f"http://127.0.0.1:{served.port}/stream.mjpg?token=let-me-see-it",
            f"http://viewer:let-me-see-it@127.0.0.1:{served.port}/stream.mjpg",
        ):
            capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
            try:
                assert capture.read()[0], url
            finally:
                capture.release()


@pytest.mark.parametrize("path", ["/snapshot.jpg", "/?action=snapshot"])
def test_a_snapshot_wakes_the_encoder_and_lets_it_sleep_again(path: str) -> None:
    stage = Stage()
    with stage.running(30), serve(stage.backstage(), SETTINGS) as served:
        eventually(lambda: stage.seq > 3, "scenes")
        assert stage.encoded == 0
        status, headers, body = get(served.port, path)
        wait_for_viewers(stage, 0)
    assert (status, headers["content-type"]) == (200, "image/jpeg")
    assert headers["cache-control"] == "no-store"
    assert int(headers["content-length"]) == len(body)
    assert int(headers["x-sequence"]) > 3
    assert cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR).shape == (480, 640, 3)


def test_a_snapshot_is_never_an_old_picture(stage: Stage, served: Served) -> None:
    stage.encode(stage.step())
    with Wire(served.port) as wire:
        wire.send("/snapshot.jpg")
        wait_for_viewers(stage, 1)
        scene = stage.step()
        assert int(wire.read_headers()["x-sequence"]) == scene.frame.seq


def test_a_snapshot_of_a_stalled_source_says_so(stage: Stage, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.server.pictures.SNAPSHOT_TIMEOUT_S", 0.2)
    status, _, body = get(served.port, "/snapshot.jpg")
    assert status == 504
    assert b"demo" in body
    wait_for_viewers(stage, 0)


def test_a_snapshot_after_the_end_says_so(stage: Stage, served: Served) -> None:
    stage.jpegs.close()
    assert get(served.port, "/snapshot.jpg")[0] == 503
