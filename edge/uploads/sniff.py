"""What kind of file it is, by its first bytes: neither its name nor what a client says of it counts."""

from typing import Final

HEAD_BYTES: Final = 1024
"""So many of a file's first bytes tell."""

PICTURES: Final = "JPEG, PNG, WebP, BMP, GIF, TIFF or PNM"
VIDEOS: Final = "MP4, MOV, WebM, Matroska, AVI, MPEG or Ogg"

TRANSPORT_PACKET_BYTES: Final = 188
"""Of an MPEG transport stream (ISO/IEC 13818-1); each begins with the byte 0x47."""

_PICTURE_STARTS: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    *((b"P%d" % digit + space, "PNM") for digit in range(1, 7) for space in (b"\n", b" ", b"\r", b"\t", b"#")),
)
_VIDEO_STARTS: Final = (
    (b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (b"\x00\x00\x01\xba", "MPEG"),
    (b"\x00\x00\x01\xb3", "MPEG"),
    (b"OggS", "Ogg"),
)
_MP4_BOXES: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_STILL_BRANDS: Final = (b"avif", b"avis", b"heic", b"heix", b"heif", b"mif1", b"msf1")
"""In the same container as MP4, but pictures."""


def picture_kind(head: bytes) -> str | None:
    """The kind of a picture; None if it is none we take.

    Args:
        head: its first `HEAD_BYTES`, or all of it.
    """
    if head[:4] == b"RIFF":
        return "WebP" if head[8:12] == b"WEBP" else None
    return next((kind for start, kind in _PICTURE_STARTS if head.startswith(start)), None)


def video_kind(head: bytes) -> str | None:
    """The kind of a video; None if it is none we take. Playlists, which name other files, are none.

    Args:
        head: its first `HEAD_BYTES`, or all of it.
    """
    if head[:4] == b"RIFF":
        return "AVI" if head[8:12] == b"AVI " else None
    if head[4:8] in _MP4_BOXES:
        return None if head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS else "MP4"
    if len(head) > 2 * TRANSPORT_PACKET_BYTES and set(head[::TRANSPORT_PACKET_BYTES][:3]) == {0x47}:
        return "MPEG"
    return next((kind for start, kind in _VIDEO_STARTS if head.startswith(start)), None)


def what_else(head: bytes) -> str:
    """What a file seems to be that is refused, in a few words."""
    if not head:
        return "is empty"
    if picture_kind(head):
        return f"is a {picture_kind(head)} picture"
    if video_kind(head):
        return f"is a video ({video_kind(head)})"
    if head[4:8] == b"ftyp":
        return "is an AVIF or HEIC picture"
    return f"begins with the bytes {head[:8].hex(' ')}"
