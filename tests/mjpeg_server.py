"""A network camera made of the standard library: MJPEG over HTTP, and the ways in which such cameras fail."""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import cv2

from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec

Fault = (
    Literal["stalls", "drips", "drops", "dies after each picture", "sends garbage", "closes in mid-JPEG"]
    | Literal["repeats itself", "changes size", "redirects", "redirects for ever"]
    | int
)
"""What is wrong with `/faulty`. A number is the HTTP status that it answers with."""


def encoded(size: str) -> list[bytes]:
    """Thirty JPEGs of the demo."""
    demo = DemoSource(DemoSpec(size=size, realtime=False), time.monotonic_ns, time.sleep)
    return [cv2.imencode(".jpg", demo.read(1.0).bgr)[1].tobytes() for _ in range(30)]


class MjpegServer:
    """Paths: `/stream` goes on for ever, `/stall` falls silent, `/secret` wants user and password, `/faulty` does what
    `fault` says, others are 404.

    Attributes:
        url: without a path, on a port of the system's choice unless one is given.
        silence: set by tests: `/stall` sends nothing more.
        fault: set by tests: what is wrong with `/faulty` from now on, None for nothing.
        asked: how often `/faulty` was asked for.
        files: by path; set by tests.
    """

    def __init__(self, port: int = 0) -> None:
        self.pictures = encoded("320x240")
        self.larger = encoded("480x360")
        self.silence = threading.Event()
        self.over = threading.Event()
        self.fault: Fault | None = None
        self.asked = 0
        self.files: dict[str, bytes] = {}
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/secret" and self.headers.get("Authorization") != "Basic YW5uOnNlc2FtZQ==":  # ann:sesame
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                elif path in camera.files:
                    self.send_response(200)
                    self.send_header("Content-Type", "video/mp4")
                    self.send_header("Content-Length", str(len(camera.files[path])))
                    self.end_headers()
                    with contextlib.suppress(OSError):  # the client has seen enough
                        self.wfile.write(camera.files[path])
                elif path == "/faulty":
                    camera.asked += 1
                    with contextlib.suppress(OSError):
                        camera.send_faulty(self)
                elif path not in ("/stream", "/stall", "/secret"):
                    self.send_error(404)
                else:
                    camera.send(self, stalls=path == "/stall")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def send(self, request: BaseHTTPRequestHandler, stalls: bool) -> None:
        self._begin(request)
        index = 0
        try:
            while not self.over.is_set():
                if stalls and self.silence.is_set():
                    self.over.wait(0.05)
                    continue
                request.wfile.write(part(self.pictures[index % len(self.pictures)]))
                index += 1
                self.over.wait(0.03)
        except OSError:
            pass  # the client has gone

    def send_faulty(self, request: BaseHTTPRequestHandler) -> None:
        """As `/stream`, for as long as nothing is wrong."""
        if isinstance(self.fault, int):
            request.send_error(self.fault)
            return
        if self.fault in ("redirects", "redirects for ever"):
            request.send_response(302)
            request.send_header("Location", "/stream" if self.fault == "redirects" else "/faulty")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        if self.fault == "drops":
            return
        self._begin(request)
        index = 0
        while not self.over.wait(0.03):
            data = self._faulty_bytes(index)
            if data is None:
                return
            request.wfile.write(data)
            if self.fault in ("closes in mid-JPEG", "dies after each picture"):
                return
            index += 1

    def _faulty_bytes(self, index: int) -> bytes | None:
        """What `/faulty` sends instead of the picture of that index; None: it closes the connection."""
        picture = part(self.pictures[index % len(self.pictures)])
        sent: dict[Fault | None, bytes] = {
            None: picture,
            "changes size": part(self.larger[index % len(self.larger)]),
            "repeats itself": part(self.pictures[0]),
            # FFMPEG wants to see a few before it believes them
            "dies after each picture": b"".join(part(one) for one in self.pictures[:3]),
            "stalls": b"",
            "drips": b"-",
            "sends garbage": bytes((index * n) % 251 for n in range(1, 4000)),
            "closes in mid-JPEG": picture[: len(picture) // 2],
        }
        return sent.get(self.fault)  # a status, a redirection, a refusal are for who asks anew

    def _begin(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def part(picture: bytes) -> bytes:
    """One picture of the stream."""
    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture + b"\r\n"


@contextmanager
def mjpeg_server(port: int = 0) -> Iterator[MjpegServer]:
    """A running server."""
    server = MjpegServer(port)
    try:
        yield server
    finally:
        server.close()
