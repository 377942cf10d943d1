"""Pictures that are sent to the program, and the buttons of a person, as a user would."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from tests.e2e.program import Program, body_of, get, running, status_of
from tests.films import film
from tests.senders import Sender, jpegs


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def ask(url: str, action: str) -> dict[str, Any]:
    """What the program says to an action."""
    body = json.dumps({"action": action}).encode()
    request = urllib.request.Request(f"{url}api/v1/control", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.loads(answer.read()))


def in_state(program: Program, url: str, state: str) -> dict[str, Any]:
    return program.wait_for(url, "source.state", equals=state)


def test_faces_in_pictures_that_are_sent_are_named_and_shown() -> None:
    pictures = jpegs(40, "640x480")
    with running("--source", "push:") as program:
        url = program.url()
        state = in_state(program, url, "waiting")
        assert state["push"] is True
        assert "/api/v1/push" in state["source"]["reason"]
        assert status_of(f"{url}readyz") == 503
        with Sender(port_of(url)).greeted() as sender:
            for seq, picture in enumerate(pictures, start=1):
                sender.post(picture)
                result = sender.answer(seq)["result"]
            assert {face["label"] for face in result["faces"]} - {None}
            state = in_state(program, url, "online")
            assert [client["kind"] for client in state["clients"]] == ["push"]
            assert status_of(f"{url}readyz") == 200
        in_state(program, url, "waiting")
        code, _ = program.terminate()
        assert code == 0


def test_no_size_that_is_taken_upsets_the_program() -> None:
    chance = np.random.default_rng(0)
    with running("--source", "push:") as program, Sender(port_of(program.url())).greeted() as sender:
        seq = 0
        for width, height in [(640, 480), (16, 16), (1920, 1080), (17, 16), (16, 1920), (1080, 1920), (33, 999)]:
            for shape in ((height, width, 3), (height, width)):
                noise = chance.integers(0, 255, shape, np.uint8)
                sender.post(cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 20])[1].tobytes())
                seq += 1
                result = sender.answer(seq)["result"]
                assert (result["width"], result["height"]) == (width, height)
        assert program.process.poll() is None


@pytest.mark.parametrize("options", ["loop=1", "loop=1&realtime=0"])
def test_a_film_that_is_paused_goes_on_where_it_was(options: str, tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", 12)
    with running("--source", f"file:{path}?{options}") as program:
        url = program.url()
        program.wait_for(url, "source.frames", above=3)
        assert ask(url, "pause") == {"paused": True, "stopped": False}
        paused = in_state(program, url, "paused")
        assert paused["control"] == {"paused": True, "stopped": False}
        assert paused["faces"] == 0
        assert status_of(f"{url}readyz") == 503
        assert b"by a person" in body_of(f"{url}readyz")
        time.sleep(0.6)
        assert program.state(url)["source"]["frames"] == paused["source"]["frames"]
        skipped = program.state(url)["skipped"].get("late", 0)
        assert ask(url, "resume") == {"paused": False, "stopped": False}
        after = in_state(program, url, "online")
        assert after["source"]["since"] == paused["source"]["frames"] + 1, "no frame is left out"
        assert after["skipped"].get("late", 0) <= skipped + 2, "the time of the pause is not made up for"


def test_what_is_taken_frame_by_frame_cannot_be_stopped() -> None:
    with running("--source", "demo:?realtime=0&size=160x120") as program:
        url = program.url()
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(url, "stop")
        assert refused.value.code == 409
        assert "it can be paused" in json.loads(refused.value.read())["error"]["message"]


def test_a_stopped_source_shows_no_faces_and_starts_again() -> None:
    with running("--source", "demo:?size=320x240") as program:
        url = program.url()
        program.wait_for(url, "faces", above=0)
        assert ask(url, "stop") == {"paused": False, "stopped": True}
        stopped = in_state(program, url, "stopped")
        assert stopped["faces"] == 0
        assert len(get(f"{url}snapshot.jpg")) > 500, "the notice"
        assert status_of(f"{url}livez") == 200
        assert ask(url, "start") == {"paused": False, "stopped": False}
        program.wait_for(url, "faces", above=0)
        assert program.state(url)["source"]["reconnects"] == 0


def test_the_example_in_the_manual_runs(tmp_path: Path) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    section = manual.partition("## Pictures from a program")[2]
    example = section.partition("```python\n")[2].partition("```")[0]
    path = film(tmp_path / "film.avi", 20)
    with running("--source", "push:", EMOTION_EDGE_SERVER_TOKEN="sesame-sesame") as program:
        url = program.url().partition("?")[0].rstrip("/")
        call = [sys.executable, "-c", example, url, str(path), "sesame-sesame"]
        result = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    first, *answers = result.stdout.splitlines()
    assert "max_bytes" in first
    assert len(answers) >= 15
    assert answers[-1].startswith("20 [(")
