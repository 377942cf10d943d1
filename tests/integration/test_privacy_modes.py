"""What leaves the assembled program in each mode of privacy."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.app import App
from edge.config import Config, DetectorConfig, EventsConfig, PrivacyConfig, SourceConfig
from edge.privacy import GROUND_COLOUR
from edge.server.settings import ServerSettings
from edge.types import Pixels
from tests.api import ask
from tests.wire import Wire, eventually, get

JPEG_START = b"\xff\xd8\xff"
JPEG_START_BASE64 = b'"/9j/'
PICTURES = (
    "/stream.mjpg",
    "/stream.mjpg?raw=1&results=1",
    "/stream?width=320",
    "/?action=stream",
    "/snapshot.jpg",
    "/snapshot.jpg?raw=1&quality=95",
    "/snapshot.jpg?format=json",
    "/?action=snapshot",
)
OF_ONE_FACE = ('"box"', '"scores"', '"valence"', '"confidence"', '"stale_frames"', '"faces":[')


def watched(config: Config, client: Callable[[App, int], None]) -> App:
    """Run the program for as long as `client`, who is given its port, takes."""
    app = App(config)
    visits: list[Future[None]] = []

    def visit(port: int) -> None:
        eventually(lambda: app.telemetry.scenes_with_faces > 3, "faces are found")
        client(app, port)

    def over(_: Future[None]) -> None:
        app.supervisor._loop.call_soon_threadsafe(app.supervisor._stop.set)  # type: ignore[union-attr]

    with ThreadPoolExecutor(max_workers=1) as thread:

        def announce(url: str) -> None:
            visits.append(thread.submit(visit, int(url.rsplit(":", 1)[1].strip("/"))))
            visits[0].add_done_callback(over)

        asyncio.run(app.supervisor.run(app.backstage, config.server, announce=announce, duration_s=30))
    visits[0].result()
    return app


def configured(privacy: PrivacyConfig, uri: str = "demo:?faces=2&size=320x240", log: Path | None = None) -> Config:
    return Config(
        source=SourceConfig(uri=uri),
        detector=DetectorConfig(name="haar"),
        server=ServerSettings(port=0),
        privacy=privacy,
        events=EventsConfig(path=str(log) if log else "", flush_s=0.0),
    )


def picture(port: int, path: str) -> Pixels:
    status, _, body = get(port, path)
    assert status == 200, body[:200]
    decoded = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded


def change(port: int, video: str) -> tuple[int, dict[str, str], Any]:
    """Ask for another mode; status, headers and answer."""
    patch = json.dumps({"privacy": {"video": video}})
    return ask(port, "PATCH", "/api/v1/config", patch, Content_Type="application/json")


def some_jpeg() -> bytes:
    ok, data = cv2.imencode(".jpg", np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    assert ok
    return data.tobytes()


def test_none_sends_numbers_and_no_picture_by_any_path():
    def client(app: App, port: int) -> None:
        for path in PICTURES:
            for headers in ({}, {"Accept": "application/json"}):
                status, _, body = get(port, path, **headers)
                assert status == 403, path
                assert JPEG_START not in body
                assert b"privacy.video is none" in body
        status, _, answer = ask(port, "POST", "/api/v1/analyze?picture=1&whole=1", some_jpeg())
        assert status == 200
        assert answer["annotated_jpeg"] is None
        assert answer["result"]["faces"]
        for path in ("/state", "/metrics", "/", "/api/v1/config"):
            status, _, body = get(port, path)
            assert status == 200
            assert JPEG_START not in body
            assert JPEG_START_BASE64 not in body
        with Wire(port) as wire:
            wire.send("/events").read_headers()
            wire.read_event()
            assert json.loads(wire.read_event()["data"])["faces"]
        assert app.status().encoded == 0, "none is made"

    watched(configured(PrivacyConfig(video="none")), client)


@pytest.mark.parametrize("video", ["full", "blurred", "boxes"])
def test_each_mode_shows_what_it_says_and_raw_shows_no_more(video: str):
    def client(_app: App, port: int) -> None:
        raw, marked = picture(port, "/snapshot.jpg?raw=1&quality=95"), picture(port, "/snapshot.jpg?quality=95")
        sharpness = cv2.Laplacian(raw, cv2.CV_64F).var()
        match video:
            case "full":
                assert sharpness > 100
            case "blurred":
                assert sharpness < 10
            case _:
                assert np.abs(raw.astype(int) - GROUND_COLOUR).max() <= 4
        assert cv2.Laplacian(marked, cv2.CV_64F).var() > 2 * sharpness + 50 or video == "full", "boxes are sharp"

    watched(configured(PrivacyConfig(video=video)), client)  # type: ignore[arg-type]


def test_a_running_program_can_be_made_to_show_less_and_not_more():
    def client(app: App, port: int) -> None:
        with Wire(port) as viewer:
            viewer.send("/stream.mjpg").read_headers()
            viewer.read_line()
            viewer.read_part()
            assert change(port, "none")[0] == 200
            rest = viewer.read_all()
        # what was on its way already may still come, then the stream ends
        assert rest.count(JPEG_START) <= 3
        assert get(port, "/snapshot.jpg")[0] == 403
        for wanted in ("full", "blurred", "boxes"):
            status, _, answer = change(port, wanted)
            assert status >= 400, answer
            assert f"{wanted} shows more than none" in json.dumps(answer)
        assert app.status().privacy.video == "none"
        assert get(port, "/snapshot.jpg")[0] == 403

    watched(configured(PrivacyConfig()), client)


def test_what_is_masked_is_black_in_the_picture_and_nobody_is_found_there():
    def client(app: App, port: int) -> None:
        assert app.status().privacy.masks == 1
        shown = picture(port, "/snapshot.jpg?raw=1&quality=95")
        assert shown[:, :150].max() <= 4
        assert shown[:, 170:].max() > 100
        with Wire(port) as wire:
            wire.send("/events").read_headers()
            wire.read_event()
            for _ in range(5):
                for face in json.loads(wire.read_event()["data"])["faces"]:
                    assert face["box"][0] + face["box"][2] / 2 > 0.45

    watched(configured(PrivacyConfig(masks=((0.0, 0.0, 0.5, 1.0),))), client)


def test_in_aggregate_mode_nothing_of_a_single_face_or_scene_leaves(tmp_path: Path):
    log = tmp_path / "events.jsonl"

    def client(_app: App, port: int) -> None:
        told: list[bytes] = []
        with Wire(port) as wire:
            wire.send("/events").read_headers()
            names: list[str] = []
            while names.count("aggregate") < 2 and "message" not in names:
                event = wire.read_event()
                names.append(event.get("event", "retry" if "retry" in event else "message"))
                told.append(event.get("data", "").encode())
        assert set(names) <= {"retry", "status", "aggregate"}
        for path in ("/state", "/metrics", "/snapshot.jpg?format=json"):
            told.append(get(port, path)[2])
        told.append(repr(get(port, "/snapshot.jpg")[1]).encode())
        with Wire(port) as wire:
            wire.send("/stream.mjpg?results=1").read_headers()
            wire.read_line()
            told.append(repr(wire.read_part().headers).encode())
        for text in told:
            for words in OF_ONE_FACE:
                assert words.encode() not in text, text[:300]
        state: dict[str, Any] = json.loads(told[-5])
        assert state["privacy"] == {"video": "boxes", "masks": 0, "events": "aggregate"}
        assert state["fps"] > 0
        assert state["faces"] >= 0, "how many there are may be told"

    privacy = PrivacyConfig(video="boxes", events="aggregate", aggregate_s=1.0)
    app = watched(configured(privacy, log=log), client)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(lines) >= 2
    for line in lines:
        assert line["kind"] == "aggregate"
        assert line["duration_s"] <= 1.1
        assert line["label_seconds"] == {}, "two faces for one second say too much of each"
    assert app.summary()["label_seconds"] == {}


def test_in_aggregate_mode_boxes_have_no_labels():
    """What is drawn, but for the boxes' outlines, is the even ground."""

    def client(_app: App, port: int) -> None:
        found = [picture(port, "/snapshot.jpg?quality=95") for _ in range(3)]
        for shown in found:
            drawn = (np.abs(shown.astype(int) - GROUND_COLOUR).max(axis=2) > 40).astype(np.uint8)
            # a label's plate is some 15 px high; an outline of 2 px is gone after shrinking by 3
            assert cv2.erode(drawn, np.ones((7, 7), np.uint8)).sum() == 0
        assert any((np.abs(shown.astype(int) - GROUND_COLOUR).max(axis=2) > 40).any() for shown in found)

    watched(configured(PrivacyConfig(video="boxes", events="aggregate")), client)


def test_a_film_that_is_shorter_than_the_period_tells_nothing(tmp_path: Path):
    log = tmp_path / "events.jsonl"
    config = configured(PrivacyConfig(events="aggregate"), "demo:?faces=2&size=320x240&duration=3&realtime=0", log=log)
    app = App(config)
    asyncio.run(app.supervisor.run(app.backstage, config.server, announce=lambda _: None))
    assert app.telemetry.scenes_with_faces > 10
    assert log.read_text() == ""
