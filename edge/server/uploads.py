"""Pictures and videos that clients send: `/api/v1/analyze` and `/api/v1/videos`."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

from edge.events import SceneEvent
from edge.server.answers import NO_STORE, json_answer
from edge.server.bodies import read_body, stream_body
from edge.server.errors import api_error
from edge.server.seats import Seats
from edge.uploads.desk import UploadDesk
from edge.uploads.naming import attachment, download_name, shown_name
from edge.uploads.pictures import MAX_BYTES
from edge.uploads.refused import Refused
from edge.uploads.store import ANNOTATED, RESULTS
from edge.uploads.videos import VideoJob

PICTURE_TIMEOUT_S: Final = 60.0
"""For all of a picture to come."""
DOWNLOAD_S: Final = 600.0
"""A client that takes longer for a result, such as a player that is paused, has to ask for the rest of it."""

STATUSES: Final = {
    "bad_option": 400,
    "empty": 400,
    "disabled": 403,
    "private": 403,
    "not_done": 409,
    "too_large": 413,
    "too_many_pixels": 413,
    "unsupported_media_type": 415,
    "broken": 422,
    "crashed": 422,
    "too_slow": 422,
    "busy": 503,
    "unavailable": 503,
    "timeout": 504,
    "no_space": 507,
}
"""What each code of a `Refused` means in HTTP."""

TYPES: Final = {
    "events.jsonl": "application/jsonl; charset=utf-8",
    "events.csv": "text/csv; charset=utf-8",
    ANNOTATED: "video/webm",
}

SWITCHES: Final = {"1": True, "true": True, "0": False, "false": False}


class PictureAnswer(msgspec.Struct, frozen=True):
    """What `/api/v1/analyze` answers.

    Attributes:
        result: the same record as of a live scene.
        message: the same for people.
        annotated_jpeg: the picture with what was found drawn on it, in Base64; null if it was not asked for, or if
            `privacy.video` shows none.
    """

    result: SceneEvent
    message: str
    annotated_jpeg: bytes | None


class _Download(web.FileResponse):
    """A file that a handler may send by itself: aiohttp prepares what it gets from one once more."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        return None if self.prepared else await super().prepare(request)


