"""The benchmark of the whole program: started, watched, stopped."""

import io
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from edge.bench import startup
from edge.bench.clip import FPS, Clip, load_clip
from edge.bench.figures import Figures, measure_all
from edge.bench.plan import Plan
from edge.bench.program import RUN, Program, environment, scratch, url_of
from edge.bench.served import measure_served
from edge.bench.startup import measure_startup
from edge.bench.viewers import Viewers
from edge.bench.viewing import measure_viewing
from edge.errors import PermanentError

LINUX = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="processes are stopped and timed as Linux does it"
)
SHORT = Plan(
    clip_frames=20,
    whole_s=0.1,
    served_rounds=1,
    span_s=0.4,
    starts=5,
    starts_s=0.0,
    viewing_rounds=1,
    factor_s=0.0,
    factor_frames=0,
    crowd_rounds=1,
)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return load_clip(None, 12)


@LINUX
def test_the_program_with_a_viewer_is_measured_against_its_floor():
    served = measure_served(rounds=2, span_s=0.6)
    assert (len(served.program_ms), len(served.floor_ms), len(served.ratios)) == (2, 3, 2)
    assert min(served.program_ms) > 0
    assert min(served.floor_ms) > 0
    assert served.ratio > 1
    assert 0.5 < served.shown < 1.5
    assert 0.05 < served.detections < 0.6
    assert "with a viewer" in served.text()


class Counted:
    """A meter that gives a joule for each span."""

    name = "a meter"

    def begin(self) -> None:
        pass

    def end(self) -> float:
        return 1.0


@LINUX
def test_a_viewer_who_comes_and_goes_is_measured(clip: Clip):
    with scratch() as folder:
        film = Path(folder) / "clip.avi"
        clip.write(film)
        with Program(f"file:{film}?loop=1") as program:
            viewing = measure_viewing(program, 2, 0.8, Counted(), "")
    assert len(viewing.fps) == len(viewing.watched_ms) == len(viewing.unwatched_ms) == len(viewing.ratios) == 2
    assert 0 < viewing.age.p50_ms <= viewing.age.p99_ms
    assert 0 < viewing.rss_mib <= viewing.peak_mib
    assert viewing.energy is not None
    frames = 1e3 / viewing.energy.watched_mj[0]
    assert frames == pytest.approx(0.8 * FPS, abs=0.4 * FPS)
    assert viewing.energy.watched_w[0] == pytest.approx(1 / 0.8, rel=0.5)


@LINUX
def test_all_of_it_fits_together(tmp_path: Path):
    said: list[str] = []
    figures = measure_all(plan=SHORT, say=said.append)
    assert figures.served is not None
    assert figures.viewing is not None
    assert figures.startup is not None
    assert len(figures.startup.seconds) == startup.LEAST_STARTS, "the time is up, but one is not enough"
    assert min(figures.startup.cpu_s) > 0
    (viewers,) = figures.factors
    assert [variant.name for variant in viewers.variants] == ["0", "1", "4", "16"]
    assert [variant.p50_ms is None for variant in viewers.variants] == [True, False, False, False]
    assert msgspec.json.decode(msgspec.json.encode(figures), type=Figures) == figures
    assert "nobody watching" in figures.text()
    assert any("viewer" in line for line in said)


def test_without_linux_the_rest_is_measured(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    figures = measure_all(plan=SHORT)
    assert (figures.served, figures.viewing, figures.startup) == (None, None, None)
    said = "Not measured: the program itself (start, viewers, memory, energy): on Linux only, not darwin"
    assert said in figures.text()
    with pytest.raises(PermanentError, match="is measured on Linux only, not on darwin"):
        measure_served()


def test_settings_of_this_machine_are_not_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("EMOTION_EDGE_SERVER_TOKEN", "secret")
    monkeypatch.setenv("EMOTION_EDGE_CONFIG", str(tmp_path / "own.toml"))
    monkeypatch.setenv("EMOTION_EDGE_MODELS", "/models")
    found = environment()
    assert "EMOTION_EDGE_SERVER_TOKEN" not in found
    assert found["EMOTION_EDGE_MODELS"] == "/models"
    code = "from edge.config_layers import load; print(load() == load.__globals__['Config']())"
    result = subprocess.run([*RUN[:2], "-c", code], env=found, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout.strip() == "True"


def test_a_program_that_does_not_start_says_why():
    command = [sys.executable, "-c", "import sys; sys.exit('the port is taken')"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
        pytest.raises(PermanentError, match="did not start: the port is taken"),
    ):
        url_of(process)


@LINUX
def test_a_film_that_is_not_there_is_said_by_whatever_starts_the_program(tmp_path: Path):
    with pytest.raises(PermanentError, match=r"did not start: .*nowhere"), Program(f"file:{tmp_path}/nowhere.avi"):
        pass
    with pytest.raises(PermanentError, match=r"did not start: .*nowhere"):
        measure_startup(tmp_path / "nowhere.avi", 1, 0.0)


FACE = b'{"faces":[{"label":"happy"}]}'


def part(result: bytes) -> bytes:
    told = b"X-Emotion-Edge-Result: %b\r\n" % result if result else b""
    return b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n%b\r\n\xff\xd8\r\n\r\n" % told


def test_the_first_picture_is_one_that_shows_a_named_face():
    opening = b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\n"
    unnamed = part(b'{"faces":[]}') + part(b"") + part(b'{"faces":[{"label":null}]}')
    stream = io.BytesIO(opening + unnamed + part(FACE) + b"what comes later")
    startup.wait_for_face(stream)
    assert stream.read() == b"what comes later"
    with pytest.raises(PermanentError, match="before one showed a named face"):
        startup.wait_for_face(io.BytesIO(opening + unnamed))
    with pytest.raises(PermanentError, match=r"answered 'HTTP/1\.0 503 Busy'"):
        startup.wait_for_face(io.BytesIO(b"HTTP/1.0 503 Busy\r\n\r\n"))


def test_viewers_count_pictures_and_tell_their_age():
    with socket.create_server(("127.0.0.1", 0)) as server, Viewers(server.getsockname()[1], 2) as viewers:
        first, second = server.accept()[0], server.accept()[0]
        with first, second:
            first.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            until(lambda: viewers.seen() == [0, 0])
            stamped = b"Content-Length: 1000\r\nX-Timestamp: %.6f\r\n\r\n" + bytes(1000) + b"\r\n--b\r\n"
            first.sendall(b"--b\r\n" + stamped % time.time() + stamped % (time.time() - 100))
            until(lambda: sum(viewers.seen()) == 2)
            young, old = viewers.ages_ms([0, 0])
            assert 0 < young < 50_000
            assert 100_000 < old < 150_000
            assert viewers.ages_ms(viewers.seen()) == []
        # both are closed now
        with pytest.raises(PermanentError, match="hung up on 2 of 2 viewers"):
            until(lambda: viewers.seen() is None)


def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not become true")
