"""The whole program on a network camera that falls silent, goes away and comes back, with somebody watching."""

import ast
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest

from tests.e2e.program import Program, body_of, get, running, status_of
from tests.mjpeg_server import MjpegServer, mjpeg_server


@pytest.fixture
def camera() -> Iterator[MjpegServer]:
    with mjpeg_server() as server:
        yield server


def brightness(url: str) -> float:
    """Of a fresh picture: notices are dark, the demo is not."""
    return float(cv2.imdecode(np.frombuffer(get(f"{url}snapshot.jpg"), np.uint8), cv2.IMREAD_COLOR).mean())


def test_a_camera_that_falls_silent_is_not_shown_as_live_and_heals_by_itself(camera: MjpegServer):
    with running("--source", f"{camera.url}/stall", EMOTION_EDGE_SOURCE_READ_TIMEOUT_S="60") as program:
        url = program.url()
        program.wait_for(url, "faces", above=0)
        assert brightness(url) > 90
        camera.silence.set()
        program.wait_for(url, "source.state", equals="stalled")
        assert program.state(url)["faces"] == 0
        assert brightness(url) < 60, "the notice, not the last face"
        assert status_of(f"{url}readyz") == 503
        assert status_of(f"{url}livez") == 200
        camera.silence.clear()
        program.wait_for(url, "source.state", equals="online")
        program.wait_for(url, "faces", above=0)
        assert brightness(url) > 90


def test_a_camera_that_is_silent_for_too_long_is_opened_again(camera: MjpegServer):
    with running("--source", f"{camera.url}/stall", EMOTION_EDGE_SOURCE_READ_TIMEOUT_S="2") as program:
        url = program.url()
        program.wait_for(url, "faces", above=0)
        first = newest_ids(url)
        camera.silence.set()
        program.wait_for(url, "source.state", equals="reconnecting")
        assert program.state(url)["faces"] == 0
        assert "emotion_edge_faces 0.0" in get(f"{url}metrics").decode()
        camera.silence.clear()
        program.wait_for(url, "source.reconnects", above=0)
        program.wait_for(url, "faces", above=0)
        state = program.state(url)
        assert state["source"]["since"] > 1, "the numbers go on"
        assert not first & newest_ids(url), "who is there after an outage is somebody else"


def newest_ids(url: str) -> set[int]:
    """Ids of the faces in the newest event."""
    with urllib.request.urlopen(f"{url}events", timeout=20) as feed:
        for line in feed:
            if line.startswith(b"data:"):
                faces: list[dict[str, Any]] = json.loads(line[5:])["faces"]
                return {face["id"] for face in faces}
    return set()


def test_it_stops_within_two_seconds_while_the_camera_is_silent_and_somebody_watches(camera: MjpegServer):
    with running("--source", f"{camera.url}/stall", EMOTION_EDGE_SOURCE_READ_TIMEOUT_S="60") as program:
        url = program.url()
        program.wait_for(url, "faces", above=0)
        with urllib.request.urlopen(f"{url}stream.mjpg", timeout=20) as stream:
            assert stream.read(1000)
            camera.silence.set()
            program.wait_for(url, "source.state", equals="stalled")
            code, took_s = program.terminate()
        assert code == 0
        assert took_s <= 2.0


def test_it_stops_within_two_seconds_while_it_waits_for_a_camera():
    with running("--source", "rtsp://127.0.0.1:9/live") as program:
        url = program.url()
        program.wait_for(url, "source.reason", holds="refuses port 9")
        code, took_s = program.terminate()
        assert code == 0
        assert took_s <= 2.0


def test_every_frame_is_accounted_for(camera: MjpegServer):
    duration_s, max_fps = 4, 7
    options = ("--source", f"{camera.url}/stream", "--duration", str(duration_s))
    with running(*options, EMOTION_EDGE_SOURCE_MAX_FPS=str(max_fps)) as program:
        program.url()
        assert program.end() == 0
        ended = next(line for line in program.log if "run.ended" in line)
    figures = dict(part.split("=", 1) for part in ended.split() if "=" in part and "{" not in part)
    skipped = skipped_in(ended)
    assert skipped["rate"] > 0
    frames = int(figures["frames"])
    # those since the last that was taken are told with the next one; one may be under analysis when the program ends
    last = frames / duration_s / max_fps + 2
    assert 0 <= frames - int(figures["scenes"]) - sum(skipped.values()) <= last


def skipped_in(line: str) -> dict[str, int]:
    """The dictionary after `skipped=` in a log line."""
    text = line.partition("skipped=")[2]
    return dict(ast.literal_eval(text[: text.index("}") + 1]))


def test_viewers_who_come_and_go_leave_nothing_behind():
    with running("--source", "demo:?faces=1") as program:
        url = program.url()
        program.wait_for(url, "faces", above=0)
        process = psutil.Process(program.process.pid)

        def visits(count: int) -> None:
            for _ in range(count):
                with urllib.request.urlopen(f"{url}stream.mjpg", timeout=20) as stream:
                    stream.read(1000)
                with urllib.request.urlopen(f"{url}events", timeout=20) as feed:
                    feed.readline()

        visits(10)
        settle(program, url)
        before = process.num_fds(), process.num_threads()
        visits(100)
        settle(program, url)
        assert process.num_fds() <= before[0] + 1
        assert process.num_threads() <= before[1]


def settle(program: Program, url: str) -> None:
    """Wait until the server has noticed that all viewers have gone."""
    program.wait_for(url, "viewers", equals=0)
    time.sleep(0.5)


def test_a_header_with_strange_bytes_gets_an_answer(tmp_path: Path):
    with running("--source", "demo", "--lan", XDG_STATE_HOME=str(tmp_path), STATE_DIRECTORY="") as program:
        assert program.process.stdout is not None
        program.process.stdout.readline()
        port = program.process.stdout.readline().split("/?")[0].rpartition(":")[2]
        url = f"http://127.0.0.1:{port}/state"
        for value in ("Bearer \xff", "Basic é", "Basic ////", "Bearer "):
            request = urllib.request.Request(url, headers={"Authorization": value.encode("latin-1").decode("latin-1")})
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(request, timeout=10)
        assert "Traceback" not in program.errors()
        assert body_of(f"http://127.0.0.1:{port}/livez")
