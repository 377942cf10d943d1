"""Writes the log to systemd's journal in its own protocol: an event's fields can be searched for, time and level once.

See "Native Journal Protocol" in systemd's documentation, and systemd.journal-fields(7).
"""

import logging
import os
import re
import socket
import sys
from collections.abc import Iterable, Mapping

from edge.logs import PlainFormatter, parts

SOCKET = "/run/systemd/journal/socket"
STDOUT, STDERR = 1, 2
IDENTIFIER = "emotion-edge"
PREFIX = "EMOTION_EDGE_"
"""Of all fields but the journal's own, so that none can be taken for one of those, or for another program's."""
NAME_CHARACTERS = 64
"""The journal drops a field with a longer name."""

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


def is_journal(descriptor: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written to a descriptor reaches the journal: systemd names the socket that it has opened."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def priority(level: int) -> int:
    """A level of `logging` as syslog(3) has it."""
    return next((number for least, number in _PRIORITIES if level >= least), 7)


def datagram(fields: Iterable[tuple[str, str]]) -> bytes:
    """One entry: `NAME=value` lines; a value of several lines follows its name and its length in 8 bytes."""
    entry = b""
    for name, text in fields:
        value = text.encode("utf-8", "backslashreplace")
        if b"\n" in value:
            entry += name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
        else:
            entry += name.encode() + b"=" + value + b"\n"
    return entry


def field_name(key: str) -> str:
    """What a field of an event is called in the journal: capitals, digits and underscores."""
    return (PREFIX + re.sub(r"[^A-Z0-9]", "_", key.upper()))[:NAME_CHARACTERS]


class JournalHandler(logging.Handler):
    """Sends each record as one entry. Where there is no journal, or too much for an entry, its text goes to stderr.

    A journal that takes no more for now must not hold up a worker, neither here nor by way of stderr, which it reads
    too: the entry is lost, and the next one that is taken tells how many were.
    """

    def __init__(self, address: str = SOCKET) -> None:
        """`address`: of the journal's socket."""
        super().__init__()
        self.setFormatter(PlainFormatter())
        self._address = address
        self._lost = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def emit(self, record: logging.LogRecord) -> None:
        """Send it; what goes wrong is left to `logging`, as its own handlers do."""
        try:
            text = self.format(record)
            name, fields = parts(record)
            if self._lost:
                fields["lost"] = self._lost
                first, end, rest = text.partition("\n")
                text = f"{first} lost={self._lost}{end}{rest}"
            entry = [
                ("MESSAGE", text),
                ("PRIORITY", str(priority(record.levelno))),
                ("SYSLOG_IDENTIFIER", IDENTIFIER),
                (field_name("event"), name),
                *((field_name(key), str(value)) for key, value in fields.items()),
            ]
            try:
                self._socket.sendto(datagram(entry), self._address)
            except BlockingIOError:
                self._lost += 1
                return
            except OSError:  # no journal, or more than goes into a datagram
                self._to_stderr(text, priority(record.levelno))
            self._lost = 0
        except (OSError, TypeError, ValueError):
            self.handleError(record)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
        super().close()

    @staticmethod
    def _to_stderr(text: str, number: int) -> None:
        """In the way that the journal understands on a stream (sd-daemon(3)): each line has its priority before it."""
        sys.stderr.write("".join(f"<{number}>{line}\n" for line in text.splitlines()))
        sys.stderr.flush()
