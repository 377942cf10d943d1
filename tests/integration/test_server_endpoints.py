"""State, metrics, health, the page's files and headers, over real sockets."""

import json
from collections.abc import Iterator

import msgspec
import pytest

from edge.server.settings import ServerSettings
from edge.status import Status
from tests.serving import Served, serve
from tests.stage import Stage
from tests.wire import get

ADDRESSES = [
    "/",
    "/stream.mjpg",
    "/stream",
    "/?action=stream",
    "/?action=snapshot",
    "/snapshot.jpg",
    "/state",
    "/events",
    "/metrics",
    "/livez",
    "/readyz",
    "/favicon.svg",
    "/static/app.js",
    "/static/base.css",
    "/static/palette.js",
]


@pytest.fixture
def served(stage: Stage) -> Iterator[Served]:
    with serve(stage.backstage(), ServerSettings(port=0)) as served:
        yield served


@pytest.mark.parametrize("path", ADDRESSES)
def test_head_gives_headers_and_wakes_nobody(stage: Stage, served: Served, path: str) -> None:
    status, headers, body = get(served.port, path, "HEAD")
    assert status == 200
    assert body == b""
    assert "content-type" in headers
    assert stage.encoded == 0
    assert stage.audience.count == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(served: Served, method: str) -> None:
    status, headers, body = get(served.port, "/state", method)
    assert status == 405
    assert f"/state takes GET,HEAD, not {method}." in body.decode()
    assert "GET" in headers["allow"]


@pytest.mark.parametrize("path", [*ADDRESSES, "/no-such-page"])
def test_every_answer_carries_the_security_headers(served: Served, path: str) -> None:
    _, headers, _ = get(served.port, path, "HEAD")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "aiohttp" not in headers["server"]


def test_the_state_is_the_status(stage: Stage, served: Served) -> None:
    stage.notices = ("the detector file is missing",)
    status, headers, body = get(served.port, "/state")
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert msgspec.convert(json.loads(body), Status) == stage.status()


def test_metrics_come_from_the_registry_alone(stage: Stage, served: Served) -> None:
    stage.step()
    _, headers, body = get(served.port, "/metrics")
    assert headers["content-type"].startswith("text/plain")
    assert b"emotion_edge_test_frames_total 1.0\n" in body
    assert b"python_info" not in body


@pytest.mark.parametrize(("path", "check"), [("/livez", "alive"), ("/readyz", "ready")])
def test_health_says_why(stage: Stage, served: Served, path: str, check: str) -> None:
    assert get(served.port, path)[0] == 200
    setattr(stage, check, (False, "no frame for 7 s"))
    status, _, body = get(served.port, path)
    assert (status, body) == (503, b"no frame for 7 s\n")


@pytest.mark.parametrize(
    "path", ["/nothing", "/static/nothing.js", "/static/../app.py", "/static/%2e%2e/app.py", "/?action=command"]
)
def test_what_is_not_there_is_not_found(served: Served, path: str) -> None:
    status, headers, body = get(served.port, path)
    assert (status, headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert b"There is no '" in body or b"There are `stream`" in body


def test_a_file_that_has_not_changed_is_not_sent_again(served: Served) -> None:
    _, headers, body = get(served.port, "/static/app.js")
    assert body
    status, _, body = get(served.port, "/static/app.js", If_None_Match=headers["etag"])
    assert (status, body) == (304, b"")
    assert get(served.port, "/static/app.js", If_None_Match='"other"')[0] == 200


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/static/app.js", "text/javascript"),
        ("/static/base.css", "text/css"),
        ("/favicon.svg", "image/svg+xml"),
    ],
)
def test_files_say_what_they_are(served: Served, path: str, kind: str) -> None:
    assert get(served.port, path)[1]["content-type"].startswith(kind)
