"""`python -m benchmarks.plain_server FOLDER FPS`: an MJPEG server as examples for beginners have it.

A thread for each client, all waiting for one condition; who is woken writes the picture to its own socket. It gives out
the JPEGs of a folder, again and again, and prints its URL.
"""

import itertools
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Output:
    """The newest picture, and who waits for it."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.picture = b""
        self.made_s = 0.0

    def put(self, picture: bytes) -> None:
        """Make it the newest."""
        with self.condition:
            self.picture, self.made_s = picture, time.time()
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
                        picture, made_s = output.picture, output.made_s
                    self.wfile.write(b"--FRAME\r\n")
                    self.send_header("Content-Type", "image/jpeg")
                    self.send_header("Content-Length", str(len(picture)))
                    self.send_header("X-Timestamp", f"{made_s:.6f}")
                    self.end_headers()
                    self.wfile.write(picture)
                    self.wfile.write(b"\r\n")
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def main(folder: Path, fps: float) -> None:
    """Serve until ended."""
    output = Output()
    pictures = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_for(output)) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
        start_s = time.monotonic()
        for index, picture in enumerate(itertools.cycle(pictures)):
            time.sleep(max(0.0, start_s + index / fps - time.monotonic()))
            output.put(picture)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
