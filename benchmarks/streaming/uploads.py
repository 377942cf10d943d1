"""`python -m benchmarks.streaming.uploads`: what uploads cost the live stream, in frame rate and age of pictures.

The age is from the frame's grab (its X-Timestamp) to when the viewer has all of its JPEG.
"""

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import msgspec
import numpy as np

from benchmarks.started import started
from edge.machine import describe
from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec

SETTLE_S = 3.0
BYTES = {"Content-Type": "application/octet-stream"}


class Figures(msgspec.Struct, frozen=True):
    """Of the live stream.

    Attributes:
        fps: pictures a second that the viewer got.
        p50_ms: age of the pictures when it had them.
        p95_ms: likewise.
        p99_ms: likewise.
        uploads: pictures answered, or frames of videos analysed, meanwhile.
    """

    fps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    uploads: int


@contextmanager
def program(cores: str | None) -> Iterator[str]:
    """A running program, on these cores only; its address."""
    pinned = ["taskset", "-c", cores] if cores else []
    with started([*pinned, sys.executable, "-m", "edge", "run", "--source", "demo", "--port", "0"]) as process:
        yield process.url()


def watched(url: str, seconds: float) -> tuple[float, list[float]]:
    """Pictures a second, and the age of each in ms, as a viewer sees them."""
    connection = connected(url)
    connection.request("GET", "/stream.mjpg")
    stream = connection.getresponse()
    ages, begin_s = [], time.monotonic() + SETTLE_S
    while (now_s := time.monotonic()) < begin_s + seconds:
        headers = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name] = value
        if "Content-Length" in headers:
            stream.read(int(headers["Content-Length"]))
            if now_s >= begin_s:
                ages.append((time.time() - float(headers["X-Timestamp"])) * 1e3)
            stream.readline()
    connection.close()
    return len(ages) / seconds, ages


def connected(url: str) -> http.client.HTTPConnection:
    """A connection to the program."""
    where = urlsplit(url)
    return http.client.HTTPConnection(where.hostname or "", where.port, timeout=120)


def film() -> bytes:
    """Twenty seconds of the demo at 640×480, as MJPEG."""
    source = DemoSource(DemoSpec(fps=30, realtime=False), time.monotonic_ns, time.sleep)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (640, 480))
        for _ in range(600):
            writer.write(np.array(source.read(1.0).pixels))
        writer.release()
        return path.read_bytes()


def send_pictures(url: str, picture: bytes, stop: threading.Event) -> int:
    """One picture after the other; how many were answered."""
    answered = 0
    while not stop.is_set():
        connection = connected(url)
        connection.request("POST", "/api/v1/analyze?picture=1", picture, BYTES)
        answered += connection.getresponse().status == 200
        connection.close()
    return answered


def send_videos(url: str, video: bytes, stop: threading.Event) -> int:
    """A film, and another when it is done; how many frames were analysed."""
    frames = 0
    while not stop.is_set():
        job = asked(url, "POST", "/api/v1/videos", video)
        while job["state"] in ("queued", "running") and not stop.wait(0.5):
            job = asked(url, "GET", f"/api/v1/videos/{job['id']}")
        frames += asked(url, "DELETE", f"/api/v1/videos/{job['id']}")["frames"]
    return frames


def asked(url: str, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
    """The program's answer."""
    connection = connected(url)
    connection.request(method, path, body, BYTES)
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def measured(cores: str | None, seconds: float, load: str, content: bytes) -> Figures:
    """The live stream's figures while `load` is going on: `none`, `pictures` or `videos`."""
    stop, done = threading.Event(), [0]
    with program(cores) as url:

        def send() -> None:
            with suppress(OSError, http.client.HTTPException):
                done[0] = (send_pictures if load == "pictures" else send_videos)(url, content, stop)

        sender = threading.Thread(target=send, daemon=True)
        if load != "none":
            sender.start()
        fps, ages = watched(url, seconds)
        stop.set()
        if load != "none":
            sender.join(90)
    cuts = statistics.quantiles(ages, n=100)
    return Figures(round(fps, 1), round(cuts[49], 1), round(cuts[94], 1), round(cuts[98], 1), done[0])


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=1, help="of all measurements")
    arguments = parser.parse_args()
    video = film()
    source = DemoSource(DemoSpec(fps=30, realtime=False), time.monotonic_ns, time.sleep)
    picture = bytes(cv2.imencode(".jpg", source.read(1.0).pixels)[1])
    machine = describe()
    print(f"{machine.cpu}, {machine.cores} cores, load {machine.load}; demo 640×480, 30 a second, one viewer\n")
    print("| cores | uploads | pictures/s | p50 ms | p95 ms | p99 ms | uploads done |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for cores in (None, "0"):
        for _ in range(arguments.rounds):
            for load, content in (("none", b""), ("pictures", picture), ("videos", video)):
                found = measured(cores, arguments.seconds, load, content)
                row = (found.fps, found.p50_ms, found.p95_ms, found.p99_ms, found.uploads)
                print(f"| {'all' if cores is None else 'one'} | {load} | {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
