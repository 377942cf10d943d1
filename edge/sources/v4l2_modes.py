"""What a V4L2 node is and can do, asked of its driver. Nothing is streamed, so a busy camera is not disturbed.

Numbers and layouts are those of the kernel's `include/uapi/linux/videodev2.h`; they are the same on x86 and ARM.
"""

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Ioctl = Callable[[int, bytearray], None]
"""Request and structure, which the driver fills in. Raises OSError where the driver has nothing to say."""

_QUERYCAP: Final = struct.Struct("=16s32s32sIII12x")
_FMTDESC: Final = struct.Struct("=III32sI16x")
_FRAME_SIZE: Final = struct.Struct("=III6I8x")
_FRAME_INTERVAL: Final = struct.Struct("=IIIII6I8x")


def _request(direction: int, number: int, layout: struct.Struct) -> int:
    return direction << 30 | layout.size << 16 | ord("V") << 8 | number


VIDIOC_QUERYCAP: Final = _request(2, 0, _QUERYCAP)
VIDIOC_ENUM_FMT: Final = _request(3, 2, _FMTDESC)
VIDIOC_ENUM_FRAMESIZES: Final = _request(3, 74, _FRAME_SIZE)
VIDIOC_ENUM_FRAMEINTERVALS: Final = _request(3, 75, _FRAME_INTERVAL)

_CAPTURE: Final = 0x1
_CAPTURE_MPLANE: Final = 0x1000
_OWN_CAPABILITIES: Final = 0x8000_0000
_DISCRETE: Final = 1
_BUFFER_CAPTURE: Final = 1
_BUFFER_CAPTURE_MPLANE: Final = 9
_MOST: Final = 64
"""A driver that never says "no more" must not be asked for ever."""
_WELL_KNOWN: Final = ((320, 240), (640, 480), (1280, 720), (1920, 1080))
"""Looked for where a driver takes any size."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One size in one format.

    Attributes:
        format: four characters, such as `MJPG`.
        width: in px.
        height: in px.
        fps: pictures per second on offer, the most first; empty: the driver does not tell. Of a driver that takes any
            rate, the most and the least.
    """

    format: str
    width: int
    height: int
    fps: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A node.

    Attributes:
        name: of the camera, for people.
        driver: of the kernel.
        bus: where it is plugged in.
        captures: whether pictures come out of it; a second node of many cameras has metadata only.
        modes: what it offers.
    """

    name: str
    driver: str
    bus: str
    captures: bool
    modes: tuple[Mode, ...]


def read_card(device: Path) -> Card:
    """Ask a node.

    Raises:
        OSError: it cannot be opened, or is no V4L2 node.
    """
    import fcntl  # noqa: PLC0415 (POSIX only)

    node = os.open(device, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))

    def ioctl(request: int, structure: bytearray) -> None:
        fcntl.ioctl(node, request, structure, True)

    try:
        return decode_card(ioctl)
    finally:
        os.close(node)


def decode_card(ioctl: Ioctl) -> Card:
    """A card from what the driver answers.

    Raises:
        OSError: the node is no V4L2 node.
    """
    structure = bytearray(_QUERYCAP.size)
    ioctl(VIDIOC_QUERYCAP, structure)
    driver, name, bus, _, of_all_nodes, of_this_node = _QUERYCAP.unpack(structure)
    can = of_this_node if of_all_nodes & _OWN_CAPABILITIES else of_all_nodes
    captures = bool(can & (_CAPTURE | _CAPTURE_MPLANE))
    buffers = _BUFFER_CAPTURE if can & _CAPTURE else _BUFFER_CAPTURE_MPLANE
    modes = tuple(_modes(ioctl, buffers)) if captures else ()
    return Card(_text(name), _text(driver), _text(bus), captures, modes)


def _modes(ioctl: Ioctl, buffers: int) -> Iterator[Mode]:
    for answer in _enumerated(ioctl, VIDIOC_ENUM_FMT, _FMTDESC, buffers):
        code = answer[4]
        for width, height in _sizes(ioctl, code):
            yield Mode(_four_characters(code), width, height, _rates(ioctl, code, width, height))


def _sizes(ioctl: Ioctl, code: int) -> Iterator[tuple[int, int]]:
    for _, _, kind, width, height, *steps in _enumerated(ioctl, VIDIOC_ENUM_FRAMESIZES, _FRAME_SIZE, code):
        if kind == _DISCRETE:
            yield width, height
            continue
        # least and most width and its step, then the same of the height
        least_w, (most_w, step_w, least_h, most_h, step_h) = width, (height, *steps)
        inside = [
            (w, h)
            for w, h in _WELL_KNOWN
            if least_w <= w <= most_w
            and least_h <= h <= most_h
            and not (w - least_w) % max(1, step_w)
            and not (h - least_h) % max(1, step_h)
        ]
        yield from dict.fromkeys((*inside, (most_w, most_h)))
        return


def _rates(ioctl: Ioctl, code: int, width: int, height: int) -> tuple[float, ...]:
    rates = set()
    for answer in _enumerated(ioctl, VIDIOC_ENUM_FRAMEINTERVALS, _FRAME_INTERVAL, code, width, height):
        kind, seconds, parts, most_seconds, most_parts = answer[4:9]
        rates.add(_rate(seconds, parts))
        if kind != _DISCRETE:
            rates.add(_rate(most_seconds, most_parts))
            break
    return tuple(sorted(rates - {0.0}, reverse=True))


def _rate(seconds: int, parts: int) -> float:
    """A frame takes `seconds / parts`."""
    return round(parts / seconds, 2) if seconds else 0.0


def _enumerated(ioctl: Ioctl, request: int, layout: struct.Struct, *asked: int) -> Iterator[tuple[int, ...]]:
    """Every answer to a question whose structure begins with an index and then `asked`."""
    for index in range(_MOST):
        structure = bytearray(layout.size)
        struct.pack_into(f"={1 + len(asked)}I", structure, 0, index, *asked)
        try:
            ioctl(request, structure)
        except OSError:
            return
        yield layout.unpack(structure)


def _four_characters(code: int) -> str:
    return (code & 0x7FFF_FFFF).to_bytes(4, "little").decode("ascii", "replace").strip()


def _text(padded: bytes) -> str:
    return padded.partition(b"\0")[0].decode("utf-8", "replace")
