"""Who may watch: whoever has the token, or, without one, whoever asks this machine by its own name."""

import logging
import math
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, urlencode

from aiohttp import web
from aiohttp.typedefs import Handler

from edge.logs import event
from edge.server.bind import is_loopback
from edge.server.bodies import read_body
from edge.server.credentials import derived, presented, same
from edge.server.doors import SIGN_IN_CSP, locked_page, sign_in_page, signed_in_page
from edge.server.lockout import Lockout, in_words
from edge.server.settings import ServerSettings

log = logging.getLogger(__name__)

OPEN_PATHS: Final = frozenset({"/livez", "/readyz", "/favicon.svg", "/favicon.ico"})
"""Need no token: they show nothing of the camera, and supervisors and browsers ask without one."""

LOGIN, LOGOUT = "/login", "/logout"
COOKIE_DAYS: Final = 30
FORM_BYTES: Final = 4096
FORM_TIMEOUT_S: Final = 10.0


def host_name(host: str) -> str:
    """The name or address in a Host header, without the port."""
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.partition(":")[0]


class Gate:
    """Lets requests in or not; `/login` and `/logout` are its own. Used on the event loop's thread only.

    Attributes:
        middleware: stands before all handlers.
    """

    def __init__(self, settings: ServerSettings, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._token = settings.token
        self._lockout = Lockout(clock_s)
        # cookies ignore ports: two servers on one machine need names of their own
        self._cookie_name = f"emotion_edge_{derived(settings.token or '', 'cookie name')[:8]}"
        self._cookie_value = derived(settings.token or "", "cookie")
        by_host = is_loopback(settings.host) and not settings.insecure

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            if settings.token is not None:
                return await self._by_token(request, handler, settings.token)
            if by_host:
                _check_host(request)
            return await handler(request)

        self.middleware = middleware

    async def login(self, request: web.Request) -> web.StreamResponse:
        """`POST /login`: what the sign-in page sends; a form with `token`. The answer sets the cookie."""
        if self._token is None:
            return _redirect()
        if request.content_type != "application/x-www-form-urlencoded":
            raise web.HTTPUnsupportedMediaType(
                text=f"The body is {request.content_type}, expected a form (application/x-www-form-urlencoded) with "
                "the field `token`.\n"
            )
        body = await read_body(request, FORM_BYTES, FORM_TIMEOUT_S, "a form with one field")
        try:
            # one: each try is counted, and several at once would be tries that are not
            given = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8).get("token", [])[:1]
        except ValueError:
            given = []
        if not given:
            return self._refusal(request, wrong=False)
        wait_s = self._lockout.wait_s(request.remote)
        if wait_s > 0:
            return _must_wait(request, wait_s)
        if not self._right(request, given, self._token):
            return self._refusal(request, wrong=True)
        return self._with_cookie(request, _redirect())

    async def logout(self, request: web.Request) -> web.StreamResponse:
        """`POST /logout`: takes the cookie from this browser. Others stay signed in until the token is changed."""
        response = _redirect()
        response.del_cookie(self._cookie_name, secure=request.secure, httponly=True, samesite="Strict")
        return response

    async def back(self, _request: web.Request) -> web.StreamResponse:
        """`GET /login`: an address typed again after signing in, which leads to the page."""
        return _redirect()

    async def _by_token(self, request: web.Request, handler: Handler, token: str) -> web.StreamResponse:
        if request.path in OPEN_PATHS or request.path in (LOGIN, LOGOUT):
            return await handler(request)
        # whoever is in stays in, whatever others at this address do
        signed_in = same(request.cookies.get(self._cookie_name, ""), self._cookie_value)
        given, right = list(presented(request)), False
        if given:
            wait_s = self._lockout.wait_s(request.remote)
            if wait_s == 0:
                right = self._right(request, given, token)
            elif not signed_in:
                return _must_wait(request, wait_s)
        if right and request.path == "/" and "token" in request.query and "action" not in request.query:
            return self._with_cookie(request, _without_token(request))
        if right or signed_in:
            return await handler(request)
        return self._refusal(request, wrong=bool(given))

    def _right(self, request: web.Request, given: list[str], token: str) -> bool:
        """Whether one of these is the token; counted."""
        if any(same(one, token) for one in given):
            self._lockout.right(request.remote)
            return True
        wrong = self._lockout.wrong(request.remote)
        if wrong.until_s > wrong.last_s:
            message = "a client sent too many wrong tokens and has to wait"
            wait_s = round(wrong.until_s - wrong.last_s)
            event(log, logging.WARNING, "server.locked", message, client=request.remote, tries=wrong.tries, s=wait_s)
        return False

    def _with_cookie(self, request: web.Request, response: web.Response) -> web.Response:
        response.set_cookie(
            self._cookie_name,
            self._cookie_value,
            max_age=COOKIE_DAYS * 86400,
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return response

    def _refusal(self, request: web.Request, wrong: bool) -> web.Response:
        """401, saying what to do; a page where a person sees it."""
        event(log, logging.WARNING, "server.refused", "a client without the token was refused", client=request.remote)
        headers = {"Cache-Control": "no-store", "WWW-Authenticate": 'Bearer realm="emotion-edge"'}
        if _for_a_person(request):
            wait_s = self._lockout.wait_s(request.remote)
            root = _root(request)
            page = locked_page(root, wait_s) if wait_s > 0 else sign_in_page(root, wrong)
            return _page(401, page, headers)
        if "Sec-Fetch-Mode" not in request.headers:
            # players send a password only when asked; a browser would open a dialogue for each part of the page
            headers["WWW-Authenticate"] = 'Basic realm="emotion-edge: the token is the password", charset="UTF-8"'
        text = (
            f"{'This is not the token' if wrong else 'A token is needed'}. "
            "Use the address with ?token=… that the program printed when it started, "
            "or send it as `Authorization: Bearer …` or as the password of Basic authentication.\n"
        )
        return web.Response(status=401, text=text, headers=headers)


def _check_host(request: web.Request) -> None:
    """Against DNS rebinding: a foreign page whose name points at 127.0.0.1 still sends its own name as Host."""
    host = request.headers.get("Host", "localhost")  # HTTP/1.0 has none; browsers always send it
    if not is_loopback(host_name(host)):
        raise web.HTTPForbidden(
            text=f"This server only answers to localhost and 127.0.0.1, not to {host[:100]!r}. "
            "To reach it by another name, set server.token (or start with --lan), or accept the risk with --insecure.\n"
        )


def _without_token(request: web.Request) -> web.Response:
    """Send the browser to the same URL without the token, so that it stays out of the history and of screenshots."""
    query = urlencode([(name, value) for name, value in request.query.items() if name != "token"])
    target = f"./?{query}" if query else "./"
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        # after a link on another site a redirect would still count as cross-site: no Strict cookie would be sent
        return _page(200, signed_in_page(target), {"Cache-Control": "no-store"})
    return _redirect(target)


def _must_wait(request: web.Request, wait_s: float) -> web.Response:
    """429, in the same words whether the token would have been right: it was not looked at."""
    message = "a client that has to wait after wrong tokens was refused"
    event(log, logging.WARNING, "server.refused", message, client=request.remote)
    headers = {"Cache-Control": "no-store", "Retry-After": str(math.ceil(wait_s))}
    if _for_a_person(request):
        return _page(429, locked_page(_root(request), wait_s), headers)
    text = f"Too many wrong tokens. The next one is looked at in {in_words(wait_s)}; this one was not.\n"
    return web.Response(status=429, text=text, headers=headers)


def _redirect(target: str = "./") -> web.Response:
    return web.Response(status=303, headers={"Cache-Control": "no-store", "Location": target})


def _page(status: int, text: str, headers: dict[str, str]) -> web.Response:
    policy = {"Content-Security-Policy": SIGN_IN_CSP}
    return web.Response(status=status, text=text, content_type="text/html", headers={**headers, **policy})


def _for_a_person(request: web.Request) -> bool:
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")


def _root(request: web.Request) -> str:
    """The way to `/` from the path asked for, which also works where a proxy serves us below a path of its own."""
    return "../" * (request.path.count("/") - 1) or "./"
