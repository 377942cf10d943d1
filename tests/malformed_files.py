"""Pictures and videos that are broken, or made to do harm: the same for the same seed."""

import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge.native_log import native_stderr
from tests.films import film, scenes
from tests.uploading import encoded, people

HTML = b"<!doctype html><script>fetch('/api/v1/config')</script>"
SVG = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><image href='file:///etc/passwd'/></svg>"
ELF = b"\x7fELF\x02\x01\x01" + bytes(200)
ARCHIVE = b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(100)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG that says it has this size, with these compressed pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def progressive(scans: int) -> bytes:
    """A progressive JPEG of 2 megapixels whose scans are repeated: little to send, much to decode."""
    pixels = cv2.resize(people(), (1600, 1200))
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_QUALITY, 5])
    jpeg = bytes(data)
    first = jpeg.index(b"\xff\xda")
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:last] + jpeg[last:-2] * scans + jpeg[first:]


def animation(suffix: str) -> bytes:
    """A moving picture: GIF or WebP; a still one where this OpenCV writes no moving ones."""
    small = people("160x120")
    if not hasattr(cv2, "Animation"):
        return encoded(small, suffix)
    moving = cv2.Animation()
    moving.frames = [np.roll(small, 5 * step, axis=1) for step in range(4)]
    moving.durations = [40] * 4
    ok, data = cv2.imencodeanimation(suffix, moving)
    return bytes(data) if ok else encoded(small, suffix)


def fixed() -> Iterator[tuple[str, bytes]]:
    """Files that are wrong in a known way, each with its name."""
    jpeg = encoded(people("160x120"))
    yield "empty", b""
    yield "one byte", b"\xff"
    yield "html", HTML
    yield "svg", SVG
    yield "elf", ELF
    yield "zip", ARCHIVE
    yield "jpeg before html", jpeg + HTML
    yield "jpeg before zip", jpeg + ARCHIVE
    yield "gif before html", b"GIF89a/*" + HTML
    yield "bmp before elf", b"BM" + ELF
    yield "png bomb by header", png(60_000, 60_000, zlib.compress(bytes(1000)))
    yield "png bomb by data", png(1000, 1000, zlib.compress(bytes(40_000_000), 9))
    yield "png of 16 bits", png(2000, 1900, zlib.compress(bytes(2000 * 1900 * 8), 1), 16, 6)
    yield "png without size", png(0, 0, b"")
    yield (
        "png with texts",
        png(8, 8, zlib.compress(bytes(8 * 25))) + chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(10**7))),
    )
    yield "gif of the largest size", b"GIF89a\xff\xff\xff\xff\xf7\0\0" + bytes(800)
    yield (
        "bmp of negative size",
        b"BM" + struct.pack("<IIIIiiHHIIiiII", 60, 0, 54, 40, -50000, -50000, 1, 24, 0, 0, 0, 0, 0, 0),
    )
    yield (
        "bmp with an overflow",
        b"BM" + struct.pack("<IIIIiiHHIIiiII", 60, 0, 54, 40, 2**31 - 1, 2, 1, 24, 0, 0, 0, 0, 0, 0),
    )
    yield "webp without end", b"RIFF\xff\xff\xff\xffWEBPVP8X" + bytes(200)
    yield "tiff in a circle", b"II*\0\x08\0\0\0" + b"\x01\0" + struct.pack("<HHII", 256, 4, 1, 9) + struct.pack("<I", 8)
    yield "pnm without pixels", b"P6 2000 1900 255\n"
    yield "pnm with huge numbers", b"P6 99999999999999999999 1 255\n" + bytes(100)
    yield "jpeg with many scans", progressive(400)
    yield (
        "jpeg of the largest size",
        jpeg[:2] + b"\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\1\x11\0\2\x11\1\3\x11\1" + jpeg[2:],
    )
    yield "moving gif", animation(".gif")
    yield "moving webp", animation(".webp")


def pictures(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """`count` sound pictures of all kinds, each broken at random."""
    chance = random.Random(seed)
    small = people("160x120")
    _, scanned = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    sound = {kind: encoded(small, kind) for kind in (".jpg", ".png", ".webp", ".bmp", ".gif", ".tiff", ".ppm")}
    sound["scanned.jpg"] = bytes(scanned)
    sound["moving.webp"], sound["moving.gif"] = animation(".webp"), animation(".gif")
    for number in range(count):
        kind = chance.choice(sorted(sound))
        yield f"{kind} {number}", broken(sound[kind], chance)


def videos(seed: int, count: int, folder: Path) -> Iterator[tuple[str, bytes]]:
    """`count` sound videos, each broken at random."""
    chance = random.Random(seed)
    sound = {name: film(folder / name, 12).read_bytes() for name in ("film.mp4", "film.avi")}
    with native_stderr():  # OpenCV prints that WebM has no such tag, and writes it rightly
        writer = cv2.VideoWriter(str(folder / "film.webm"), cv2.VideoWriter.fourcc(*"VP80"), 25, (160, 120))
    for picture in scenes(12):
        writer.write(picture)
    writer.release()
    sound["film.webm"] = (folder / "film.webm").read_bytes()
    for number in range(count):
        kind = sorted(sound)[number % 3]
        yield f"{kind} {number}", broken(sound[kind], chance)


def broken(data: bytes, chance: random.Random) -> bytes:
    """The file with one kind of damage."""
    match chance.randrange(6):
        case 0:
            return data[: chance.randrange(len(data))]
        case 1:
            return flipped(data, chance, chance.randrange(1, 30), len(data))
        case 2:  # in its header, where the sizes stand
            return flipped(data, chance, chance.randrange(1, 6), min(len(data), 128))
        case 3:
            start, end = sorted(chance.sample(range(len(data)), 2))
            return data[:start] + chance.randbytes(chance.randrange(1, 50)) + data[end:]
        case 4:
            place = chance.randrange(len(data))
            return data[:place] + data[place // 2 :]
        case _:
            place = chance.randrange(4, len(data) - 4)
            return data[:place] + chance.choice([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"]) + data[place + 4 :]


def flipped(data: bytes, chance: random.Random, count: int, within: int) -> bytes:
    """The file with some of its first bytes changed, but for the four that tell its kind."""
    changed = bytearray(data)
    for _ in range(count):
        changed[chance.randrange(4, within)] = chance.randrange(256)
    return bytes(changed)
