"""`python -m benchmarks.streaming.plain_server DEVICE FORMAT`: an MJPEG server as examples for beginners have it.

A thread takes pictures from a V4L2 camera: of one that delivers JPEGs (MJPG) it gives them out as they are, as the
example of picamera2 does with those of a Pi's hardware; others (YUYV) it encodes itself. A thread for each client, all
waiting for one condition; who is woken writes the picture to its own socket. It prints its URL.
"""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from edge.encode import encode_jpeg

QUALITY = 80


class Output:
    """The newest picture, and who waits for it."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.picture = b""

    def put(self, picture: bytes) -> None:
        """Make it the newest."""
        with self.condition:
            self.picture = picture
            self.condition.notify_all()


def handler_for(output: Output) -> type[BaseHTTPRequestHandler]:
    """A handler class that streams what `output` gets."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Cache-Control", "no-cache")
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=FRAME")
            self.end_headers()
            try:
                while True:
                    with output.condition:
                        output.condition.wait()
                        picture = output.picture
                    self.wfile.write(b"--FRAME\r\n")
                    self.send_header("Content-Type", "image/jpeg")
                    self.send_header("Content-Length", str(len(picture)))
                    self.end_headers()
                    self.wfile.write(picture)
                    self.wfile.write(b"\r\n")
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def taken(device: str, code: str) -> Iterator[bytes]:
    """JPEGs of a camera, as they come, until it delivers no more."""
    camera = cv2.VideoCapture(device, cv2.CAP_V4L2)
    camera.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*code))
    camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if code == "MJPG":
        camera.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    while True:
        done, picture = camera.read()
        if not done:
            return
        yield picture.tobytes() if code == "MJPG" else encode_jpeg(picture, QUALITY)


def main(device: str, code: str) -> int:
    """Serve until ended; 1 if the camera delivers nothing any more."""
    output = Output()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_for(output)) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
        for picture in taken(device, code):
            output.put(picture)
        server.shutdown()
    print(f"{device} delivers no picture", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
