"""What a client may ask of the picture: `?fps= &width= &quality= &raw=1 &results=1`."""

import math
from collections.abc import Callable
from typing import TypeVar

import msgspec
from aiohttp import web
from multidict import MultiMapping

from edge.variants import Variant

LEAST_WIDTH_PX, MOST_WIDTH_PX = 32, 8192
LEAST_FPS, MOST_FPS = 0.05, 120.0

T = TypeVar("T")


class PictureOptions(msgspec.Struct, frozen=True):
    """What one client wants.

    Attributes:
        variant: which picture.
        fps: at most so many a second; 0: all.
        results: whether the result is wanted with each.
        as_json: whether a single picture is wanted as JSON, with its result.
    """

    variant: Variant = Variant()
    fps: float = 0.0
    results: bool = False
    as_json: bool = False

    @property
    def interval_s(self) -> float:
        """Between two pictures; 0: as they come."""
        return 1 / self.fps if self.fps else 0.0

    def text(self) -> str:
        """As in the URL, for those who look after the server; empty for nothing but the default."""
        parts = [self.variant.text(), f"fps={self.fps:g}" if self.fps else "", "results=1" if self.results else ""]
        return "&".join(part for part in parts if part)


def picture_options(query: MultiMapping[str], accept: str = "") -> PictureOptions:
    """What a query asks for. Unknown names are left alone: some clients add one to get around caches.

    Args:
        query: of the URL.
        accept: the Accept header.

    Raises:
        HTTPBadRequest: a value cannot be used; says which, and what can.
    """
    return PictureOptions(
        Variant(
            width=_value(query, "width", _width, f"a whole number from {LEAST_WIDTH_PX} to {MOST_WIDTH_PX}, in px", 0),
            quality=_value(query, "quality", _quality, "a whole number from 1 to 100", 0),
            raw=_value(query, "raw", _flag, "0 or 1", False),
        ),
        fps=_value(query, "fps", _fps, f"a number from {LEAST_FPS:g} to {MOST_FPS:g}", 0.0),
        results=_value(query, "results", _flag, "0 or 1", False),
        as_json=_value(query, "format", _format, "jpeg or json", "application/json" in accept),
    )


def _value(query: MultiMapping[str], name: str, read: Callable[[str], T | None], allowed: str, default: T) -> T:
    given = query.getall(name, [])
    if not given:
        return default
    value = read(given[0]) if len(given) == 1 else None
    if value is None:
        found = " and ".join(repr(text[:40]) for text in given[:3])
        once = "" if len(given) == 1 else ", given once"
        raise web.HTTPBadRequest(text=f"The option {name} is {found}; expected {allowed}{once}.\n")
    return value


def _whole(text: str) -> int | None:
    """Digits only: `int` would take "1_0", " 10" and digits of other scripts."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _width(text: str) -> int | None:
    width = _whole(text)
    # even: 4:2:0 keeps one colour for two columns
    return width // 2 * 2 if width is not None and LEAST_WIDTH_PX <= width <= MOST_WIDTH_PX else None


def _quality(text: str) -> int | None:
    quality = _whole(text)
    return quality if quality is not None and 1 <= quality <= 100 else None


def _fps(text: str) -> float | None:
    try:
        fps = float(text) if len(text) < 20 else math.nan
    except ValueError:
        return None
    return fps if LEAST_FPS <= fps <= MOST_FPS else None


def _flag(text: str) -> bool | None:
    return {"0": False, "1": True}.get(text)


def _format(text: str) -> bool | None:
    return {"jpeg": False, "json": True}.get(text)
