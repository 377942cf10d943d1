"""What a JPEG from outside says of itself: what is unusual or too large never meets the decoder."""

from dataclasses import dataclass
from typing import Final

from edge.errors import EdgeError

BASELINE: Final = 0xC0
PROGRESSIVE: Final = 0xC2
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that carry the size, one for each process of coding (ITU-T T.81, table B.1)."""
_ALONE: Final = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers that no length follows."""
_LAST: Final = frozenset((0xD9, 0xDA))
"""The end, and the begin of coded data: what carries the size stands before."""
MOST_MARKERS: Final = 10_000
"""Before the one that carries the size, filling bytes among them: to walk along millions would take a second."""
MOST_SCANS: Final = 100
"""Encoders write about ten. Thousands of almost empty ones, each of which the decoder goes through the whole picture
for, would keep it busy for minutes."""
LEAST_PX: Final = 16
MOST_FACTOR: Final = 4
"""Of a component's sampling, likewise in T.81."""


class BadPicture(EdgeError):
    """A picture from outside that is not taken.

    Attributes:
        code: why, for programs.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Header:
    """What is known before decoding.

    Attributes:
        width: in px.
        height: in px.
    """

    width: int
    height: int


def jpeg_header(data: bytes) -> Header:
    """The header of a picture that a camera or a browser could have made.

    Args:
        data: the whole file.

    Raises:
        BadPicture: it is no JPEG, a broken one, or of a kind that neither of them makes.
    """
    if not data.startswith(b"\xff\xd8\xff"):
        begins = f"begins with the bytes {data[:4].hex(' ')}" if data else "is empty"
        raise BadPicture("not_a_jpeg", f"this is no JPEG: it {begins}; send one JPEG in each binary message")
    found = frame_header(data)
    if found is None:
        raise BadPicture("broken_jpeg", "this JPEG has no header that tells its size; is it complete?")
    marker, segment = found
    if len(segment) < 8 or len(segment) != 8 + 3 * segment[7]:
        raise BadPicture("broken_jpeg", "the header of this JPEG is broken; is it complete?")
    if marker not in (BASELINE, PROGRESSIVE):
        raise BadPicture(
            "unusual_jpeg", f"this JPEG is of kind {marker:02x}; expected baseline (c0) or progressive (c2)"
        )
    height, width = int.from_bytes(segment[3:5], "big"), int.from_bytes(segment[5:7], "big")
    factors = [half for byte in segment[9::3] for half in (byte >> 4, byte & 15)]
    if segment[2] != 8 or segment[7] not in (1, 3) or not all(1 <= factor <= MOST_FACTOR for factor in factors):
        kind = f"{segment[2]} bits and {segment[7]} components"
        raise BadPicture("unusual_jpeg", f"this JPEG has {kind}; expected 8 bits, grey or three colours")
    # within coded data 0xff is stuffed: only a thumbnail or a colour profile can have a few of these of its own
    scans = data.count(b"\xff\xda")
    if scans > MOST_SCANS:
        raise BadPicture("unusual_jpeg", f"this JPEG has {scans} scans; expected {MOST_SCANS} at most")
    if min(width, height) < LEAST_PX:
        raise BadPicture("too_small", f"this picture has {width}×{height} px; expected {LEAST_PX} px or more each way")
    return Header(width, height)


def frame_header(data: bytes) -> tuple[int, bytes] | None:
    """The marker of the segment that carries the size, and its content from its length on (T.81, B.2.2).

    Args:
        data: what precedes the pixels of a JPEG, or more.

    Returns:
        None if there is none. If the data break off within the segment, it is shorter than its length says.
    """
    at = 2
    for _ in range(MOST_MARKERS):
        head = data[at : at + 4]
        if len(head) < 4 or head[0] != 0xFF or head[1] in _LAST:
            return None
        marker, length = head[1], int.from_bytes(head[2:], "big")
        if marker in _FRAMES:
            return marker, data[at + 2 : at + 2 + length]
        if marker == 0xFF:  # filling
            at += 1
        else:
            at += 2 if marker in _ALONE else 2 + max(2, length)
    return None
