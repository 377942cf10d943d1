"""The operations below /api/v1, for programs; and the document of all operations."""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from edge import __version__
from edge.control import ControlStatus
from edge.schema import REF
from edge.server.config_api import TYPES
from edge.server.control import Wish
from edge.server.errors import JSON
from edge.server.expected import ETAG, Flag, answered, refusals
from edge.server.openapi import Content, Operation, Parameter, document
from edge.server.operations import PEOPLE, RECORDS
from edge.server.sender import Answer, Complaint, Greeting
from edge.server.settings_schema import components
from edge.server.uploads import PictureAnswer
from edge.uploads.store import RESULTS
from edge.uploads.videos import VideoJob


def _named(schema: str) -> dict[str, str]:
    return {"$ref": REF.format(name=schema)}


SETTINGS: Final = Content(JSON, schema=_named("Settings"))
PATCH: Final = tuple(
    Content(media, schema=_named("SettingsPatch"), example={"expression": {"threshold": 0.5}}) for media in TYPES
)
BYTES: Final = Content("application/octet-stream")
VIDEO_ID: Final = Parameter("id", str, "of the video", where="path")
PUSH_TEXT: Final = (
    "The client sends one JPEG in each binary message. The first message from the server is a Greeting; then comes "
    "an Answer for each picture that was analysed, and a Complaint for each message that was no such picture. "
    "A second sender is turned away with close code 1013."
)

API: Final = (
    Operation(
        "get",
        "/api/v1/config",
        "settings",
        "settings",
        "The settings, and which of them can be changed now",
        {**answered("The settings.", SETTINGS, headers=ETAG), **refusals(304, json=True)},
        (Parameter("If-None-Match", str, "the ETag of what the client has", where="header"),),
    ),
    Operation(
        "patch",
        "/api/v1/config",
        "changeSettings",
        "settings",
        "Change settings while the program runs",
        {
            **answered("The settings from now on.", SETTINGS, headers=ETAG),
            **refusals(400, 408, 412, 413, 415, 422, json=True),
        },
        (Parameter("If-Match", str, "the ETag of the settings that the change is made for", where="header"),),
        PATCH,
        text="All values are taken, or none. Privacy can be tightened, and only be loosened in the configuration file "
        "and by a restart or reload (403). Changes hold until then: no file is written.",
    ),
    Operation(
        "post",
        "/api/v1/control",
        "control",
        "source",
        "Pause, resume, stop or start the source",
        {
            **answered("What is wanted of the source from now on.", Content(JSON, ControlStatus)),
            **refusals(400, 408, 409, 413, 415, 422, json=True),
        },
        body=(Content(JSON, Wish),),
        text="`stop` closes the camera, so that its light goes out; `pause` keeps it open, and a film keeps its place.",
    ),
    Operation(
        "get",
        "/api/v1/push",
        "push",
        "source",
        "A WebSocket that takes pictures",
        {**answered("It is one now.", status=101), **refusals(400, 409, 426, json=True)},
        text=PUSH_TEXT,
    ),
    Operation(
        "post",
        "/api/v1/analyze",
        "analyzePicture",
        "files",
        "Analyse a picture",
        {
            **answered("What was found.", Content(JSON, PictureAnswer)),
            **refusals(400, 408, 413, 415, 422, 503, 504, 507, json=True),
        },
        (
            Parameter("threshold", Annotated[float, Meta(ge=0, le=1)], "below this confidence a face is `uncertain`"),
            Parameter("whole", Flag, "1: take the whole picture for a face if none is found"),
            Parameter("picture", Flag, "1: send the picture back with what was found drawn on it"),
        ),
        (BYTES, Content("image/*")),
    ),
    Operation(
        "post",
        "/api/v1/videos",
        "sendVideo",
        "files",
        "Send a video to be analysed",
        {
            **answered(
                "It waits for its turn.", Content(JSON, VideoJob), status=202, headers={"Location": "of the job"}
            ),
            **refusals(400, 408, 413, 415, 422, 503, 504, 507, json=True),
        },
        (Parameter("name", str, "what to call it"),),
        (BYTES, Content("video/*")),
    ),
    Operation(
        "get",
        "/api/v1/videos",
        "videos",
        "files",
        "All videos that were sent",
        {**answered("The videos.", Content(JSON, tuple[VideoJob, ...])), **refusals(json=True)},
    ),
    Operation(
        "get",
        "/api/v1/videos/{id}",
        "video",
        "files",
        "How far a video is, and what was found",
        {**answered("The video.", Content(JSON, VideoJob)), **refusals(404, json=True)},
        (VIDEO_ID,),
    ),
    Operation(
        "delete",
        "/api/v1/videos/{id}",
        "deleteVideo",
        "files",
        "Cancel a video and delete everything of it",
        {**answered("It is gone.", Content(JSON, VideoJob)), **refusals(404, json=True)},
        (VIDEO_ID,),
    ),
    Operation(
        "get",
        "/api/v1/videos/{id}/{file}",
        "videoResult",
        "files",
        "A file with results; Range requests work",
        {
            **answered(
                "The file.",
                Content("application/jsonl", schema={"type": "string"}),
                Content("text/csv", schema={"type": "string"}),
                Content("video/webm"),
            ),
            **answered("A part of it.", BYTES, status=206),
            **refusals(304, 404, 409, 416, 503, json=True),
        },
        (
            VIDEO_ID,
            Parameter("file", Literal[RESULTS], "which", where="path"),
            Parameter("download", str, "given: a browser saves it instead of showing it"),
        ),
    ),
    Operation(
        "get",
        "/api/v1/openapi.json",
        "description",
        "operation",
        "This document",
        {**answered("The document.", Content(JSON, schema={"type": "object"})), **refusals(json=True)},
    ),
    Operation(
        "get",
        "/api/v1/schema.json",
        "schema",
        "operation",
        "The JSON Schema of all records",
        {
            **answered("The schema.", Content("application/schema+json", schema={"type": "object"})),
            **refusals(json=True),
        },
    ),
)

TAGS: Final = {
    "live": "What the camera sees now",
    "files": "Pictures and videos that are sent to be analysed",
    "source": "The camera or film",
    "settings": "What the program goes by",
    "operation": "For whoever looks after the program",
    "page": "For people with a browser",
}
SECURITY: Final[dict[str, dict[str, Any]]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "the token"},
    "basic": {"type": "http", "scheme": "basic", "description": "any name; the token is the password"},
    "query": {"type": "apiKey", "in": "query", "name": "token", "description": "for what can send no header"},
}
DESCRIPTION: Final = (
    "Watches a camera, finds faces, names each face's expression and shows it live. HEAD works wherever GET does. "
    "A browser's cookie, set by POST /login, serves as the token too. Errors below /api/v1 are JSON (ErrorAnswer), "
    "elsewhere text."
)


def make_document() -> dict[str, Any]:
    """The OpenAPI document of all there is."""
    return document(
        (*PEOPLE, *API),
        {"title": "emotion-edge", "version": __version__, "description": DESCRIPTION},
        TAGS,
        SECURITY,
        records=(*RECORDS, Greeting, Answer, Complaint),
        more=components(),
    )
