"""From the start of the program to the first picture with a named face, as a client sees it that waits for the port."""

import http
import socket
import subprocess
import time
from pathlib import Path
from typing import IO

import msgspec

from edge.bench.program import RUN, START_TIMEOUT_S, TIMEOUT_S, environment
from edge.bench.timing import median, rounded
from edge.errors import PermanentError
from edge.server.reels import RESULT_HEADER

POLL_S = 0.005
LEAST_STARTS = 2
# as HTTP/1.0 the answer comes without chunks
REQUEST = b"GET /stream.mjpg?results=1 HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"


class Startup(msgspec.Struct, frozen=True):
    """Several starts, one after the other; one more before them is not counted, as it warms the disk's cache.

    Attributes:
        seconds: from the start of the process until the first picture with a named face had arrived, each.
        cpu_s: processor time of the program until then, each.
        first_s: of the start that is not counted.
    """

    seconds: tuple[float, ...]
    cpu_s: tuple[float, ...]
    first_s: float

    def text(self) -> str:
        """A line for people."""
        return (
            f"{median(self.seconds):.2f} s ({min(self.seconds):.2f}–{max(self.seconds):.2f}, {len(self.seconds)} "
            f"starts) to the first picture with a named face, {median(self.cpu_s):.2f} s of processor time until then"
        )


class _Face(msgspec.Struct):
    label: str | None


class _Result(msgspec.Struct):
    """What of a picture's result counts here."""

    faces: tuple[_Face, ...]


def measure_startup(film: Path, starts: int, seconds: float) -> Startup:
    """Start the program again and again.

    Args:
        film: what it watches; a face is on its first frame.
        starts: how often at most.
        seconds: after which it is not started again, but for `LEAST_STARTS`.

    Raises:
        PermanentError: it does not start, or shows no face.
    """
    first_s, _ = _start(film)
    end_s = time.monotonic() + seconds
    found: list[tuple[float, float]] = []
    while len(found) < starts and (len(found) < LEAST_STARTS or time.monotonic() < end_s):
        found.append(_start(film))
    return Startup(rounded([each for each, _ in found], 4), rounded([cpu for _, cpu in found], 4), round(first_s, 4))


def _start(film: Path) -> tuple[float, float]:
    """Seconds until the picture, and of processor time."""
    port = free_port()
    command = [*RUN, "--port", str(port), "--source", f"file:{film}?loop=1"]
    start_s = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        try:
            with _connected(process, port, start_s + START_TIMEOUT_S) as connection:
                connection.sendall(REQUEST)
                with connection.makefile("rb") as stream:
                    wait_for_face(stream)
            seconds = time.monotonic() - start_s
            return seconds, time.clock_gettime(~process.pid << 3 | 2)
        finally:
            process.terminate()
            try:
                process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _connected(process: subprocess.Popen[str], port: int, end_s: float) -> socket.socket:
    while time.monotonic() < end_s:
        try:
            return socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        except ConnectionRefusedError:
            time.sleep(POLL_S)
        if process.poll() is not None:
            said = process.stderr.read().strip().splitlines() if process.stderr else []
            raise PermanentError(f"the program to be measured did not start: {said[-1] if said else 'it said nothing'}")
    raise PermanentError(f"the program to be measured did not listen within {START_TIMEOUT_S:g} s")


def wait_for_face(stream: IO[bytes]) -> None:
    """Read a stream of pictures until one has come that shows a named face.

    Raises:
        PermanentError: it ends before, or is no such stream.
    """
    status = stream.readline().split()
    if len(status) < 2 or int(status[1]) != http.HTTPStatus.OK:
        raise PermanentError(f"the program to be measured answered {b' '.join(status).decode()!r} in place of pictures")
    _header(stream)
    while True:
        stream.readline()  # the boundary
        fields = _header(stream)
        if "content-length" not in fields:
            raise PermanentError("the program to be measured ended its pictures before one showed a named face")
        stream.read(int(fields["content-length"]))
        stream.readline()
        told = fields.get(RESULT_HEADER.lower(), "")
        if told and any(face.label is not None for face in msgspec.json.decode(told, type=_Result).faces):
            return


def _header(stream: IO[bytes]) -> dict[str, str]:
    fields = {}
    while line := stream.readline().strip():
        key, _, value = line.decode("latin-1").partition(":")
        fields[key.strip().lower()] = value.strip()
    return fields
