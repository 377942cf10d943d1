"""What the program and its child processes say to each other: messages, each with its length before it.

The program does not trust the child, in which a foreign picture may have taken over a decoder: what it says is bounded,
and decoded into these types and no others.
"""

import asyncio
import struct
from typing import BinaryIO

import msgspec

from edge.batch.tally import FaceSummary
from edge.config import Config
from edge.events import SceneEvent

HEADER = struct.Struct(">II")
"""Bytes of the message, and of what follows it raw."""

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_PAYLOAD_BYTES = 32 * 1024 * 1024
SLICE_BYTES = 256 * 1024
"""A picture goes into the pipe in pieces of this size, so that the event loop is never busy with all of it."""


class AnalysePicture(msgspec.Struct, frozen=True, tag="picture"):
    """Analyse the picture that follows raw.

    Attributes:
        config: all settings; without the token.
        threshold: below this confidence a face is `uncertain`; None: as configured.
        whole: take the whole picture for a face if none is found.
        annotate: send the picture back with what was found drawn on it, as a JPEG that follows raw.
    """

    config: Config
    threshold: float | None = None
    whole: bool = False
    annotate: bool = False


class AnalyseVideo(msgspec.Struct, frozen=True, tag="video"):
    """Analyse a video.

    Attributes:
        config: all settings; without the token.
        folder: where the video lies, and its results are written.
    """

    config: Config
    folder: str


class PictureResult(msgspec.Struct, frozen=True, tag="picture"):
    """What the picture shows; the annotated JPEG follows raw, if it was asked for and may be shown.

    Attributes:
        result: the same record as of a live scene.
        message: the same for people.
    """

    result: SceneEvent
    message: str


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How far a video has come.

    Attributes:
        share: 0..1; 0 where the length is not known.
        frames: analysed so far.
        media_s: time of the newest one in the video.
    """

    share: float
    frames: int
    media_s: float


class VideoResult(msgspec.Struct, frozen=True, tag="video"):
    """The video is done, and its results are written.

    Attributes:
        frames: analysed.
        duration_s: of what was analysed.
        fps: frames of the video per second.
        faces: who was seen, in the order of their ids.
        message: the same for people.
    """

    frames: int
    duration_s: float
    fps: float
    faces: tuple[FaceSummary, ...]
    message: str


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """It cannot be analysed.

    Attributes:
        code: for programs.
        message: for people: what was found, what was expected, what to do.
    """

    code: str
    message: str


Request = AnalysePicture | AnalyseVideo
Reply = PictureResult | Progress | VideoResult | Refusal

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


class Garbled(Exception):
    """The other side said something that is no message."""


def without_secrets(config: Config) -> Config:
    """The settings, as a process may know them that opens foreign files."""
    server = msgspec.structs.replace(config.server, token=None, certificate="", key="")
    # a camera's address may hold its password
    source = msgspec.structs.replace(config.source, uri="auto")
    return msgspec.structs.replace(config, server=server, source=source)


async def send(writer: asyncio.StreamWriter, request: Request, payload: bytes = b"") -> None:
    """The program's side: ask for something.

    Raises:
        ConnectionError: the child has gone.
    """
    message = _encoder.encode(request)
    writer.write(HEADER.pack(len(message), len(payload)) + message)
    view = memoryview(payload)
    for start in range(0, len(view), SLICE_BYTES):
        writer.write(view[start : start + SLICE_BYTES])
        await writer.drain()
    await writer.drain()


async def receive(reader: asyncio.StreamReader) -> tuple[Reply, bytes]:
    """The program's side: the next answer and what follows it raw.

    Raises:
        EOFError: the child has gone.
        Garbled: it said something that is no answer.
    """
    message_bytes, payload_bytes = HEADER.unpack(await reader.readexactly(HEADER.size))
    if message_bytes > MAX_MESSAGE_BYTES or payload_bytes > MAX_PAYLOAD_BYTES:
        raise Garbled(f"an answer of {message_bytes} and {payload_bytes} bytes, which is more than any has")
    message = await reader.readexactly(message_bytes)
    payload = await reader.readexactly(payload_bytes)
    try:
        return _replies.decode(message), payload
    except msgspec.MsgspecError as error:
        raise Garbled(f"an answer that cannot be read: {error}") from error


def take(file: BinaryIO) -> tuple[Request, bytes] | None:
    """The child's side: the next request and what follows it raw; None when there will be no more."""
    header = file.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    message_bytes, payload_bytes = HEADER.unpack(header)
    return _requests.decode(file.read(message_bytes)), file.read(payload_bytes)


def answer(file: BinaryIO, reply: Reply, payload: bytes = b"") -> None:
    """The child's side: answer a request."""
    message = _encoder.encode(reply)
    file.write(HEADER.pack(len(message), len(payload)))
    file.write(message)
    file.write(payload)
    file.flush()
