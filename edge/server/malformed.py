"""Requests that are no HTTP: a line in the log instead of a traceback. Anybody can send them, as often as they like."""

import logging
from typing import Final

from aiohttp.http_exceptions import HttpProcessingError


class _OneLine(logging.Filter):
    """Rewrites aiohttp's report of a request it could not read; everything else stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            # without what was sent: the same message each time is shown once in a while (edge/logs.py)
            record.msg, record.exc_info, record.exc_text = "a malformed request was refused", None, None
            record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
            client = record.args[0] if isinstance(record.args, tuple) and record.args else None
            record.event, record.fields = "server.malformed", {"client": client}
            record.args = ()
        return True


HTTP_LOG: Final = logging.getLogger("edge.server.http")
HTTP_LOG.addFilter(_OneLine())
