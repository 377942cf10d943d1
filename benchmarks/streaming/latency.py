"""`python -m benchmarks.streaming.latency`: how old a picture is when a client has it, for each kind of source.

A camera made of code draws the moment into each picture and hands it to the program as the source wants it; a client
of the program's stream reads it off the annotated picture. All on one machine and one clock. Sources that cannot carry
a moment (films, the demo) are measured from the program's own time of the grab.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which

import cv2
import msgspec
import numpy as np

from benchmarks.outcome import outcome
from benchmarks.started import NOTHING, TIMEOUT_S, started
from benchmarks.streaming import timecode
from benchmarks.streaming.fake_camera import FORMATS, fake_camera
from benchmarks.streaming.scenes import FPS, pictures
from edge.bench.clip import load_clip
from edge.encode import encode_jpeg
from edge.errors import PermanentError
from edge.machine import Machine, describe
from training.reporting.document import Document, Section, Table, Text, write

QUALITY = 90
SETTLE_S = 2.0
BOUNDARY = b"--code"


class Latency(msgspec.Struct, frozen=True):
    """Of one kind of source.

    Attributes:
        source: which.
        since: "taken", when the camera drew the moment, or "grabbed", when the program had the picture.
        pictures: that reached the client.
        p50_ms: until the client had the whole picture, not yet decoded.
        p95_ms: likewise.
        p99_ms: likewise.
        most_ms: likewise.
    """

    source: str
    since: str
    pictures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    most_ms: float


class Survey(msgspec.Struct, frozen=True):
    """All sources.

    Attributes:
        machine: where.
        seconds: of each.
        latencies: source by source.
        left_out: what could not be measured here, and why.
    """

    machine: Machine
    seconds: float
    latencies: tuple[Latency, ...]
    left_out: tuple[str, ...]


Camera = Callable[[Path], AbstractContextManager[str]]
"""Runs while it is open, and gives the URI of the source. The folder is its own."""


def survey(seconds: float, say: Callable[[str], None]) -> Survey:
    """Measure all kinds of sources that can be made here."""
    machine = describe()
    latencies: list[Latency] = []
    left_out = ["picamera2: its pictures carry no moment of ours"]
    coded: dict[str, Camera] = {"fifo: (JPEGs)": _pipe, "http:// (MJPEG)": _web_camera}
    if which("ffmpeg"):
        coded["http:// (MPEG transport stream)"] = _transport_stream
    else:
        left_out.append("MPEG: ffmpeg is not installed")
    for name, camera in coded.items():
        with tempfile.TemporaryDirectory(prefix="emotion-edge-") as folder, ExitStack() as stack:
            uri = stack.enter_context(camera(Path(folder)))
            latencies.append(_measured(name, uri, "taken", seconds))
            say(f"{name}: done")
    for code in FORMATS:
        name = f"v4l2: ({code})"
        try:
            with fake_camera(code, faces=1) as fake:
                latencies.append(_measured(name, f"v4l2:{fake.device}", "taken", seconds, fake.environment))
        except PermanentError as error:
            left_out.append(f"{name} {error}")
        else:
            say(f"{name} done")
    with tempfile.TemporaryDirectory(prefix="emotion-edge-") as folder:
        film = Path(folder) / "film.avi"
        load_clip(None, 3 * FPS).write(film)
        for name, uri in (("file: (Motion JPEG)", f"file:{film}?loop=1"), ("demo:", "demo:?faces=1")):
            latencies.append(_measured(name, uri, "grabbed", seconds))
            say(f"{name}: done")
    return Survey(machine, seconds, tuple(latencies), tuple(left_out))


def _measured(name: str, uri: str, since: str, seconds: float, environment: Mapping[str, str] = NOTHING) -> Latency:
    command = [sys.executable, "-m", "edge", "run", "--port", "0", "--source", uri]
    with started(command, environment) as process:
        ages_ms = _ages_ms(process.url(), since, seconds)
    if not ages_ms:
        raise PermanentError(f"no picture of {name} that tells its time reached the client within {seconds:g} s")
    p50, p95, p99 = (round(float(value), 2) for value in np.percentile(ages_ms, (50, 95, 99)))
    return Latency(name, since, len(ages_ms), p50, p95, p99, round(max(ages_ms), 2))


def _ages_ms(url: str, since: str, seconds: float) -> list[float]:
    """Of each picture of the stream, when its last byte was there."""
    arrived: list[tuple[int, float, float | None, bytes]] = []
    with urllib.request.urlopen(f"{url}stream.mjpg", timeout=TIMEOUT_S) as stream:
        start_s = time.monotonic()
        while time.monotonic() - start_s < SETTLE_S + seconds:
            length, grabbed_s = 0, None
            while (line := stream.readline().strip()) or not length:
                key, _, value = line.partition(b":")
                if key.lower() == b"content-length":
                    length = int(value)
                elif key.lower() == b"x-timestamp":
                    grabbed_s = float(value)
            jpeg = stream.read(length)
            if time.monotonic() - start_s >= SETTLE_S:
                arrived.append((timecode.now_ns(), time.time(), grabbed_s, jpeg))
    if since == "grabbed":
        return [(wall_s - grabbed_s) * 1e3 for _, wall_s, grabbed_s, _ in arrived if grabbed_s is not None]
    ages = []
    for now_ns, _, _, jpeg in arrived:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        taken_ns = None if picture is None else timecode.read(picture, now_ns)
        if taken_ns is not None:
            ages.append((now_ns - taken_ns) / 1e6)
    return ages


@contextmanager
def _pipe(folder: Path) -> Iterator[str]:
    path, stop = folder / "camera", threading.Event()
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as pipe:
            for picture in pictures(stop):
                pipe.write(encode_jpeg(picture, QUALITY))

    with _running(write, stop):
        yield f"fifo:{path}"


@contextmanager
def _web_camera(_: Path) -> Iterator[str]:
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY.decode()[2:]}")
            self.end_headers()
            for picture in pictures(stop):
                jpeg = encode_jpeg(picture, QUALITY)
                head = b"\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
                try:
                    self.wfile.write(BOUNDARY + head + jpeg + b"\r\n")
                except OSError:  # it looks first and comes back
                    return

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        stop.set()
        server.shutdown()


@contextmanager
def _transport_stream(_: Path) -> Iterator[str]:
    """MPEG-2 without B frames, as fast as ffmpeg encodes it; what it holds back is part of the age."""
    stop = threading.Event()
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
    raw = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{timecode.WIDTH_PX}x{timecode.HEIGHT_PX}", "-r", str(FPS)]
    sent = ["-c:v", "mpeg2video", "-b:v", "6M", "-bf", "0", "-g", "5", "-f", "mpegts", "-listen", "1"]
    quiet = ["-hide_banner", "-loglevel", "error", "-fflags", "nobuffer", "-probesize", "32"]
    command = ["ffmpeg", *quiet, *raw, "-i", "-", *sent, "-flush_packets", "1", url]

    def feed() -> None:
        while not stop.is_set():  # a client that only looks takes ffmpeg's one connection with it
            with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as ffmpeg:
                try:
                    for picture in pictures(stop):
                        if ffmpeg.stdin is None or ffmpeg.poll() is not None:
                            break
                        ffmpeg.stdin.write(picture.tobytes())
                except OSError:
                    pass
                finally:
                    ffmpeg.kill()

    with _running(feed, stop):
        yield url


@contextmanager
def _running(body: Callable[[], None], stop: threading.Event) -> Iterator[None]:
    def quiet() -> None:
        with suppress(OSError):  # whoever read has gone
            body()

    thread = threading.Thread(target=quiet, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(TIMEOUT_S)


def document(found: Survey) -> Document:
    """The table, and under which conditions it holds."""
    machine = found.machine
    conditions = (
        f"640×480 at {FPS} pictures a second, {found.seconds:g} s each, camera, program and client on one machine: "
        f"{machine.board or machine.cpu or machine.arch} with {machine.cores} cores, load {machine.load} before. In ms "
        "from when the camera took the picture (“taken”: its making, JPEG or MPEG and the way included) or from when "
        "the program had it (“grabbed”), until a client of the stream had the annotated one. Left out: "
        f"{'; '.join(found.left_out)}."
    )
    header = ("source", "since", "pictures", "p50", "p95", "p99", "longest")
    rows = tuple(
        (
            each.source,
            each.since,
            f"{each.pictures}",
            *(f"{ms:.1f}" for ms in (each.p50_ms, each.p95_ms, each.p99_ms, each.most_ms)),
        )
        for each in found.latencies
    )
    section = Section("", (Text(conditions), Table(header, rows)))
    return Document("latency", "From the camera to the client", (section,), found)


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 78 what was asked for cannot be done as asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streaming.latency",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each source; default: 20")
    parser.add_argument("--out", type=Path, default=Path("runs/latency"), help="default: runs/latency")
    given = parser.parse_args(argv)
    return outcome(lambda: print(f"page in {write(document(survey(given.seconds, print)), given.out)}"))


if __name__ == "__main__":
    sys.exit(main())
