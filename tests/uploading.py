"""A client that sends pictures and videos, and a server that takes them."""

import http.client
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from edge.config import Config
from edge.live import LiveSettings
from edge.server.settings import ServerSettings
from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec
from edge.types import Pixels
from edge.uploads.desk import UploadDesk
from edge.uploads.pictures import PictureDesk
from edge.uploads.store import FreeSpace, free_bytes
from tests import wire
from tests.serving import serve
from tests.stage import Stage

BYTES = "application/octet-stream"

PATIENCE_S = 150.0
"""The processes that analyse uploads run only while nobody else wants to: on a busy machine, that may take a while."""

SHORT_FRAMES = 30
"""Of the film that is sent where any will do."""


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that such a process does."""
    wire.eventually(condition, what, within_s=PATIENCE_S, every_s=0.02)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of the error."""
        return str(self.json["error"]["code"])

    @property
    def message(self) -> str:
        """Of the error, in words."""
        return str(self.json["error"]["message"])


@dataclass(frozen=True, slots=True)
class Taking:
    """A server that takes uploads, and what is behind it."""

    port: int
    desk: UploadDesk
    settings: LiveSettings

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request."""
        return ask(self.port, method, path, body, **headers)

    def analyze(self, picture: bytes, options: str = "") -> Answer:
        """Send a picture."""
        return self.ask("POST", f"/api/v1/analyze{options}", picture)

    def send(self, video: bytes, options: str = "") -> Answer:
        """Send a video."""
        return self.ask("POST", f"/api/v1/videos{options}", video)

    def job(self, job_id: str) -> Any:
        """What is told of a video."""
        return self.ask("GET", f"/api/v1/videos/{job_id}").json

    def wait(self, job_id: str, *states: str) -> Any:
        """What is told of a video once it is in one of `states`; over, without."""
        wanted = states or ("done", "failed", "cancelled")
        eventually(lambda: self.job(job_id)["state"] in wanted, f"the video is {wanted}")
        return self.job(job_id)


def ask(port: int, method: str, path: str, body: bytes | Iterable[bytes] | None = None, **headers: str) -> Answer:
    """One request; underscores in header names become hyphens. A body of several pieces is sent in chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        named.setdefault("Content-Type", BYTES)
    try:
        connection.request(method, path, body, named, encode_chunked=True)
        response = connection.getresponse()
        got = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, got, response.read())
    finally:
        connection.close()


@contextmanager
def taking(
    folder: Path | str = "",
    *,
    pictures: PictureDesk | None = None,
    free: FreeSpace = free_bytes,
    privacy: dict[str, Any] | None = None,
    **uploads: Any,
) -> Iterator[Taking]:
    """A server with these `[uploads]`, and `[privacy]`."""
    config = msgspec.convert({"uploads": {"folder": str(folder), **uploads}, "privacy": privacy or {}}, Config)
    stage = Stage()
    stage.settings = LiveSettings(config)
    # tests are not to wait for an idle machine
    pictures = pictures or PictureDesk(priority="usual")
    desk = UploadDesk(stage.settings, pictures=pictures, video_priority="usual", free=free)
    backstage = replaced(stage, desk)
    with serve(backstage, ServerSettings(port=0)) as served:
        yield Taking(served.port, desk, stage.settings)


def replaced(stage: Stage, desk: UploadDesk) -> Any:
    """The stage's backstage, with this desk."""
    import dataclasses

    return dataclasses.replace(stage.backstage(), uploads=desk)


def people(size: str = "640x480") -> Pixels:
    """A picture with three drawn faces that the shipped model can read: uint8 (H, W, 3) BGR."""
    source = DemoSource(DemoSpec(size=size, fps=30, realtime=False), time.monotonic_ns, time.sleep)
    return np.array([source.read(1.0) for _ in range(40)][-1].pixels)


def encoded(picture: Pixels, suffix: str = ".jpg") -> bytes:
    """The picture as a file."""
    ok, data = cv2.imencode(suffix, picture)
    assert ok
    return bytes(data)
