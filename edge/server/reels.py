"""One kind of picture as its clients get it: parts of a multipart stream, made once for all who watch."""

import json
import re
from collections.abc import Callable

import msgspec

from edge.audience import Showing
from edge.events import SceneEvent
from edge.server.newest import Newest
from edge.types import JpegPacket

BOUNDARY = "emotion-edge-frame"
OPENING = f"--{BOUNDARY}\r\n".encode()
PART = (
    b"Content-Type: image/jpeg\r\nContent-Length: %d\r\nX-Timestamp: %.6f\r\nX-Sequence: %d\r\n%b\r\n%b"
    b"\r\n--" + BOUNDARY.encode() + b"\r\n"
)
"""Length, seconds since 1970, number, further headers, and the JPEG."""
RESULT_HEADER = "X-Emotion-Edge-Result"

BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def part(packet: JpegPacket, timestamp_s: float, result: str | None = None) -> bytes:
    """One part of the stream, and the boundary after it: Chromium shows a picture only when it has seen that."""
    data = packet.data
    told = b"" if result is None else f"{RESULT_HEADER}: {result}\r\n".encode()
    return PART % (len(data), timestamp_s, packet.seq, told, data)


class Results:
    """Results as text for a header: JSON in one line of ASCII. All kinds of picture of a scene share one."""

    def __init__(self) -> None:
        self._of: SceneEvent | None = None
        self._text = ""

    def text(self, result: SceneEvent) -> str:
        """The text, made when it is first asked for."""
        if result is not self._of:
            text = msgspec.json.encode(result).decode()
            if not text.isascii():
                text = BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
            self._of, self._text = result, text
        return self._text


class Reel:
    """The newest picture of one kind, and the part made of it."""

    def __init__(self, showing: Showing, results: Results, timestamp_s: Callable[[int], float]) -> None:
        self.newest = Newest(showing.jpegs)
        self._results = results
        self._timestamp_s = timestamp_s
        self._plain: tuple[int, bytes] = (0, b"")
        self._telling: tuple[int, bytes] = (0, b"")

    def part(self, seq: int, packet: JpegPacket, *, result: bool) -> bytes:
        """The part of the picture with this number in its slot, with its result if that is wanted and known."""
        if result and packet.result is not None:
            if self._telling[0] != seq:
                text = self._results.text(packet.result)
                self._telling = (seq, part(packet, self._timestamp_s(packet.t_ns), text))
            return self._telling[1]
        if self._plain[0] != seq:
            self._plain = (seq, part(packet, self._timestamp_s(packet.t_ns)))
        return self._plain[1]
