"""Writes a video to the disk as it comes, without the event loop ever waiting for the disk."""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, Final

from edge.uploads.refused import Refused
from edge.uploads.sniff import HEAD_BYTES, VIDEOS, video_kind, what_else

PIECE_BYTES: Final = 1024 * 1024
"""So much is collected before it is written."""


async def receive(body: AsyncIterator[bytes], path: Path, check_space: Callable[[int], None]) -> int:
    """Write a video to a new file.

    Args:
        body: its bytes, in pieces of any size.
        path: of the file.
        check_space: raises `Refused` if the disk should not take so many more bytes.

    Returns:
        Its size in bytes.

    Raises:
        Refused: it is no video, or the disk is full.
    """
    size_bytes, piece, known = 0, bytearray(), False
    file = await asyncio.to_thread(path.open, "xb", 0)
    try:
        async for chunk in body:
            piece += chunk
            size_bytes += len(chunk)
            if not known and len(piece) >= HEAD_BYTES:
                _check_kind(piece)
                known = True
            if len(piece) >= PIECE_BYTES:
                await asyncio.to_thread(_append, file, piece, check_space)
                piece = bytearray()
        if not known:
            _check_kind(piece)
        await asyncio.to_thread(_append, file, piece, check_space)
    finally:
        file.close()
    return size_bytes


def _check_kind(head: bytes | bytearray) -> None:
    head = bytes(head[:HEAD_BYTES])
    if video_kind(head) is None:
        raise Refused("unsupported_media_type", f"This {what_else(head)}; expected a video: {VIDEOS}.")


def _append(file: BinaryIO, piece: bytearray, check_space: Callable[[int], None]) -> None:
    check_space(len(piece))
    view = memoryview(piece)
    try:
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise Refused("no_space", "The disk is full. Delete something, or send a smaller video.", 60) from error
        raise Refused("unavailable", f"The video cannot be stored ({error.strerror}). Try again later.") from error
