"""One connection by which pictures come: what was sent, and what its sender is told of it."""

import asyncio
import logging
import socket as sockets
import time
from typing import Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from edge.events import SceneEvent
from edge.jpeg_header import BadPicture
from edge.logs import event
from edge.mailbox import Mailbox
from edge.server.clients import Client
from edge.server.errors import ErrorBody

log = logging.getLogger(__name__)

GOODBYE_S: Final = 0.3
"""What a sender gets to confirm the end of the connection."""
MOST_BROKEN: Final = 30
"""In a row: who sends nothing else is no camera."""
MOST_PENDING: Final = 256
"""Pictures whose result may still come; it never does for those that were left out."""
SEND_BUFFER_BYTES: Final = 16 * 1024
"""What the kernel may hold of answers: a few. Who takes them slowly skips to the newest."""


class Hello(msgspec.Struct, frozen=True):
    """What may be sent.

    Attributes:
        max_bytes: of one JPEG.
        max_fps: pictures a second; of more, the newest are taken.
        max_width: of a picture in px; it may also stand upright.
        max_height: of a picture in px.
    """

    max_bytes: int
    max_fps: float
    max_width: int
    max_height: int


class Greeting(msgspec.Struct, frozen=True):
    """The first message to a sender."""

    hello: Hello


class Answer(msgspec.Struct, frozen=True):
    """What was seen in a picture.

    Attributes:
        seq: number of the sender's message, from 1.
        result: the same record as everywhere; null while `privacy.events` is `aggregate`.
    """

    seq: int
    result: SceneEvent | None


class Complaint(msgspec.Struct, frozen=True):
    """A message that was not taken.

    Attributes:
        seq: its number.
        error: why.
    """

    seq: int
    error: ErrorBody


class Sender:
    """One connection. Used on the event loop's thread only.

    Attributes:
        seq: number of its newest message.
        broken: how many of the last ones in a row were no pictures.
        mailbox: where its pictures go.
    """

    def __init__(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        mailbox: Mailbox,
        client: Client,
        send_timeout_s: float,
    ) -> None:
        self.seq = 0
        self.broken = 0
        self.mailbox = mailbox
        self._request = request
        self._socket = socket
        self._client = client
        self._send_timeout_s = send_timeout_s
        # of the pictures without a result: number of the message by the name that the mailbox gave
        self._pending: dict[int, int] = {}

    async def listen(self) -> None:
        """Take messages until one of both sides ends the connection."""
        while not self._socket.closed:
            message = await self._socket.receive()
            match message.type:
                case WSMsgType.BINARY:
                    self.seq += 1
                    self._client.took(len(message.data))
                    try:
                        t_ns = self.mailbox.post(message.data, time.monotonic_ns())
                    except BadPicture as error:
                        await self.complain(self.seq, error)
                    else:
                        self._remember(t_ns)
                case WSMsgType.TEXT:
                    self.seq += 1
                    text = "this is a text message; send one JPEG in each binary message"
                    await self.complain(self.seq, BadPicture("not_a_jpeg", text), WSCloseCode.UNSUPPORTED_DATA)
                case _:
                    return

    def _remember(self, t_ns: int) -> None:
        self._pending[t_ns] = self.seq
        if len(self._pending) > MOST_PENDING:
            del self._pending[next(iter(self._pending))]

    def claim(self, t_ns: int) -> int | None:
        """Which message a picture came in; None if it is not of this connection. What is older is forgotten."""
        seq = self._pending.get(t_ns)
        past = [sent_ns for sent_ns in self._pending if sent_ns <= t_ns]
        for sent_ns in past:
            del self._pending[sent_ns]
        self._client.skipped += len(past) - (seq is not None)
        return seq

    async def complain(self, seq: int, error: BadPicture, code: int = WSCloseCode.INVALID_TEXT) -> None:
        """Say what is wrong with a message; end the connection if nothing else comes.

        Args:
            seq: number of the message.
            error: what is wrong.
            code: to end it with; 1007 is "data not consistent with the type of the message", not text only.
        """
        self.broken += 1
        await self.say(Complaint(seq, ErrorBody(error.code, str(error))))
        if self.broken >= MOST_BROKEN:
            await self.leave(code, f"{self.broken} messages in a row were no pictures that can be taken")

    async def say(self, message: Greeting | Answer | Complaint) -> None:
        """Send a message; who does not take it in time is dropped."""
        try:
            async with asyncio.timeout(self._send_timeout_s):
                await self._socket.send_str(msgspec.json.encode(message).decode())
        except TimeoutError:
            text = f"a sender that took no answer for {self._send_timeout_s:g} s was dropped"
            event(log, logging.INFO, "push.dropped", text, client=self._request.remote)
            self._abort()
        except ConnectionError:
            pass  # gone meanwhile: whoever listens is told

    async def leave(self, code: int, reason: str) -> None:
        """End the connection."""
        try:
            async with asyncio.timeout(2 * GOODBYE_S):
                await self._socket.close(code=code, message=reason.encode())
        except TimeoutError:
            self._abort()

    def _abort(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()


def shorten_queue(request: web.Request) -> None:
    """Let a slow reader skip answers instead of getting old ones."""
    transport = request.transport
    if transport is None:
        return
    transport.set_write_buffer_limits(high=0)
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SEND_BUFFER_BYTES)
