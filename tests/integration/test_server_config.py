"""`/api/v1/config` over real sockets."""

import asyncio
import http.client
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from edge.config import Config, SourceConfig
from edge.live import LiveSettings, live_keys
from edge.server.errors import API, json_errors
from edge.server.settings import ServerSettings
from tests.api import ask
from tests.serving import Served, serve
from tests.stage import Stage
from tests.wire import get

PATH = "/api/v1/config"
JSON = {"Content_Type": "application/json"}
TOKEN = "open-sesame"
CONFIG = Config(source=SourceConfig(uri="rtsp://cam/live"), server=ServerSettings(port=0, token=TOKEN))


@pytest.fixture
def settings() -> LiveSettings:
    return LiveSettings(CONFIG, lambda uri: uri)


@pytest.fixture
def served(settings: LiveSettings) -> Iterator[Served]:
    with serve(replace(Stage().backstage(), settings=settings), ServerSettings(port=0)) as served:
        yield served


def change(served: Served, patch: Any, **headers: str) -> tuple[int, dict[str, str], Any]:
    return ask(served.port, "PATCH", PATH, json.dumps(patch), **JSON, **headers)


def test_the_settings_are_shown_without_credentials(served: Served):
    status, headers, answer = ask(served.port, "GET", PATH)
    assert status == 200
    assert headers["content-type"].startswith("application/json")
    assert answer["config"]["expression"]["threshold"] == 0.45
    assert answer["config"]["source"]["uri"] == "rtsp://cam/live"
    assert answer["live"] == list(live_keys())
    assert "server.port" in answer["restart"]
    assert not set(answer["live"]) & set(answer["restart"])
    shown = json.dumps(answer)
    assert not any(secret in shown for secret in (TOKEN, "token", "certificate"))
    assert "not written" in answer["note"]


def test_a_change_is_answered_with_the_new_snapshot_and_told_in_the_log(
    served: Served, settings: LiveSettings, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    status, headers, answer = change(served, {"expression": {"threshold": 0.6}, "stream": {"quality": 50}})
    assert status == 200
    assert (answer["config"]["expression"]["threshold"], answer["config"]["stream"]["quality"]) == (0.6, 50)
    assert settings.current.expression.threshold == 0.6
    assert ask(served.port, "GET", PATH)[1]["etag"] == headers["etag"]
    (record,) = [one for one in caplog.records if getattr(one, "event", "") == "config.changed"]
    assert "127.0.0.1 changed" in record.getMessage()
    assert "expression.threshold = 0.6" in record.getMessage()
    assert "stream.quality = 50" in record.getMessage()


def test_a_merge_patch_is_taken_too(served: Served, settings: LiveSettings):
    body = '{"stream": {"quality": 40}}'
    assert ask(served.port, "PATCH", PATH, body, Content_Type="application/merge-patch+json; charset=utf-8")[0] == 200
    assert settings.current.stream.quality == 40


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ('{"expression": {"threshold": 7}}', 422, "invalid_settings", "expression.threshold"),
        ('{"expression": {"treshold": 0.5}}', 422, "invalid_settings", "did you mean `expression.threshold`"),
        ('{"server": {"port": 80}}', 422, "invalid_settings", "restart"),
        ('{"server": {"token": "12345678"}}', 422, "invalid_settings", "server.token cannot be changed"),
        ("[]", 422, "invalid_settings", "expected"),
        ('{"expression": null}', 422, "invalid_settings", "[expression] is a section"),
        ("", 400, "no_json", "no JSON"),
        ("{", 400, "no_json", "no JSON"),
        ('{"stream": {"quality": NaN}}', 400, "no_json", "no JSON"),
        ("[" * 60_000, 400, "bad_request", "nested too deeply"),
        ('{"a": "' + "x" * 70_000 + '"}', 413, "too_large", "65536"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_json(
    served: Served, settings: LiveSettings, body: str, status: int, code: str, words: str
):
    found, headers, answer = ask(served.port, "PATCH", PATH, body, **JSON)
    assert (found, answer["error"]["code"]) == (status, code)
    assert words in answer["error"]["message"]
    assert len(answer["error"]["message"]) < 2000
    assert headers["content-type"].startswith("application/json")
    assert settings.current is CONFIG


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "image/jpeg", ""])
def test_a_body_of_another_kind_is_refused(served: Served, kind: str):
    status, headers, answer = ask(served.port, "PATCH", PATH, "{}", Content_Type=kind)
    assert (status, answer["error"]["code"]) == (415, "unsupported_media_type")
    if kind != "text/plain":  # no API takes what a form on a foreign page could send
        assert "application/json" in headers["accept-patch"]


def test_privacy_is_tightened_and_never_loosened_from_outside(served: Served, settings: LiveSettings):
    assert change(served, {"privacy": {"video": "boxes"}})[0] == 200
    status, _, answer = change(served, {"privacy": {"video": "full"}})
    assert (status, answer["error"]["code"]) == (403, "cannot_be_loosened")
    assert "can only be loosened in the configuration file and by a restart" in answer["error"]["message"]
    assert settings.current.privacy.video == "boxes"


