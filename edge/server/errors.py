"""Errors of `/api/v1/…` are JSON, whoever raised them: `{"error": {"code", "message"}}`."""

import logging
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from edge.worker import outcome_of

log = logging.getLogger(__name__)

API: Final = "/api/v1/"
JSON: Final = "application/json"

CODES: Final = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    412: "changed_meanwhile",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    422: "invalid",
    426: "upgrade_required",
    429: "too_many_requests",
    500: "internal_error",
    503: "busy",
}
"""What a status means unless whoever raised it says so more exactly."""


class ErrorBody(msgspec.Struct, frozen=True):
    """What went wrong.

    Attributes:
        code: stable, for programs, in snake_case.
        message: for people: what was found, what was expected, what to do.
    """

    code: str
    message: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The body of every answer of `/api/v1/…` from status 400 on.

    Attributes:
        error: what went wrong.
    """

    error: ErrorBody


def api_error(status: int, message: str, code: str | None = None, **headers: str) -> web.HTTPException:
    """An answer to raise.

    Args:
        status: 400 to 599.
        message: see `ErrorBody`.
        code: None: what `CODES` says of the status.
        **headers: further ones; underscores in their names become hyphens.
    """
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _Refused(status, _body(status, message, code), named)


class _Refused(web.HTTPException):
    """One with the status it is given."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.status_code = status
        super().__init__(headers=headers, text=body.decode(), content_type=JSON)


@web.middleware
async def json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware: what others and the router answer becomes JSON as well; elsewhere, plain words."""
    if not request.path.startswith(API):
        try:
            return await handler(request)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
            error.text = _words(request, error) + "\n"
            raise
    answer = await outcome_of(handler(request))
    if isinstance(answer, web.HTTPException):
        _explain(request, answer)
        raise answer
    if isinstance(answer, Exception):
        if request.writer.output_size > 0:
            raise answer  # part of another answer is out already
        log.error("%s %s failed", request.method, request.path, exc_info=answer, extra={"event": "server.failed"})
        text = "The program could not answer this. Its log says why; asking again may help."
        return web.Response(status=500, body=_body(500, text), content_type=JSON)
    if isinstance(answer, web.Response) and not answer.prepared:
        _explain(request, answer)
    return answer


def _explain(request: web.Request, answer: web.Response) -> None:
    """Turn an error in words into JSON, in place: cookies and the like stay."""
    if answer.status >= 400 and answer.content_type != JSON:
        answer.body = _body(answer.status, _words(request, answer))
        answer.content_type = JSON


def _words(request: web.Request, answer: web.Response) -> str:
    """For people; what aiohttp says by itself is no more than the status."""
    given = (answer.text or "").strip()
    if given and given != f"{answer.status}: {answer.reason}":
        return given
    match answer.status:
        case 404:
            return f"There is no {request.path[:200]!r} here. {API}openapi.json lists what there is."
        case 405:
            return f"{request.path[:200]} takes {answer.headers.get(hdrs.ALLOW)}, not {request.method[:20]}."
        case _:
            return HTTPStatus(answer.status).phrase


def _body(status: int, message: str, code: str | None = None) -> bytes:
    found = code or CODES.get(status) or ("bad_request" if status < 500 else "internal_error")
    return msgspec.json.encode(ErrorAnswer(ErrorBody(found, message.strip())))
