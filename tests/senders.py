"""A client that sends pictures over a WebSocket (RFC 6455), on a bare socket: it can do what libraries prevent."""

import base64
import json
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import cv2

from edge.mailbox import Limits, Mailbox
from edge.server.settings import ServerSettings
from edge.sources.demo import DemoSource
from edge.sources.push import PushSource
from edge.sources.specs import DemoSpec
from tests.rig import Rig
from tests.serving import serve
from tests.stage import Stage
from tests.wire import Wire

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = b"\x00\x00\x00\x00"
"""A client has to mask what it sends; with this it stays as it is."""


def jpegs(count: int = 30, size: str = "320x240") -> list[bytes]:
    """Pictures of the demo."""
    demo = DemoSource(DemoSpec(size=size, realtime=False), time.monotonic_ns, time.sleep)
    return [cv2.imencode(".jpg", demo.read(1.0).bgr)[1].tobytes() for _ in range(count)]


class Sender(Wire):
    """One connection, upgraded.

    Attributes:
        hello: the first message.
    """

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        super().__init__(port, receive_buffer=receive_buffer)
        key = base64.b64encode(os.urandom(16)).decode()
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
        self.send("/api/v1/push", version="1.1", Host="localhost", Sec_WebSocket_Key=key, **headers)
        assert self.read_headers()["status"] == "101"
        self.hello: dict[str, Any] = {}

    def greeted(self) -> Self:
        """Once the first message is there."""
        self.hello = self.message()["hello"]
        return self

    def post(self, data: bytes | str) -> None:
        """Send one message."""
        if isinstance(data, str):
            self.frame(TEXT, data.encode())
        else:
            self.frame(BINARY, data)

    def frame(self, opcode: int, data: bytes = b"") -> None:
        """Send one frame."""
        length = struct.pack("!BQ", 0x80 | 127, len(data)) if len(data) > 125 else bytes((0x80 | len(data),))
        self.sock.sendall(bytes((0x80 | opcode,)) + length + MASK + data)

    def next_frame(self) -> tuple[int, bytes]:
        """Opcode and content of the next frame."""
        head = self.read(2)
        if len(head) < 2:
            raise ConnectionError(1006, "it ended without a word")
        opcode, length = head
        if length == 126:
            (length,) = struct.unpack("!H", self.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.read(8))
        return opcode & 15, self.read(length)

    def message(self) -> dict[str, Any]:
        """The next text message; pings before it are answered.

        Raises:
            ConnectionError: the server has closed, with its code and reason.
        """
        while True:
            opcode, data = self.next_frame()
            if opcode == PING:
                self.frame(PONG, data)
            elif opcode == CLOSE:
                raise ConnectionError(*struct.unpack("!H", data[:2]), data[2:].decode())
            elif opcode == TEXT:
                return dict(json.loads(data))

    def answer(self, seq: int) -> dict[str, Any]:
        """What is said of one message; what is said of others before is skipped."""
        while True:
            said = self.message()
            if said.get("seq") == seq:
                return said

    def closing(self) -> tuple[int, str]:
        """Code and reason with which the server closes; what comes before is skipped."""
        try:
            while True:
                self.message()
        except ConnectionError as error:
            return error.args[0], error.args[1]

    def vanish(self) -> None:
        """Break the connection without a word, by a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


@dataclass(frozen=True, slots=True)
class Receiving:
    """A server that takes pictures, and what becomes of them.

    Attributes:
        port: of the server.
        rig: the workers, which find the same face in each picture.
        stage: what the server knows of the rest.
        mailbox: between them.
    """

    port: int
    rig: Rig
    stage: Stage
    mailbox: Mailbox


@contextmanager
def receiving(limits: Limits | None = None, settings: ServerSettings | None = None) -> Iterator[Receiving]:
    """At work for as long as the context lasts."""
    mailbox, stage = Mailbox(limits or Limits(max_fps=120)), Stage()
    rig = Rig(lambda: PushSource(mailbox, time.monotonic_ns), 5.0)
    backstage = replace(stage.backstage(), scenes=rig.scenes, mailbox=mailbox)
    with serve(backstage, settings or ServerSettings(port=0)) as served, rig.running():
        yield Receiving(served.port, rig, stage, mailbox)
