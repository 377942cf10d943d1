"""Cuts a stream of bytes into JPEGs by their markers (ITU-T T.81, annex B)."""

import re
from typing import Final

MOST_BYTES: Final = 16 << 20
"""No picture may be larger: what never ends must not fill the memory."""
_START: Final = b"\xff\xd8\xff"
_EOI: Final = 0xD9
_SOS: Final = 0xDA
_SEGMENTS: Final = frozenset((*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE))
"""Markers that a length and so many bytes follow."""
_MARKER: Final = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
"""In coded data: stuffed bytes and restart markers belong to the data."""


class JpegSplitter:
    """Takes bytes as they come, gives whole pictures.

    Searching for the two bytes that end a picture is not enough: a thumbnail inside it has them too. So the segments
    are walked, and what does not fit is dropped up to the next picture's start. What lies between pictures, such as a
    multipart header, is skipped.

    Attributes:
        broken: pictures that had begun and were dropped.
    """

    def __init__(self) -> None:
        self.broken = 0
        self._held = bytearray()
        # how far the picture at the beginning of `_held` has been walked, and whether coded data follow
        self._at = 0
        self._in_scan = False

    def feed(self, data: bytes) -> list[bytes]:
        """The pictures that `data` completes, in turn."""
        self._held += data
        pictures = []
        while self._begins():
            end = self._end()
            if end is None:
                if len(self._held) <= MOST_BYTES:
                    break
                self._drop()
            elif end < 0:
                self._drop()
            else:
                pictures.append(bytes(self._held[:end]))
                del self._held[:end]
                self._at, self._in_scan = 0, False
        return pictures

    def _begins(self) -> bool:
        """Whether `_held` begins with a picture, once all before it is thrown away."""
        if self._at:
            return True
        start = self._held.find(_START)
        if start < 0:
            # its first bytes may be there already
            del self._held[: max(0, len(self._held) - len(_START) + 1)]
            return False
        del self._held[:start]
        self._at = 2
        return True

    def _drop(self) -> None:
        """Look for the next picture behind the start of this one."""
        self.broken += 1
        del self._held[:2]
        self._at, self._in_scan = 0, False

    def _end(self) -> int | None:
        """Index after the picture's last byte; None: not there yet, -1: it is broken."""
        held = self._held
        while True:
            if self._in_scan:
                found = _MARKER.search(held, self._at)
                # a marker may be cut in two by the end of what is there
                self._at = found.end() - 2 if found else max(self._at, len(held) - 1)
                self._in_scan = found is None
            # a marker, and the length of its segment
            head = held[self._at : self._at + 4]
            if self._in_scan or len(head) < 2:
                return None
            if head[0] != 0xFF:
                return -1
            if head[1] == _EOI:
                return self._at + 2
            if not self._past_segment(head):
                return None if len(head) < 4 and head[1] in _SEGMENTS else -1

    def _past_segment(self, head: bytearray) -> bool:
        """Go on behind the segment that begins with `head`; whether there is one."""
        if head[1] == 0xFF:  # filling
            self._at += 1
            return True
        length = int.from_bytes(head[2:], "big")
        if head[1] not in _SEGMENTS or len(head) < 4 or length < 2:
            return False
        self._at += 2 + length
        self._in_scan = head[1] == _SOS
        return True
