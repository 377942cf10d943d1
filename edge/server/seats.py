"""A bound on how many clients are served for a long time at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

RETRY_AFTER_S = 5


class Seats:
    """Counts clients of one kind. Used on the event loop's thread only."""

    def __init__(self, limit: int, kind: str) -> None:
        self._limit = limit
        self._kind = kind
        self._taken = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Occupy a seat for as long as the context lasts.

        Raises:
            HTTPServiceUnavailable: all are taken.
        """
        if self._taken >= self._limit:
            raise web.HTTPServiceUnavailable(
                text=f"All {self._limit} {self._kind} this server allows (server.max_clients) are in use. "
                "Close one, or try again in a few seconds.\n",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
