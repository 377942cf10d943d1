"""The event log: one JSON line per scene with faces, or per aggregate, rotated by size, written by a thread of its own.

Lines are held back a few seconds and written together, to spare SD cards. A full disk is reported, survived, and what
could not be written is counted. What is older than it may get is deleted at the start and once a day.
"""

import contextlib
import errno
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge.events import AggregateEvent, SceneEvent
from edge.logs import event, rfc3339
from edge.sinks.place import unwritable
from edge.sinks.retention import forget, log_files
from edge.types import Scene

log = logging.getLogger(__name__)

WAITING_LINES = 10_000
"""Bound of what waits for the disk: at 30 scenes a second, over five minutes."""

CLOSE_S = 0.5

DAY_S = 86_400.0


class JsonlSink:
    """A `Sink`. `emit` never blocks, unless the sink is `lossless`: off-line analysis may wait, but loses nothing."""

    def __init__(
        self,
        path: Path,
        to_event: Callable[[Scene], SceneEvent | None],
        *,
        max_bytes: int,
        keep: int,
        flush_s: float,
        lossless: bool = False,
        keep_days: float = 0.0,
        wall_s: Callable[[], float] = time.time,
        clear_every_s: float = DAY_S,
    ) -> None:
        """Open the file for appending and start the writer.

        Args:
            path: of the file.
            to_event: the record of a scene with faces; None where there must be none.
            max_bytes: the file is rotated when it reaches this size.
            keep: how many rotated files are kept.
            flush_s: how long lines are held back.
            lossless: wait for the disk instead of dropping lines.
            keep_days: lines older than this are deleted; 0: never.
            wall_s: seconds since 1970.
            clear_every_s: how often they are.

        Raises:
            ConfigError: the file cannot be written.
        """
        self._path = path
        self._to_event = to_event
        self._max_bytes = max_bytes
        self._keep = keep
        self._flush_s = flush_s
        self._lossless = lossless
        self._keep_s = keep_days * DAY_S
        self._wall_s = wall_s
        self._clear_every_s = clear_every_s
        self._clear_due_s = time.monotonic()
        self._encoder = msgspec.json.Encoder()
        self._waiting: queue.Queue[bytes | None] = queue.Queue(WAITING_LINES)
        self._closing = threading.Event()
        self._in_hand = 0
        self.dropped = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab"):
                pass
        except OSError as error:
            raise unwritable(path, error) from error
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def emit(self, scene: Scene) -> None:
        """Take the scene if it has faces."""
        record = self._to_event(scene) if scene.tracks else None
        if record is not None:
            self.write(record)

    def write(self, record: SceneEvent | AggregateEvent) -> None:
        """Take a record, without blocking unless the sink is `lossless`."""
        line = self._encoder.encode(record) + b"\n"
        try:
            self._waiting.put(line, block=self._lossless)
        except queue.Full:
            self._lost(1, "the writer is behind")

    def close(self) -> None:
        """Write what waits and end the writer; gives up after `CLOSE_S`, and tells how much is lost by that."""
        self._closing.set()
        with contextlib.suppress(queue.Full):  # a busy writer sees `_closing` when it is done
            self._waiting.put_nowait(None)
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            self._give_up()

    def _give_up(self) -> None:
        """Count what the writer has not done as lost: the disk may hold it up until the process is over."""
        lines = self._in_hand
        with contextlib.suppress(queue.Empty):
            while True:
                lines += self._waiting.get_nowait() is not None
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        if lines:
            self.dropped += lines
            message = f"events could not be written to {self._path} before the end; the disk takes too long"
            event(log, logging.ERROR, "events.lost", message, lines=lines)

    def _run(self) -> None:
        ended = False
        while not ended:
            self._clear()
            lines, ended = self._gather()
            self._in_hand = len(lines)
            self._write(lines)
            self._in_hand = 0

    def _clear(self) -> None:
        """Delete what is too old, if it is time for that."""
        now_s = time.monotonic()
        if not self._keep_s or now_s < self._clear_due_s:
            return
        self._clear_due_s = now_s + self._clear_every_s
        deleted = 0
        try:
            before = rfc3339(self._wall_s() - self._keep_s)
            for path in log_files(self._path):
                deleted += forget(path, before)
        except OSError as error:
            message = f"old lines of {self._path} cannot be deleted: {error.strerror}; it is tried again tomorrow"
            event(log, logging.ERROR, "events.kept", message)
        if deleted:
            event(log, logging.INFO, "events.forgotten", f"old lines of {self._path} were deleted", lines=deleted)

    def _gather(self) -> tuple[list[bytes], bool]:
        """Lines that came within `flush_s` of the first, or as many as are worth a write; and whether to end."""
        try:
            first = self._waiting.get(timeout=max(0.0, self._clear_due_s - time.monotonic()) if self._keep_s else None)
        except queue.Empty:
            return [], False
        if first is None:
            return [], True
        lines = [first]
        if not self._lossless:
            self._closing.wait(self._flush_s)
        while len(lines) < WAITING_LINES:
            try:
                line = self._waiting.get_nowait()
            except queue.Empty:
                break
            if line is None:
                return lines, True
            lines.append(line)
        return lines, self._closing.is_set() and self._waiting.empty()

    def _write(self, lines: list[bytes]) -> None:
        start = 0
        size = self._size()
        for index, line in enumerate(lines):
            if size and size + len(line) > self._max_bytes:
                self._append(lines[start:index])
                start, size = index, 0
                try:
                    self._rotate()
                except OSError as error:  # better a large file than none
                    event(log, logging.ERROR, "events.rotation", f"{self._path} cannot be rotated: {error.strerror}")
            size += len(line)
        self._append(lines[start:])

    def _append(self, lines: list[bytes]) -> None:
        if not lines:
            return
        data = b"".join(lines)
        try:
            with self._path.open("ab", buffering=0) as file:
                before = file.tell()
                try:
                    if file.write(data) != len(data):
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                except OSError:
                    with contextlib.suppress(OSError):  # a device cannot be cut
                        file.truncate(before)  # never leave half a line
                    raise
        except OSError as error:
            self._lost(len(lines), error.strerror or str(error))

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:  # moved away by somebody: a new one begins
            return 0

    def _rotate(self) -> None:
        """path → path.1 → path.2 …; the oldest goes."""
        if self._keep == 0:
            self._path.unlink()
            return
        for number in range(self._keep - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _lost(self, lines: int, reason: str) -> None:
        self.dropped += lines
        message = f"events could not be written to {self._path}: {reason}; the stream goes on without them"
        event(log, logging.ERROR, "events.lost", message, lines=lines)