class Uploads:
    """Handlers. `max_clients` downloads at once."""

    def __init__(self, desk: UploadDesk, max_clients: int) -> None:
        self._desk = desk
        self._seats = Seats(max_clients, "downloads")

    async def analyze(self, request: web.Request) -> web.Response:
        """POST `/api/v1/analyze`: the bytes of a picture; its record."""
        self._check_enabled()
        options = _options(request, "threshold", "whole", "picture")
        threshold = _share(options, "threshold")
        whole, annotate = _switch(options, "whole"), _switch(options, "picture")
        most, limit = round(self._desk.settings.current.uploads.max_mb * 1e6), "uploads.max_mb"
        if most > MAX_BYTES:
            most, limit = MAX_BYTES, "the most a picture may have"
        _check_form(request)
        try:
            with self._desk.pictures.room(min(request.content_length or most, most)):
                data = await read_body(request, most, PICTURE_TIMEOUT_S, limit)
                config = self._desk.settings.current
                found, jpeg = await self._desk.pictures.analyse(
                    config, data, threshold=threshold, whole=whole, annotate=annotate
                )
        except Refused as error:
            raise _answer(error) from error
        if self._desk.settings.current.privacy.video != config.privacy.video:
            jpeg = b""  # it has become stricter meanwhile
        return json_answer(PictureAnswer(found.result, found.message, jpeg or None))

    async def send(self, request: web.Request) -> web.Response:
        """POST `/api/v1/videos`: the bytes of a video; its id."""
        self._check_enabled()
        name = shown_name(_options(request, "name").get("name"))
        most = round(self._desk.settings.current.uploads.max_mb * 1e6)
        _check_form(request)
        # of what is too large, the body says so itself, and the disk need not be asked
        announced = min(request.content_length or 0, most)
        try:
            async with aclosing(stream_body(request, most, "uploads.max_mb")) as chunks:
                job = await self._desk.videos.take_in(name, chunks, announced)
        except Refused as error:
            raise _answer(error) from error
        return json_answer(job, 202, Location=f"{request.path}/{job.id}")

    async def index(self, _request: web.Request) -> web.Response:
        """GET `/api/v1/videos`: all there are."""
        self._check_enabled()
        return json_answer(self._desk.videos.jobs())

    async def job(self, request: web.Request) -> web.Response:
        """GET `/api/v1/videos/{id}`: how far it is, and what was found."""
        return json_answer(self._known(request))

    async def result(self, request: web.Request) -> web.StreamResponse:
        """GET `/api/v1/videos/{id}/{file}`: a file with results; of the video, any part."""
        job, file = self._known(request), request.match_info["file"]
        if file not in RESULTS:
            raise api_error(404, f"A video has no {file[:100]!r}. There are {', '.join(RESULTS)}.")
        try:
            path = self._desk.videos.result(job.id, file)
        except Refused as error:
            raise _answer(error) from error
        if path is None:
            raise api_error(404, f"This video has no {file}: {job.message}")
        headers: dict[str, str] = {**NO_STORE, hdrs.CONTENT_TYPE: TYPES[file]}
        if file != ANNOTATED or "download" in request.query:
            headers[hdrs.CONTENT_DISPOSITION] = attachment(download_name(job.name, file))
        return await self._sent(request, path, headers)

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE `/api/v1/videos/{id}`: cancels it, and deletes everything of it."""
        job = await self._desk.videos.delete(self._known(request).id)
        if job is None:
            raise _unknown()
        return json_answer(job)

    async def _sent(self, request: web.Request, path: Path, headers: dict[str, str]) -> web.StreamResponse:
        response = _Download(path, headers=headers)
        with self._seats.taken():
            try:
                async with asyncio.timeout(DOWNLOAD_S):
                    await response.prepare(request)
            except TimeoutError:
                if request.transport is not None:
                    request.transport.abort()
        return response

    def _known(self, request: web.Request) -> VideoJob:
        self._check_enabled()
        job = self._desk.videos.job(request.match_info["id"])
        if job is None:
            raise _unknown()
        return job

    def _check_enabled(self) -> None:
        if not self._desk.settings.current.uploads.enabled:
            raise _answer(Refused("disabled", "Nothing can be sent here: uploads.enabled is off."))


def _answer(error: Refused) -> web.HTTPException:
    waiting = {"Retry_After": str(error.retry_after_s)} if error.retry_after_s else {}
    answer = api_error(STATUSES[error.code], error.message, error.code, **waiting)
    # the rest of the body may still be on its way
    answer.force_close()
    return answer


def _unknown() -> web.HTTPException:
    return api_error(404, "There is no such video. It may have been deleted, or expired (uploads.keep_minutes).")


def _options(request: web.Request, *known: str) -> dict[str, str]:
    """What stands behind the `?`."""
    found = {name: value for name, value in request.query.items() if name != "token"}
    unknown = sorted(set(found) - set(known))
    if unknown:
        text = f"unknown option {unknown[0][:50]!r}; there are {', '.join(known)}."
        raise _answer(Refused("bad_option", text))
    for name in found:
        if len(given := request.query.getall(name)) > 1:
            raise _answer(Refused("bad_option", f"{name} is given {len(given)} times, expected once."))
    return found


def _share(options: dict[str, str], name: str) -> float | None:
    text = options.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise _answer(Refused("bad_option", f"{name} is a share from 0 to 1 such as 0.35, found {text[:50]!r}."))
    return value


def _switch(options: dict[str, str], name: str) -> bool:
    text = options.get(name, "0")
    if text not in SWITCHES:
        raise _answer(Refused("bad_option", f"{name} is 0 or 1, found {text[:50]!r}."))
    return SWITCHES[text]


def _check_form(request: web.Request) -> None:
    """A form's parts are not taken apart: what is sent is the file itself."""
    if request.content_type.startswith("multipart/"):
        text = "This is a form; expected the file itself as the body, as `curl --data-binary @FILE` sends it."
        raise _answer(Refused("unsupported_media_type", text))
