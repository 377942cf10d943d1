"""The whole program as a user meets it: started, watched, stopped, and given bad input."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from edge.classifier import SHIPPED
from edge.sources import open_source
from tests.e2e.program import body_of, get, running, status_of
from tests.films import written
from tests.tiny_models import Tiny


def tell(*arguments: str) -> tuple[int, str]:
    """Exit code and all output of a command that ends by itself."""
    result = subprocess.run(
        [sys.executable, "-m", "edge", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    return result.returncode, result.stdout + result.stderr


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the demo as a video file."""
    path = tmp_path_factory.mktemp("film") / "film.avi"
    source = open_source("demo:?realtime=0&faces=2", clock=time.monotonic_ns, sleep=time.sleep)
    written(path, [source.read(1).bgr for _ in range(60)], 30)
    source.close()
    return path


def test_the_demo_is_shown_live_with_faces_and_stops_within_two_seconds():
    with running("--source", "demo") as program:
        url = program.url()
        program.wait_for(url, "faces", above=0)
        picture = cv2.imdecode(np.frombuffer(get(f"{url}snapshot.jpg"), np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (480, 640, 3)
        state = program.state(url)
        assert state["source"]["name"].startswith("demo")
        assert state["stages_ms"].keys() >= {"detect", "track", "chip", "classify"}
        assert status_of(f"{url}readyz") == 200
        code, took_s = program.terminate()
        assert code == 0
        assert took_s <= 2.0
        log = program.errors()
        assert "--lan" in log, "the log of a headless machine says both ways in"
        assert "ssh -L" in log


def test_nobody_watching_means_nothing_is_encoded():
    with running("--source", "demo") as program:
        url = program.url()
        program.wait_for(url, "source.frames", above=30)
        assert program.state(url)["encoded"] == 0
        get(f"{url}snapshot.jpg")
        encoded = program.wait_for(url, "encoded", above=0)["encoded"]
        frames = program.state(url)["source"]["frames"]
        program.wait_for(url, "source.frames", above=frames + 30)
        assert program.state(url)["encoded"] <= encoded + 2


def test_without_a_camera_auto_takes_the_demo_and_says_why():
    with running("--source", "auto") as program:
        url = program.url()
        source = program.wait_for(url, "source.state", equals="online")["source"]
        if not source["name"].startswith("demo"):
            pytest.skip(f"this machine has a camera: {source['name']}")
        assert "no camera" in source["reason"]
        assert "picamera2" in source["reason"]


def test_a_file_is_analysed_frame_by_frame_and_twice_the_same(film: Path, tmp_path: Path):
    def events(name: str) -> list[bytes]:
        path = tmp_path / name
        code, log = tell("run", "--port", "0", "--source", f"file:{film}?realtime=0", "--events", str(path))
        assert code == 0, log
        assert "frames=60 scenes=60" in log
        return path.read_bytes().splitlines()

    first = events("a.jsonl")
    assert first == events("b.jsonl")
    entries = [json.loads(line) for line in first]
    assert len(entries) >= 58
    assert [e["media_s"] for e in entries] == sorted(e["media_s"] for e in entries)
    assert all(e["time"] is None and e["timings_ms"] == {} for e in entries)


def test_a_live_file_ends_with_exit_0_and_a_summary(film: Path):
    with running("--source", str(film)) as program:
        program.url()
        assert program.end() == 0
        (ended,) = (line for line in program.log if "run.ended" in line)
        figures = dict(part.split("=", 1) for part in ended.split() if "=" in part)
        assert figures["frames"] == "60"
        assert int(figures["frames"]) == int(figures["scenes"]) + int(figures["dropped"])
        assert 1 <= int(figures["faces"]) <= 4, "there are two; one may be lost and found"
        assert int(figures["with_faces"]) > 10
        assert float(figures["fps"]) > 1
        assert {"skipped", "label_seconds"} <= figures.keys()
        assert figures["exit"] == "0"


def test_a_live_file_that_loops_goes_on_after_its_end(film: Path):
    with running("--source", f"file:{film}?loop=1") as program:
        url = program.url()
        assert program.wait_for(url, "source.frames", above=70)["source"]["state"] == "online"
        assert program.terminate()[0] == 0


def test_a_source_that_fails_for_good_is_shown_as_failed_before_the_program_ends(film: Path, tmp_path: Path):
    copy = tmp_path / "film.avi"
    copy.write_bytes(film.read_bytes())
    with running("--source", f"file:{copy}?loop=1") as program:
        url = program.url()
        program.wait_for(url, "source.state", equals="online")
        copy.unlink()
        assert "there is no file" in program.wait_for(url, "source.state", equals="failed")["source"]["reason"]
        assert program.end() == 78


def test_a_duration_ends_it_cleanly():
    with running("--source", "demo", "--duration", "1") as program:
        program.url()
        assert program.end() == 0


def test_a_json_log_is_json_on_every_line():
    with running("--source", "demo", "--duration", "1", "--log-format", "json") as program:
        program.url()
        program.end()
        events = [json.loads(line)["event"] for line in program.log]
        assert events[-1] == "run.ended"
        assert "source.online" in events


def test_the_best_detector_that_is_here_is_taken_else_haar_with_a_warning(tmp_path: Path):
    with running("--source", "demo", EMOTION_EDGE_MODELS=str(tmp_path)) as program:
        url = program.url()
        state = program.wait_for(url, "faces", above=0)
        assert state["detector"] == "haar"
        assert "emotion-edge models fetch" in state["notices"][0]
        assert "detector.fallback" in program.errors()


def test_a_camera_that_is_not_there_is_retried_and_the_picture_says_so():
    with running("--source", "v4l2:/dev/video77") as program:
        url = program.url()
        source = program.wait_for(url, "source.reason", holds="/dev/video77")["source"]
        assert source["state"] == "starting"
        assert "/dev/video77" in source["reason"]
        assert status_of(f"{url}readyz") == 503
        assert status_of(f"{url}livez") == 200
        notice = cv2.imdecode(np.frombuffer(get(f"{url}snapshot.jpg"), np.uint8), cv2.IMREAD_COLOR)
        assert notice.mean() < 60, "the dark notice"
        assert program.errors().count("/dev/video77") >= 1
        assert program.terminate()[0] == 0


def test_a_full_disk_is_reported_and_the_stream_goes_on():
    with running("--source", "demo", "--events", "/dev/full", EMOTION_EDGE_EVENTS_FLUSH_S="0.1") as program:
        url = program.url()
        program.wait_for(url, "source.frames", above=30)
        end_s = time.monotonic() + 20
        while "events.lost" not in program.errors() and time.monotonic() < end_s:
            time.sleep(0.05)
        assert "No space left on device" in program.errors()
        assert get(f"{url}snapshot.jpg")[:2] == b"\xff\xd8"
        assert program.terminate()[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--source", "nowhere/film.mp4"), ("nowhere/film.mp4", "check the path")),
        (("--source", "demo:?fsp=3"), ("fsp", "fps")),
        (("--source", "demo", "--detector", "yolo"), ("yolo", "blazeface-full")),
        (("--source", "demo", "--model", "nowhere.tflite"), ("cannot read the model nowhere.tflite",)),
        (("--source", "demo", "--host", "0.0.0.0"), ("--lan", "--insecure")),
        (("--source", "demo", "--events", "/proc/none/e.jsonl"), ("cannot write events", "--events")),
        (("--source", "demo", "--duration", "-1"), ("--duration",)),
        (("--source", "demo", "--config", "nowhere.toml"), ("cannot read the configuration nowhere.toml",)),
    ],
)
def test_what_cannot_be_done_is_refused_with_78_and_a_way_out(arguments: tuple[str, ...], words: tuple[str, ...]):
    code, output = tell("run", "--port", "0", *arguments)
    assert code == 78, output
    assert "Traceback" not in output
    for word in words:
        assert word in output


def test_a_text_file_is_no_video(tmp_path: Path):
    path = tmp_path / "film.mp4"
    path.write_text("this is not a film\n" * 50)
    code, output = tell("run", "--port", "0", "--source", str(path))
    assert code == 78
    assert "is a text file" in output
    assert "Traceback" not in output


def test_a_corrupt_model_and_one_of_another_shape_are_refused(tmp_path: Path):
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(SHIPPED.read_bytes()[:100_000])
    code, output = tell("run", "--port", "0", "--source", "demo", "--model", str(broken))
    assert code == 78
    assert "no TFLite runtime can run" in output
    lying = tmp_path / "lying.tflite"
    with zipfile.ZipFile(SHIPPED) as archive:
        card = json.loads(archive.read("emotion-edge-card.json"))
        golden = {name: archive.read(name) for name in archive.namelist() if name.endswith(".npy")}
        start = min(info.header_offset for info in archive.infolist())
    card["labels"] = card["labels"][:5]
    lying.write_bytes(SHIPPED.read_bytes()[:start])
    with zipfile.ZipFile(lying, "a") as archive:
        archive.writestr("emotion-edge-card.json", json.dumps(card))
        for name, data in golden.items():
            archive.writestr(name, data)
    code, output = tell("run", "--port", "0", "--source", "demo", "--model", str(lying))
    assert code == 78
    assert "number of outputs is 7, its card says 5" in output


def test_a_model_with_damaged_weights_is_refused_by_its_golden_chips(tmp_path: Path):
    damaged = bytearray(SHIPPED.read_bytes())
    damaged[250_000:270_000] = bytes(20_000)
    path = tmp_path / "damaged.tflite"
    path.write_bytes(damaged)
    code, output = tell("run", "--port", "0", "--source", "demo", "--model", str(path))
    assert code == 78
    assert "does NOT answer as when it was made" in output


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without a card, with its contract in a configuration beside it."""
    tiny = Tiny(64, 3, ("bored", "awake", "curious"), 0, 1, output="probabilities")
    path = tiny.write(tmp_path_factory.mktemp("foreign") / "foreign.tflite")
    path.with_name("config.toml").write_text(tiny.toml())
    return path


def test_page_state_and_events_have_the_labels_of_a_model_from_elsewhere(foreign: Path):
    config = foreign.with_name("config.toml")
    with running("--source", "demo", "--model", str(foreign), "--config", str(config)) as program:
        url = program.url()
        state = program.wait_for(url, "faces", above=0)
        assert state["labels"] == ["bored", "awake", "curious"]
        assert state["model"] == "foreign.tflite"
        with urllib.request.urlopen(f"{url}events", timeout=20) as events:
            faces: list[dict[str, object]] = []
            while not faces or faces[0]["label"] is None:
                line = events.readline()
                faces = json.loads(line[5:])["faces"] if line.startswith(b"data:") else faces
        assert list(faces[0]["scores"]) == ["bored", "awake", "curious"]  # type: ignore[call-overload]
        assert faces[0]["valence"] is None, "these words have no coordinates"
        assert program.terminate()[0] == 0


def test_a_model_from_elsewhere_without_a_contract_is_refused_with_what_to_write(foreign: Path):
    code, output = tell("run", "--port", "0", "--source", "demo", "--model", str(foreign))
    assert code == 78
    assert "Traceback" not in output
    for line in ("[expression.contract]", 'labels = ["class 1", "class 2", "class 3"]', "float32 (1, 64, 64, 3)"):
        assert line in output


def test_models_of_other_classes_together_are_refused(foreign: Path):
    named = foreign.with_name("named.toml")
    named.write_text(foreign.with_name("config.toml").read_text() + f'model = "{foreign.name}"\n')
    models = ("--model", "shipped", "--model", str(foreign), "--config", str(named))
    code, output = tell("run", "--port", "0", "--source", "demo", *models)
    assert code == 78
    assert "foreign.tflite knows bored, awake, curious" in output


def test_several_models_and_the_mirror_image_may_answer_together():
    with running("--source", "demo", "--model", "shipped", "--model", str(SHIPPED), "--flip") as program:
        state = program.wait_for(program.url(), "faces", above=0)
        assert state["model"].count(" + ") == 1
        assert state["model"].endswith("with the mirror image")


def test_a_mistyped_argument_is_a_configuration_error_too():
    code, output = tell("run", "--prot", "80")
    assert code == 78
    assert "--prot" in output
    assert tell("rnu")[0] == 78


def test_lan_and_a_host_of_ones_own_contradict_each_other():
    code, output = tell("run", "--source", "demo", "--lan", "--host", "127.0.0.1")
    assert code == 78
    assert "give one of them" in output


def test_a_cameras_password_is_shown_nowhere():
    with running("--source", "rtsp://admin:s3cret@127.0.0.1:9/live") as program:
        url = program.url()
        program.wait_for(url, "source.reason", holds="refuses port 9")
        for page in ("state", "metrics"):
            assert b"s3cret" not in get(url + page)
        for page in ("readyz", "livez"):
            body = body_of(url + page)
            assert b"s3cret" not in body
            assert b"127.0.0.1" not in body, "anybody may ask: not even the address"
        assert "source.starting" in program.errors()
        assert "s3cret" not in program.errors()


def test_nobody_reading_its_output_does_not_stop_it():
    command = f"{sys.executable} -m edge run --source demo --port 0 --duration 3"
    result = subprocess.run(["sh", "-c", f"{command} | true"], capture_output=True, text=True, timeout=60, check=False)
    assert "run.ended" in result.stderr
    assert "scenes=0" not in result.stderr


def test_it_needs_little_memory_with_a_viewer(film: Path):
    with running("--source", f"file:{film}?loop=1") as program:
        url = program.url()
        with urllib.request.urlopen(f"{url}stream.mjpg", timeout=20) as stream:
            stream.read(3_000_000)
        assert psutil.Process(program.process.pid).memory_info().rss <= 140 * 2**20


def test_an_unknown_key_in_the_configuration_is_refused(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text("[stream]\nqualty = 80\n")
    code, output = tell("run", "--port", "0", "--source", "demo", "--config", str(file))
    assert code == 78
    assert "did you mean `stream.quality`" in output


def test_a_port_in_use_is_refused_with_its_number():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output = tell("run", "--source", "demo", "--port", str(port))
    assert code == 78
    assert f"Port {port}" in output
    assert "--port" in output


def test_on_the_lan_the_token_opens_the_page_and_nothing_else_does(tmp_path: Path):
    with running("--source", "demo", "--lan", XDG_STATE_HOME=str(tmp_path), STATE_DIRECTORY="") as program:
        assert program.process.stdout is not None
        assert program.process.stdout.readline().startswith("Open one of these")
        url = program.process.stdout.readline().strip()
        token_file = tmp_path / "emotion-edge" / "token"
        token = token_file.read_text().strip()
        assert token_file.stat().st_mode & 0o777 == 0o600
        assert url.endswith(f"/?token={token}")
        port = url.split("/?")[0].rpartition(":")[2]
        assert status_of(f"http://127.0.0.1:{port}/state") == 401
        assert status_of(f"http://127.0.0.1:{port}/state?token={token}") == 200
        assert token not in program.errors(), "the log never shows the token"


def test_the_commands_say_what_they_know():
    code, output = tell("--version")
    assert code == 0
    assert output.startswith("emotion-edge ")
    code, output = tell("models", "list")
    assert code == 0
    assert "face_detection_full_range.tflite" in output
    code, output = tell("models", "inspect")
    assert code == 0
    assert "angry, disgust, fear, happy, sad, surprise, neutral" in output
    code, output = tell("models", "inspect", "nowhere.tflite")
    assert code == 78


def test_verify_finds_a_damaged_detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "face_detection_short_range.tflite").write_bytes(b"damaged")
    monkeypatch.setenv("EMOTION_EDGE_MODELS", str(tmp_path))
    code, output = tell("models", "verify")
    assert code == 1
    assert "face_detection_short_range.tflite: has SHA-256" in output
    assert "emotion-int8.tflite: answers as when it was made" in output
