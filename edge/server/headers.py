"""Headers that every response carries."""

from typing import Final

from aiohttp import web

CSP: Final = "; ".join(
    (
        "default-src 'none'",  # what is not named below cannot be loaded at all
        "img-src 'self' blob: data:",  # the stream; pictures dropped on the page, and annotated ones in JSON (base64)
        "media-src 'self' blob:",  # annotated videos, and the visitor's own camera and films
        "connect-src 'self'",  # events, state, API; covers ws: and wss: of the same origin (CSP Level 3, 6.7.2.8)
        "script-src 'self'",  # neither inline nor eval: a name or a message can never become code
        "style-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",  # nobody puts the page into a frame and has it clicked
    )
)

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CSP,
    # no guessing: an upload that comes back is never taken for a page or a script
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not `no-referrer`: forms would be sent with `Origin: null` then (WHATWG Fetch, "append a request Origin header")
    "Referrer-Policy": "same-origin",
    # the page may ask its visitor for the visitor's own camera, and for nothing else
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    # other sites' pages get no handle on ours, and cannot show its pictures
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""No Strict-Transport-Security: with a self-made certificate it would take away the visitor's way past the warning,
and it holds for every port of the name, so that other, plain servers on this machine could no longer be reached.
No CORS headers: no other site may read anything."""


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Complete a response just before it is sent; a header it has already stays."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "emotion-edge"
