"""The picture read by the programs that people use for it."""

import asyncio
import base64
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import cv2
import numpy as np
import pytest
from aiohttp import web

from edge.server.settings import ServerSettings
from tests.presenting import presenting
from tests.serving import Served, serve
from tests.stage import Stage
from tests.tools import require_tool

SETTINGS = ServerSettings(port=0, token="let-me-see-it")
FFMPEG = "apt install ffmpeg"


@pytest.fixture
def served() -> Iterator[Served]:
    stage = Stage()
    with stage.running(30), presenting(stage), serve(stage.backstage(), SETTINGS) as served:
        yield served


def told(command: list[str | Path]) -> str:
    """What a program says that ends by itself."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def signed_in(served: Served, path: str) -> str:
    return f"http://viewer:let-me-see-it@127.0.0.1:{served.port}{path}"


@pytest.mark.parametrize(
    ("query", "size"), [("", (640, 480)), ("width=320&raw=1", (320, 240)), ("results=1&quality=30", (640, 480))]
)
def test_ffprobe_counts_sixty_frames(served: Served, query: str, size: tuple[int, int]) -> None:
    ffprobe = require_tool("ffprobe", FFMPEG)
    asked = ["-show_entries", "stream=codec_name,width,height,nb_read_frames", "-count_frames", "-of", "json"]
    url = signed_in(served, f"/stream.mjpg?{query}")
    said = told([ffprobe, "-v", "error", "-f", "mpjpeg", *asked, "-read_intervals", "%+#60", url])
    (stream,) = json.loads(said)["streams"]
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("mjpeg", *size)
    assert int(stream["nb_read_frames"]) >= 60


def test_ffmpeg_makes_a_file_of_sixty_frames(served: Served, tmp_path: Path) -> None:
    ffmpeg = require_tool("ffmpeg", FFMPEG)
    film = tmp_path / "film.avi"
    url = signed_in(served, "/stream.mjpg?width=320")
    told([ffmpeg, "-v", "error", "-xerror", "-i", url, "-frames:v", "60", "-c", "copy", film])
    reader = cv2.VideoCapture(str(film))
    pictures = []
    while (read := reader.read())[0]:
        pictures.append(read[1])
    assert len(pictures) == 60
    assert all(picture.shape == (240, 320, 3) for picture in pictures)
    assert (pictures[0] != pictures[-1]).any()


@pytest.mark.parametrize(("query", "shape"), [("", (480, 640, 3)), ("width=320&fps=10&results=1", (240, 320, 3))])
def test_opencv_reads_each_kind(served: Served, query: str, shape: tuple[int, ...]) -> None:
    capture = cv2.VideoCapture(signed_in(served, f"/stream?{query}"), cv2.CAP_FFMPEG)
    try:
        pictures = [capture.read() for _ in range(10)]
    finally:
        capture.release()
    assert all(done and picture.shape == shape for done, picture in pictures)


def test_curl_saves_a_snapshot_and_shows_its_result(served: Served, tmp_path: Path) -> None:
    curl = require_tool("curl", "apt install curl")
    picture, headers = tmp_path / "picture.jpg", tmp_path / "headers"
    options = ["-sS", "--fail", "-u", "me:let-me-see-it", "--max-time", "20"]
    told([curl, *options, "-o", picture, "-D", headers, f"{served.url}snapshot.jpg?width=320"])
    assert cv2.imread(str(picture)).shape == (240, 320, 3)
    (result,) = [line for line in headers.read_text().splitlines() if line.lower().startswith("x-emotion-edge-result")]
    assert json.loads(result.partition(":")[2])["schema"] == 1
    answer = told([curl, *options, "-H", "Accept: application/json", f"{served.url}snapshot.jpg"])
    assert json.loads(answer)["result"]["faces"]
    assert "multipart/x-mixed-replace" in told([curl, *options, "-I", f"{served.url}stream.mjpg"])


def test_curl_saves_a_stream_until_it_is_ended(served: Served, tmp_path: Path) -> None:
    curl = require_tool("curl", "apt install curl")
    saved = tmp_path / "stream"
    command = [curl, "-sS", "-u", "me:let-me-see-it", "--max-time", "2", "-o", saved, f"{served.url}stream.mjpg?fps=10"]
    assert subprocess.run(command, timeout=30, check=False).returncode == 28, "ended by its own limit"
    parts = saved.read_bytes().split(b"--emotion-edge-frame\r\n")[1:-1]
    assert len(parts) > 5
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body) - 2}".encode() in head


SIGN_IN = {"Authorization": f"Basic {base64.b64encode(b'homeassistant:let-me-see-it').decode()}"}
"""As in the dialogue of its MJPEG and generic cameras: a name, which does not matter, and a password."""


@asynccontextmanager
async def home(served: Served) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A house's server that passes the camera's stream on as Home Assistant does: as it reads it."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:

        async def passed_on(request: web.Request) -> web.StreamResponse:
            async with session.get(f"{served.url}stream.mjpg", headers=SIGN_IN) as camera:
                response = web.StreamResponse(status=camera.status)
                response.content_type = camera.headers["Content-Type"]
                await response.prepare(request)
                while data := await camera.content.read(102_400):
                    await response.write(data)
                return response

        app = web.Application()
        app.router.add_get("/camera_proxy_stream", passed_on)
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            yield session, f"http://127.0.0.1:{runner.addresses[0][1]}/camera_proxy_stream"
        finally:
            await runner.cleanup()


def test_home_assistant_gets_its_still_picture(served: Served) -> None:
    async def still() -> tuple[int, str, bytes]:
        async with home(served) as (session, _), session.get(f"{served.url}snapshot.jpg", headers=SIGN_IN) as response:
            return response.status, response.content_type, await response.read()

    status, kind, body = asyncio.run(still())
    assert (status, kind) == (200, "image/jpeg")
    assert cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR).shape == (480, 640, 3)


def test_home_assistant_takes_a_still_picture_out_of_the_stream(served: Served) -> None:
    async def first() -> bytes:
        seen = b""
        async with home(served) as (session, _), session.get(f"{served.url}stream.mjpg", headers=SIGN_IN) as camera:
            # it looks for a picture's first and last marker
            while (end := seen.find(b"\xff\xd9")) < 0 or (start := seen.find(b"\xff\xd8")) < 0:
                seen += await camera.content.read(4096)
        return seen[start : end + 2]

    assert cv2.imdecode(np.frombuffer(asyncio.run(first()), np.uint8), cv2.IMREAD_COLOR).shape == (480, 640, 3)


def test_home_assistant_passes_the_stream_on(served: Served) -> None:
    async def pictures() -> list[bytes]:
        async with home(served) as (session, proxy), session.get(proxy) as response:
            assert response.headers["Content-Type"].startswith("multipart/x-mixed-replace")
            reader = aiohttp.MultipartReader.from_response(response)
            found = []
            for _ in range(10):
                part = await reader.next()
                assert isinstance(part, aiohttp.BodyPartReader)
                found.append(bytes(await part.read()))
            return found

    found = asyncio.run(pictures())
    assert len(set(found)) == 10
    assert all(cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR) is not None for body in found)
