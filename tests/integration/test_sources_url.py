import logging
import socket
import socketserver
import threading
import time
from pathlib import Path

import pytest

from edge.errors import SourceEnded, TemporaryError
from edge.sources import open_source
from edge.sources.specs import UrlSpec
from edge.sources.url import open_url
from tests.films import film, index_of
from tests.mjpeg_server import MjpegServer


def spec(camera: MjpegServer, path: str, user: str = "") -> UrlSpec:
    return UrlSpec(url=camera.url.replace("//", f"//{user}") + path)


def test_a_network_camera_is_watched(camera: MjpegServer) -> None:
    source = open_url(spec(camera, "/stream"), time.monotonic_ns)
    assert source.name == f"{camera.url}/stream 320×240"
    frames = [source.read(5.0) for _ in range(10)]
    assert frames[-1].bgr.shape == (240, 320, 3)
    source.close()


def test_a_reader_that_pauses_gets_the_newest_frame(camera: MjpegServer) -> None:
    source = open_url(spec(camera, "/stream"), time.monotonic_ns)
    first = source.read(5.0)
    threading.Event().wait(0.5)
    later = source.read(5.0)
    assert later.seq > first.seq + 3
    assert time.monotonic_ns() - later.t_ns < 400_000_000
    source.close()


def test_a_password_opens_the_door_and_is_never_shown(
    camera: MjpegServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        source = open_url(spec(camera, "/secret", "ann:sesame@"), time.monotonic_ns)
        source.read(5.0)
        source.close()
        with pytest.raises(TemporaryError, match=r"answers 401; user or password is wrong") as error:
            open_url(spec(camera, "/secret?key=hidden", "ann:sesamo@"), time.monotonic_ns)
    for text in (source.name, str(error.value), caplog.text, *capfd.readouterr()):
        assert "sesam" not in text
        assert "hidden" not in text


def test_a_wrong_path_is_told(camera: MjpegServer) -> None:
    with pytest.raises(TemporaryError, match="answers 404; check the path"):
        open_url(spec(camera, "/nothing"), time.monotonic_ns)


def test_a_closed_port_is_told() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = held.getsockname()[1]
        with pytest.raises(TemporaryError, match=f"refuses port {port}"):
            open_url(UrlSpec(url=f"http://127.0.0.1:{port}/"), time.monotonic_ns)


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(TemporaryError, match=r"no computer is known as camera\.invalid"):
        open_url(UrlSpec(url="rtsp://camera.invalid/live"), time.monotonic_ns)


def test_a_computer_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"rtsp://127.0.0.1:{mute.getsockname()[1]}/live"
        with pytest.raises(TemporaryError, match="not with a video"):
            open_url(UrlSpec(url=url), time.monotonic_ns, open_timeout_s=0.5)


def test_a_stream_that_falls_silent_is_given_up(camera: MjpegServer) -> None:
    source = open_url(spec(camera, "/stall"), time.monotonic_ns, read_timeout_s=0.5)
    source.read(5.0)
    camera.silence.set()

    def drain() -> None:
        for _ in range(1000):
            source.read(5.0)

    try:
        with pytest.raises(TemporaryError, match="fallen silent"):
            drain()
    finally:
        camera.silence.clear()
        source.close()


def test_closing_does_not_wait_for_a_silent_stream(camera: MjpegServer) -> None:
    source = open_url(spec(camera, "/stall"), time.monotonic_ns, read_timeout_s=30.0)
    source.read(5.0)
    camera.silence.set()
    try:
        start_s = time.monotonic()
        source.close()
        assert time.monotonic() - start_s < 10.0, "the read alone would take 30 s"
    finally:
        camera.silence.clear()


def test_a_recording_runs_at_its_own_speed_to_its_end(camera: MjpegServer, tmp_path: Path) -> None:
    camera.files["/film.mp4"] = film(tmp_path / "film.mp4", 20).read_bytes()
    source = open_url(spec(camera, "/film.mp4"), time.monotonic_ns)
    frames = []

    def drain() -> None:
        while True:
            frames.append(source.read(5.0))

    for _ in range(2):
        with pytest.raises(SourceEnded, match=r"film\.mp4 is at its end"):
            drain()
    source.close()
    shown = [index_of(frame.bgr) for frame in frames]
    assert shown == sorted(set(shown))
    assert shown[-1] >= 18
    # twenty pictures at 25 a second; all at once, if nobody kept the pace
    assert frames[-1].t_ns - frames[0].t_ns > 0.6e9


def test_a_recording_that_cannot_be_played_from_such_a_server_says_what_to_do(
    camera: MjpegServer, tmp_path: Path
) -> None:
    # its index is at its end, beyond what FFMPEG keeps, and this server cannot go back
    camera.files["/long.mp4"] = film(tmp_path / "long.mp4", 75).read_bytes()
    with pytest.raises(TemporaryError, match=r"not one picture comes.*\(Range\).*faststart.*file:PATH"):
        open_url(spec(camera, "/long.mp4"), time.monotonic_ns)


def test_a_recording_that_breaks_off_is_not_at_its_end(camera: MjpegServer, tmp_path: Path) -> None:
    camera.files["/half.avi"] = film(tmp_path / "half.avi", 40).read_bytes()
    whole = camera.files["/half.avi"]
    camera.files["/half.avi"] = whole[: len(whole) // 2]
    source = open_url(spec(camera, "/half.avi"), time.monotonic_ns)

    def drain() -> None:
        while True:
            source.read(5.0)

    with pytest.raises(TemporaryError, match=r"broke off at frame \d+ of 40.*download it"):
        drain()
    source.close()


@pytest.mark.parametrize(("status", "said"), [("401 Unauthorized", "user or password"), ("404 Not Found", "the path")])
def test_an_rtsp_camera_that_refuses_says_why(status: str, said: str) -> None:
    class Refusing(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(f"RTSP/1.0 {status}\r\nCSeq: 1\r\n\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"rtsp://user:wrong@127.0.0.1:{server.server_address[1]}/stream"
        with pytest.raises(TemporaryError, match=rf"answers {status[:3]}; .*{said}") as caught:
            open_source(url).close()
        server.shutdown()
    assert "wrong@" not in str(caught.value)
