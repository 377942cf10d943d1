"""What the operations of the API have in common: answers that many of them give, and options that many of them take."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta

from edge.server.errors import JSON, ErrorAnswer
from edge.server.openapi import Answer, Content, Parameter
from edge.server.picture_options import LEAST_FPS, LEAST_WIDTH_PX, MOST_FPS, MOST_WIDTH_PX

TEXT: Final = Content("text/plain", schema={"type": "string"})
HTML: Final = Content("text/html", schema={"type": "string"})
JPEG: Final = Content("image/jpeg", schema={"type": "string", "contentMediaType": "image/jpeg"})

Flag = Literal[0, 1]

TEXTS: Final = {
    304: "It has not changed since the client got it.",
    400: "The request cannot be understood; the message says what was expected.",
    401: "The token is missing or wrong.",
    403: "The request comes from a page of another site, calls this machine by a foreign name, or is not allowed by "
    "the settings.",
    404: "There is no such thing.",
    408: "The body came too slowly.",
    409: "Not in this state of things.",
    412: "The settings were changed meanwhile.",
    413: "The body is too large.",
    415: "The body is of another kind than is taken here.",
    416: "There is no such part of the file.",
    422: "The request is understood, and cannot be done; the message says why.",
    426: "This is a WebSocket.",
    429: "Too many wrong tokens.",
    503: "Too much is going on at once, or there are no pictures at the moment.",
    504: "It took too long.",
    507: "There is no space left for it.",
}
WAIT: Final = {"Retry-After": "seconds"}
HEADERS: Final = {401: {"WWW-Authenticate": "how to show the token"}, 429: WAIT, 503: WAIT}
NO_BODY: Final = (304,)

ETAG: Final = {"ETag": "changes with the settings"}

FPS = Parameter("fps", Annotated[float, Meta(ge=LEAST_FPS, le=MOST_FPS)], "at most so many pictures a second")
WIDTH = Parameter(
    "width", Annotated[int, Meta(ge=LEAST_WIDTH_PX, le=MOST_WIDTH_PX)], "at most so many px wide; never enlarged"
)
QUALITY = Parameter("quality", Annotated[int, Meta(ge=1, le=100)], "of the JPEGs; as `stream.quality` if not given")
RAW = Parameter("raw", Flag, "1: without boxes and labels")
RESULTS = Parameter("results", Flag, "1: each part has its result in the header `X-Emotion-Edge-Result`")
FORMAT = Parameter("format", Literal["jpeg", "json"], "json: the picture in Base64 with its result")


def refusals(*statuses: int, json: bool = False, gated: bool = True) -> dict[int, Answer]:
    """Answers that say no.

    Args:
        statuses: which, besides those of whoever has to show a token.
        json: whether they are JSON, as everywhere below /api/v1, or text.
        gated: whether a token is needed, if one is set.
    """
    words = (Content(JSON, ErrorAnswer),) if json else (TEXT,)
    found = {*statuses, 403, *((401, 429) if gated else ())}
    # whoever asks for a page is answered with one
    pages = {401: (HTML,), 429: (HTML,)} if not json else {}
    return {
        status: Answer(
            TEXTS[status], () if status in NO_BODY else (*words, *pages.get(status, ())), HEADERS.get(status, {})
        )
        for status in found
    }


def answered(
    text: str, *contents: Content, status: int = 200, headers: Mapping[str, str] | None = None
) -> dict[int, Answer]:
    """The answer one hopes for."""
    return {status: Answer(text, contents, headers or {})}
