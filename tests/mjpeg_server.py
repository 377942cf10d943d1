"""A network camera made of the standard library: MJPEG over HTTP, and the ways in which such cameras fail."""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec


class MjpegServer:
    """Paths: `/stream` goes on for ever, `/stall` falls silent, `/secret` wants user and password, others are 404.

    Attributes:
        url: without a path, on a port of the system's choice.
        silence: set by tests: `/stall` sends nothing more.
        files: by path; set by tests.
    """

    def __init__(self) -> None:
        demo = DemoSource(DemoSpec(size="320x240", realtime=False), time.monotonic_ns, time.sleep)
        self.pictures = [cv2.imencode(".jpg", demo.read(1.0).bgr)[1].tobytes() for _ in range(30)]
        self.silence = threading.Event()
        self.over = threading.Event()
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
                elif path not in ("/stream", "/stall", "/secret"):
                    self.send_error(404)
                else:
                    camera.send(self, stalls=path == "/stall")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def send(self, request: BaseHTTPRequestHandler, stalls: bool) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        index = 0
        try:
            while not self.over.is_set():
                if stalls and self.silence.is_set():
                    self.over.wait(0.05)
                    continue
                picture = self.pictures[index % len(self.pictures)]
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                request.wfile.write(head.encode() + picture + b"\r\n")
                index += 1
                self.over.wait(0.03)
        except OSError:
            pass  # the client has gone

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def mjpeg_server() -> Iterator[MjpegServer]:
    """A running server."""
    server = MjpegServer()
    try:
        yield server
    finally:
        server.close()
