"""The operations for people, players and supervisors: the page, the picture, what is seen, how the program is."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from edge.events import AggregateEvent, SceneEvent
from edge.server.errors import JSON
from edge.server.expected import (
    FORMAT,
    FPS,
    HTML,
    JPEG,
    QUALITY,
    RAW,
    RESULTS,
    TEXT,
    WIDTH,
    answered,
    refusals,
)
from edge.server.openapi import Content, Operation, Parameter
from edge.status import Status

STREAM: Final = Content("multipart/x-mixed-replace", schema={"type": "string"})
STREAM_TEXT: Final = (
    "Without end. Each part is a JPEG with `Content-Length`, `X-Timestamp` (seconds since 1970) and `X-Sequence`. A "
    "client that is slow gets fewer pictures, never old ones."
)
STREAM_OPTIONS: Final = (FPS, WIDTH, QUALITY, RAW, RESULTS)
SNAPSHOT_TEXT: Final = "The result is in the header `X-Emotion-Edge-Result`; with `format=json`, beside the picture."
SNAPSHOT: Final = Content(
    JSON,
    schema={
        "type": "object",
        "properties": {
            "result": {"anyOf": [{"$ref": "#/components/schemas/SceneEvent"}, {"type": "null"}]},
            "jpeg": {"type": "string", "contentEncoding": "base64"},
        },
        "required": ["result", "jpeg"],
    },
)
ACTION = Parameter("action", Literal["stream", "snapshot"], "as mjpg-streamer has it; without it, the page")
FEED: Final = Content("text/event-stream", schema={"type": "string"})


def _stream(path: str, name: str) -> Operation:
    return Operation(
        "get",
        path,
        name,
        "live",
        "The live picture as MJPEG",
        {**answered("The stream.", STREAM), **refusals(400, 503)},
        STREAM_OPTIONS,
        text=STREAM_TEXT,
    )


def _icon(path: str, name: str) -> Operation:
    answers = {**answered("The icon.", Content("image/svg+xml")), **refusals(304, gated=False)}
    return Operation("get", path, name, "page", "The page's icon", answers, open=True)


def _health(path: str, name: str, summary: str) -> Operation:
    answers = {**answered("It is.", TEXT), **refusals(503, gated=False)}
    return Operation("get", path, name, "operation", summary, answers, open=True)


PEOPLE: Final = (
    Operation(
        "get",
        "/",
        "page",
        "page",
        "The page; with `action`, the stream or a snapshot",
        {
            **answered("The page, the stream or the picture.", HTML, STREAM, JPEG, SNAPSHOT),
            **answered("The token in the address was right: the cookie is set, go on without.", status=303),
            **refusals(304, 400, 404, 503, 504),
        },
        (ACTION, *STREAM_OPTIONS, FORMAT),
    ),
    _stream("/stream.mjpg", "stream"),
    _stream("/stream", "streamAlias"),
    Operation(
        "get",
        "/snapshot.jpg",
        "snapshot",
        "live",
        "The next picture with its result",
        {
            **answered(
                "The picture.",
                JPEG,
                SNAPSHOT,
                headers={
                    "X-Timestamp": "when it was taken, seconds since 1970",
                    "X-Sequence": "number of the frame",
                    "X-Emotion-Edge-Result": "the SceneEvent as JSON, unless it is too long for a header",
                },
            ),
            **refusals(400, 503, 504),
        },
        (WIDTH, QUALITY, RAW, FORMAT, FPS, RESULTS),
        text=SNAPSHOT_TEXT,
    ),
    Operation(
        "get",
        "/events",
        "events",
        "live",
        "What is seen, as server-sent events",
        {**answered("The events.", FEED), **refusals(503)},
        (
            Parameter(
                "Last-Event-ID",
                Annotated[str, Meta(max_length=100, pattern=r"^[\x21-\x7e]*$")],
                "of the last one the client got: what it missed since comes first",
                where="header",
            ),
            Parameter(
                "last_event_id", Annotated[str, Meta(max_length=100)], "the same, for who cannot send that header"
            ),
            Parameter("status", Literal["0", "1"], "1: with the event `status`"),
        ),
        text="Without end. Unnamed events are SceneEvents, at most `server.events_hz` a second, with `id:`. The event "
        "`status` is what `/state` says, every 2 s; `aggregate` an AggregateEvent, where `privacy.events` is that.",
    ),
    Operation(
        "get",
        "/state",
        "state",
        "live",
        "What is running and how well",
        {**answered("The state.", Content(JSON, Status)), **refusals()},
    ),
    Operation(
        "get",
        "/metrics",
        "metrics",
        "operation",
        "Figures for Prometheus",
        {**answered("In Prometheus' text format.", TEXT), **refusals()},
    ),
    _health("/livez", "livez", "Whether all workers do their work; if not, a restart helps"),
    _health("/readyz", "readyz", "Whether pictures come and are analysed"),
    Operation(
        "get",
        "/login",
        "loginPage",
        "page",
        "Leads to the page",
        {**answered("Go to the page.", status=303), **refusals(gated=False)},
        open=True,
    ),
    Operation(
        "post",
        "/login",
        "login",
        "page",
        "Sign in: the answer sets the cookie",
        {**answered("Signed in; go to the page.", status=303), **refusals(401, 408, 413, 415, 429, 400)},
        body=(
            Content(
                "application/x-www-form-urlencoded",
                schema={"type": "object", "properties": {"token": {"type": "string"}}, "required": ["token"]},
            ),
        ),
        open=True,
    ),
    Operation(
        "post",
        "/logout",
        "logout",
        "page",
        "Sign out: the answer takes the cookie away",
        {**answered("Signed out; go to the page.", status=303), **refusals(gated=False)},
        open=True,
    ),
    _icon("/favicon.svg", "icon"),
    _icon("/favicon.ico", "iconAlias"),
    Operation(
        "get",
        "/static/{name}",
        "asset",
        "page",
        "A part of the page",
        {
            **answered(
                "The file.",
                Content("text/javascript", schema={"type": "string"}),
                Content("text/css", schema={"type": "string"}),
                HTML,
                Content("image/svg+xml"),
            ),
            **refusals(304, 404),
        },
        (Parameter("name", str, "of the file", where="path"),),
    ),
)

RECORDS: Final = (SceneEvent, AggregateEvent)
"""Types that are sent in other ways than as the body of an answer."""
