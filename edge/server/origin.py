"""Against web pages that act in their visitor's name: a browser says who asks, and only our own page may change things.

Cookies are SameSite=Strict, but on loopback there may be no token, and any page can send requests there.
"""

from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPES: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
"""What a page may send to another site without asking first (WHATWG Fetch, CORS-safelisted request headers)."""

DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


@web.middleware
async def guard_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what changes something, or opens a WebSocket, in the name of another site's visitor."""
    websocket = request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"
    if request.method in SAFE_METHODS and not websocket:
        return await handler(request)
    origin, site = request.headers.get(hdrs.ORIGIN), request.headers.get("Sec-Fetch-Site")
    if not is_own(origin, site, request.scheme, request.headers.get(hdrs.HOST)):
        raise web.HTTPForbidden(
            text=f"This was sent by a page of {(origin or 'another site')[:200]!r}, and only the page of this server, "
            f"{request.scheme}://{request.headers.get(hdrs.HOST, '')[:200]}, may. Programs send no Origin.\n"
        )
    if request.path.startswith("/api/") and hdrs.CONTENT_TYPE in request.headers and request.content_type in FORM_TYPES:
        raise web.HTTPUnsupportedMediaType(
            text=f"The body is {request.content_type}, which any web page could send. Expected application/json, "
            "application/octet-stream, image/… or video/… in Content-Type (curl: -H 'Content-Type: …').\n"
        )
    return await handler(request)


def is_own(origin: str | None, site: str | None, scheme: str, host: str | None) -> bool:
    """Whether a request may come from our own page, or from no page at all.

    Args:
        origin: the Origin header; browsers send it with all that is no plain GET, programs do not.
        site: the Sec-Fetch-Site header; browsers send it to https and loopback only, and no script can change it.
        scheme: by which the request came.
        host: the Host header.
    """
    if site is not None and site not in ("same-origin", "none"):
        return False
    if origin is None:
        return True
    if host is None:
        return False
    # behind a proxy that adds TLS the page is https; there the browser itself says that it is ours
    schemes = {scheme, "https"} if site == "same-origin" else {scheme}
    return origin.lower() in {f"{one}://{_without_default_port(host.lower(), one)}" for one in schemes}


def _without_default_port(host: str, scheme: str) -> str:
    return host.removesuffix(DEFAULT_PORTS.get(scheme, ""))
