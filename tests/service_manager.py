"""Stand-ins for systemd and its journal: sockets that keep what they are told."""

import os
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.wire import eventually


@dataclass
class Told:
    """All datagrams that came, in turn.

    Attributes:
        name: of the socket, in the abstract namespace.
        messages: each with the moment it came, on the monotonic clock.
    """

    name: str
    messages: list[tuple[float, bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """For `sendto`."""
        return f"\0{self.name}"

    @property
    def texts(self) -> list[str]:
        """What came, as text."""
        return [message.decode(errors="replace") for _, message in self.messages]

    @property
    def statuses(self) -> list[str]:
        """The texts of all `STATUS=`."""
        lines = (line for text in self.texts for line in text.splitlines())
        return [line.removeprefix("STATUS=") for line in lines if line.startswith("STATUS=")]

    @property
    def entries(self) -> list[dict[str, str]]:
        """What came, as entries of the journal."""
        return [entry(message) for _, message in self.messages]

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Until something was told."""
        eventually(condition, f"{what}; there was {self.texts[-10:]}")


@contextmanager
def listening() -> Iterator[Told]:
    """A socket that keeps what comes, for as long as the context lasts."""
    told = Told(f"emotion-edge-test-{uuid.uuid4().hex}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(told.address)
        sock.settimeout(0.05)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                try:
                    message = sock.recv(1 << 20)
                except TimeoutError:
                    continue
                told.messages.append((time.monotonic(), message))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield told
        finally:
            over.set()
            thread.join()


def entry(message: bytes) -> dict[str, str]:
    """The fields of a datagram in the journal's own protocol."""
    fields = {}
    while message:
        head, _, message = message.partition(b"\n")
        name, is_line, value = head.partition(b"=")
        if not is_line:
            (length,) = struct.unpack("<Q", message[:8])
            value, message = message[8 : 8 + length], message[9 + length :]
        fields[name.decode()] = value.decode()
    return fields


def stream_of(descriptor: int) -> str:
    """What systemd would put into JOURNAL_STREAM for a descriptor."""
    found = os.fstat(descriptor)
    return f"{found.st_dev}:{found.st_ino}"
