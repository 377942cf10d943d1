"""The program's log: one line an event on stderr, as text or JSON, or an entry in the journal; repeats held back."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

REPEAT_S = 30.0
"""The same event with the same message is shown once in this time; the next one says how many were held back."""

ANSWERS = frozenset({"config.refused", "config.restart"})
"""Events that answer a person: each is shown."""


def event(logger: logging.Logger, level: int, name: str, message: str, **fields: Any) -> None:
    """Log something that happened.

    Args:
        logger: of the module it happened in.
        level: `logging.INFO` …
        name: stable, for machines: "source.online".
        message: for people.
        **fields: further data, small and without pixels.
    """
    logger.log(level, message, extra={"event": name, "fields": fields})


def rfc3339(seconds: float) -> str:
    """A time since 1970 as "2026-01-31T12:00:00.123Z"."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def setup(level: str, style: Literal["auto", "text", "json"]) -> None:
    """Send all logs to stderr in that style, from that level on; `auto`: to the journal if it reads our stderr."""
    handler = _journal() if style == "auto" else None
    if handler is None:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    handler.addFilter(RepeatFilter(time.monotonic))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def set_level(level: str) -> None:
    """Show what is at least so severe from now on."""
    logging.getLogger().setLevel(level.upper())


def _journal() -> logging.Handler | None:
    """Of the journal, if systemd says that it reads our stderr."""
    if "JOURNAL_STREAM" not in os.environ:
        return None
    from edge.journal import STDERR, JournalHandler, is_journal  # noqa: PLC0415  # hardly any other start needs it

    return JournalHandler() if is_journal(STDERR) else None


def parts(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """The name of what happened, and its fields."""
    fields = dict(getattr(record, "fields", {}))
    if getattr(record, "repeats", 0):
        fields["repeats"] = record.repeats  # type: ignore[attr-defined]
    return getattr(record, "event", record.name), fields


class PlainFormatter(logging.Formatter):
    """`event: message key=value …`, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        name, fields = parts(record)
        line = f"{name}: {record.getMessage()}" + "".join(f" {key}={value}" for key, value in fields.items())
        return line if record.exc_info is None else f"{line}\n{self.formatException(record.exc_info)}"


class TextFormatter(PlainFormatter):
    """`TIME LEVEL event: message key=value …`."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{rfc3339(record.created)} {record.levelname:<7} {super().format(record)}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        name, fields = parts(record)
        entry: dict[str, Any] = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "event": name,
            "message": record.getMessage(),
            **fields,
        }
        if record.exc_info is not None:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


class RepeatFilter(logging.Filter):
    """Lets an event through once in `REPEAT_S`; what it held back is counted on the next one."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        super().__init__()
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._shown: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        name = getattr(record, "event", None)
        if name is None or record.levelno < logging.WARNING or name in ANSWERS:
            return True
        key = (name, record.getMessage())
        now = self._clock_s()
        with self._lock:
            shown_s, held = self._shown.get(key, (-REPEAT_S, 0))
            if now - shown_s < REPEAT_S:
                self._shown[key] = (shown_s, held + 1)
                return False
            if len(self._shown) > 256:
                self._shown.clear()
            self._shown[key] = (now, 0)
        record.repeats = held
        return True
