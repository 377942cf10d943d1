"""How large a picture will be, from its first bytes: to refuse one that would fill the memory before it is decoded."""

import struct
from collections.abc import Callable
from typing import NamedTuple

from edge.jpeg_header import frame_header


class PictureSize(NamedTuple):
    """What a picture's header says.

    Attributes:
        width: in px, before it is turned as its EXIF data say.
        height: in px, likewise.
        kind: "JPEG", "PNG", …
    """

    width: int
    height: int
    kind: str


def picture_size(data: bytes) -> PictureSize | None:
    """Size and kind of a JPEG, PNG, WebP, BMP, GIF, TIFF or PNM picture.

    Args:
        data: the file; of a JPEG at least what precedes its pixels, of a TIFF all of it, of the others 64 bytes.

    Returns:
        None if it is none of these, or its header is broken.
    """
    for starts, kind, size_of in _KINDS:
        if data.startswith(starts):
            try:
                found = size_of(data)
            except (struct.error, IndexError, ValueError):
                return None
            return None if found is None or min(found) <= 0 else PictureSize(*found, kind)
    return None


def picture_kind(data: bytes) -> str | None:
    """What kind a picture's first bytes say it is, whether or not the rest holds it; RIFF is not only WebP's."""
    return next((kind for starts, kind, _ in _KINDS if kind != "WebP" and data.startswith(starts)), None)


_Size = tuple[int, int] | None


def _png(data: bytes) -> _Size:
    width, height = struct.unpack_from(">II", data, 16)
    return (width, height) if data[12:16] == b"IHDR" else None


def _gif(data: bytes) -> _Size:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _bmp(data: bytes) -> _Size:
    (header,) = struct.unpack_from("<I", data, 14)
    if header == 12:  # OS/2
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)  # a negative height: the top row comes first


def _webp(data: bytes) -> _Size:
    if data[8:12] != b"WEBP":
        return None
    match data[12:16]:
        case b"VP8X":
            return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg(data: bytes) -> _Size:
    found = frame_header(data)
    if found is None:
        return None
    height, width = struct.unpack_from(">HH", found[1], 3)
    return width, height


def _tiff(data: bytes) -> _Size:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    sizes = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(f"{order}HH", data, entry)
        if tag in (256, 257):
            (sizes[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)
    return (sizes[256], sizes[257]) if len(sizes) == 2 else None


def _pnm(data: bytes) -> _Size:
    lines = [line.split(b"#")[0] for line in data[2:512].split(b"\n")]
    width, height = b" ".join(lines).split()[:2]
    return int(width), int(height)


_KINDS: tuple[tuple[bytes | tuple[bytes, ...], str, Callable[[bytes], _Size]], ...] = (
    (b"\xff\xd8\xff", "JPEG", _jpeg),
    (b"\x89PNG\r\n\x1a\n", "PNG", _png),
    (b"RIFF", "WebP", _webp),
    (b"BM", "BMP", _bmp),
    ((b"GIF87a", b"GIF89a"), "GIF", _gif),
    ((b"II*\0", b"MM\0*"), "TIFF", _tiff),
    ((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"), "PNM", _pnm),
)