def test_who_looked_at_settings_that_were_changed_meanwhile_is_told(served: Served, settings: LiveSettings):
    seen = ask(served.port, "GET", PATH)[1]["etag"]
    assert change(served, {"stream": {"quality": 60}}, If_Match=seen)[0] == 200
    status, _, answer = change(served, {"stream": {"quality": 70}}, If_Match=seen)
    assert (status, answer["error"]["code"]) == (412, "changed_meanwhile")
    assert settings.current.stream.quality == 60
    assert change(served, {"stream": {"quality": 80}}, If_Match="*")[0] == 200
    assert change(served, {"stream": {"quality": 81}}, If_Match='W/"x"')[0] == 412


def test_who_has_seen_the_settings_need_not_be_sent_them_again(served: Served):
    etag = ask(served.port, "GET", PATH)[1]["etag"]
    assert ask(served.port, "GET", PATH, If_None_Match=etag)[0] == 304
    change(served, {"stream": {"quality": 60}})
    assert ask(served.port, "GET", PATH, If_None_Match=etag)[0] == 200


def test_of_changes_at_the_same_time_with_one_etag_exactly_one_wins(served: Served, settings: LiveSettings):
    seen = ask(served.port, "GET", PATH)[1]["etag"]

    def attempt(quality: int) -> int:
        return change(served, {"stream": {"quality": quality}}, If_Match=seen)[0]

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(attempt, range(20, 36)))
    assert sorted(statuses) == [200] + [412] * 15
    assert settings.current.stream.quality == 20 + statuses.index(200)


def test_changes_at_the_same_time_are_all_made(served: Served, settings: LiveSettings):
    patches = [{"expression": {key: 0.3}} for key in ("threshold", "smoothing_s", "hysteresis", "min_hold_s")]
    with ThreadPoolExecutor(4) as threads:
        assert [status for status, _, _ in threads.map(lambda patch: change(served, patch), patches * 5)] == [200] * 20
    now = settings.current.expression
    assert (now.threshold, now.smoothing_s, now.hysteresis, now.min_hold_s) == (0.3,) * 4


@pytest.mark.parametrize(("method", "path", "status", "code"), [
    ("GET", "/api/v1/nothing", 404, "not_found"),
    ("GET", "/api/v1/", 404, "not_found"),
    ("DELETE", PATH, 405, "method_not_allowed"),
    ("POST", PATH, 405, "method_not_allowed"),
])  # fmt: skip
def test_errors_of_the_api_are_json(served: Served, method: str, path: str, status: int, code: str):
    found, headers, answer = ask(served.port, method, path)
    assert (found, answer["error"]["code"]) == (status, code)
    assert headers["x-content-type-options"] == "nosniff"
    if status == 405:
        assert {"GET", "PATCH"} <= set(headers["allow"].split(","))
        assert headers["allow"] in answer["error"]["message"]


def test_errors_elsewhere_are_plain_text(served: Served):
    status, headers, body = get(served.port, "/nothing")
    assert status == 404
    assert headers["content-type"].startswith("text/plain")
    assert not body.startswith(b"{")


def test_a_fault_of_the_program_is_logged_once_and_not_told(
    served: Served, settings: LiveSettings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    def broken(_config: Config) -> None:
        raise ZeroDivisionError("a secret of the program")

    monkeypatch.setattr(settings, "shown", broken)
    status, headers, answer = ask(served.port, "GET", PATH)
    assert (status, answer["error"]["code"]) == (500, "internal_error")
    assert "secret" not in json.dumps(answer)
    assert headers["content-type"].startswith("application/json")
    (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert f"GET {PATH} failed" in record.getMessage()


def test_an_answer_that_is_under_way_is_not_continued_by_an_error():
    async def breaks_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"the beginning")
        raise ZeroDivisionError

    async def answer() -> bytes:
        app = web.Application(middlewares=[json_errors])
        app.router.add_get(f"{API}film", breaks_off)
        async with TestServer(app) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(f"GET {API}film HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            found = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            return found

    found = asyncio.run(answer())
    assert b"the beginning" in found
    assert found.count(b"HTTP/1.1 ") == 1
    assert b"internal_error" not in found


def test_without_the_token_the_api_says_so_in_json_and_changes_nothing(settings: LiveSettings):
    with serve(replace(Stage().backstage(), settings=settings), ServerSettings(port=0, token=TOKEN)) as served:
        status, headers, answer = ask(served.port, "PATCH", PATH, '{"stream": {"quality": 1}}', **JSON)
        assert (status, answer["error"]["code"]) == (401, "unauthorized")
        assert "www-authenticate" in headers
        assert settings.current is CONFIG
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert ask(served.port, "PATCH", PATH, '{"stream": {"quality": 1}}', **JSON, **bearer)[0] == 200


def test_a_head_request_gets_the_headers_alone(served: Served):
    status, headers, body = get(served.port, PATH, "HEAD")
    assert (status, body) == (200, b"")
    assert headers["etag"] == ask(served.port, "GET", PATH)[1]["etag"]


def test_a_refused_body_does_not_spoil_the_connection_for_the_next_request(served: Served):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    for body, status in (("[]", 422), ("{", 400), ("{}", 200)):
        connection.request("PATCH", PATH, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()
