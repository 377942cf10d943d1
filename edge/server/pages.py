"""The page and its parts: read from the package once, then served from memory."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePath
from typing import Final

import msgspec
from aiohttp import web

from edge.palette import FACE_COLOURS

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page.

    Attributes:
        body: its bytes.
        type: for Content-Type.
        etag: changes with the bytes.
    """

    body: bytes
    type: str
    etag: str


def load_assets() -> dict[str, Asset]:
    """All files of the page by name, and `palette.js`, which the page shares with the drawing on frames."""
    found = {item.name: item.read_bytes() for item in files("edge.server").joinpath("static").iterdir()}
    found["palette.js"] = b"export const FACE_COLOURS = %b;\n" % msgspec.json.encode(FACE_COLOURS)
    return {
        name: Asset(body, TYPES[PurePath(name).suffix], hashlib.sha256(body).hexdigest()[:16])
        for name, body in found.items()
        if PurePath(name).suffix in TYPES
    }


class Pages:
    """Handlers for the page's files. Nothing but what was loaded at the start can be asked for."""

    def __init__(self, assets: dict[str, Asset]) -> None:
        self._assets = assets

    def index(self, request: web.Request) -> web.Response:
        """`/`."""
        return self._serve(request, "index.html")

    async def asset(self, request: web.Request) -> web.Response:
        """`/static/…`."""
        return self._serve(request, request.match_info["name"])

    async def favicon(self, request: web.Request) -> web.Response:
        """`/favicon.svg`, and `/favicon.ico` for browsers that insist."""
        return self._serve(request, "favicon.svg")

    def _serve(self, request: web.Request, name: str) -> web.Response:
        asset = self._assets.get(name)
        if asset is None:
            raise web.HTTPNotFound(text=f"There is no {name[:100]!r} here. Start at /.\n")
        # no-cache: ask each time, so that an update of the program shows at once
        headers = {"ETag": f'"{asset.etag}"', "Cache-Control": "no-cache"}
        if any(tag.value == asset.etag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=asset.body, headers={**headers, "Content-Type": asset.type})
