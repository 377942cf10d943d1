"""Who may watch: whoever has the token, or, without one, whoever asks this machine by its own name."""

import base64
import hashlib
import hmac
import logging
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from edge.logs import event
from edge.server.bind import is_loopback
from edge.server.doors import SIGN_IN_CSP, sign_in_page, signed_in_page
from edge.server.settings import ServerSettings

log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/livez", "/readyz", "/favicon.svg", "/favicon.ico"})
"""Need no token: they show nothing of the camera, and supervisors and browsers ask without one."""

COOKIE_DAYS = 30


def same(given: str, expected: str) -> bool:
    """Compare in a time that tells nothing about where they differ."""
    # headers may hold any byte, which aiohttp hands over as lone surrogates
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def derived(token: str, purpose: str) -> str:
    """A value that only the token's owner can make, and that does not give the token away."""
    return hmac.new(token.encode(), f"emotion-edge {purpose}".encode(), hashlib.sha256).hexdigest()


def make_gate(settings: ServerSettings) -> Middleware:
    """The middleware that lets a request in or not."""
    if settings.token is not None:
        return _token_gate(settings.token)
    if is_loopback(settings.host) and not settings.insecure:
        return _host_gate
    return _open_gate


@web.middleware
async def _open_gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    return await handler(request)


@web.middleware
async def _host_gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Against DNS rebinding: a foreign page whose name points at 127.0.0.1 still sends its own name as Host."""
    host = request.headers.get("Host", "localhost")  # HTTP/1.0 has none; browsers always send it
    if not is_loopback(host_name(host)):
        raise web.HTTPForbidden(
            text=f"This server only answers to localhost and 127.0.0.1, not to {host[:100]!r}. "
            "To reach it by another name, set server.token (or start with --lan), or accept the risk with --insecure.\n"
        )
    return await handler(request)


def host_name(host: str) -> str:
    """The name or address in a Host header, without the port."""
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.partition(":")[0]


def _token_gate(token: str) -> Middleware:
    # cookies ignore ports: two servers on one machine need names of their own
    cookie_name = f"emotion_edge_{derived(token, 'cookie name')[:8]}"
    cookie_value = derived(token, "cookie")

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN_PATHS:
            return await handler(request)
        in_query = request.query.get("token")
        if in_query is not None and same(in_query, token):
            if request.path == "/" and "action" not in request.query:
                response = _without_token(request)
                response.set_cookie(
                    cookie_name,
                    cookie_value,
                    max_age=COOKIE_DAYS * 86400,
                    httponly=True,
                    samesite="Strict",
                    secure=request.secure,
                )
                return response
            return await handler(request)
        in_header = _presented(request.headers.get("Authorization", ""))
        if in_header is not None and same(in_header, token):
            return await handler(request)
        if same(request.cookies.get(cookie_name, ""), cookie_value):
            return await handler(request)
        event(log, logging.WARNING, "server.refused", "a client without the token was refused", client=request.remote)
        return _refusal(request, wrong=in_query is not None or in_header is not None)

    return gate


def _presented(header: str) -> str | None:
    """The token in an Authorization header: Bearer (RFC 6750), or the password of Basic (RFC 7617)."""
    scheme, _, value = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            try:
                return base64.b64decode(value, validate=True).decode().partition(":")[2]
            except ValueError:  # no Base64, or no UTF-8 in it
                return ""
        case _:
            return None


def _without_token(request: web.Request) -> web.Response:
    """Send the browser to the same URL without the token, so that it stays out of the history and of screenshots."""
    query = urlencode([(name, value) for name, value in request.query.items() if name != "token"])
    target = f"./?{query}" if query else "./"
    headers = {"Cache-Control": "no-store"}
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        # after a link on another site a redirect would still count as cross-site: no Strict cookie would be sent
        return web.Response(text=signed_in_page(target), content_type="text/html", headers=headers)
    return web.Response(status=303, headers={**headers, "Location": target})


def _refusal(request: web.Request, wrong: bool) -> web.Response:
    """401, saying what to do; a page where a person sees it."""
    headers = {"Cache-Control": "no-store", "WWW-Authenticate": 'Bearer realm="emotion-edge"'}
    if "text/html" in request.headers.get("Accept", ""):
        headers["Content-Security-Policy"] = SIGN_IN_CSP
        return web.Response(status=401, text=sign_in_page(wrong), content_type="text/html", headers=headers)
    if "Sec-Fetch-Mode" not in request.headers:
        # players send a password only when asked; a browser would open a dialogue for each part of the page
        headers["WWW-Authenticate"] = 'Basic realm="emotion-edge: the token is the password", charset="UTF-8"'
    text = (
        f"{'This is not the token' if wrong else 'A token is needed'}. "
        "Use the address with ?token=… that the program printed when it started, "
        "or send it as `Authorization: Bearer …` or as the password of Basic authentication.\n"
    )
    return web.Response(status=401, text=text, headers=headers)
