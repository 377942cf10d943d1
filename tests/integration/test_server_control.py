"""Pause, resume, stop and start over HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from edge.control import Action, ControlStatus, asked
from edge.errors import PermanentError
from edge.server.settings import ServerSettings
from tests.serving import serve
from tests.stage import Stage
from tests.wire import Wire


class Desk:
    """Keeps what is asked for."""

    def __init__(self) -> None:
        self.status = ControlStatus()

    def ask(self, action: Action) -> ControlStatus:
        self.status = asked(self.status, action)
        return self.status


@contextmanager
def controlled(desk: Desk) -> Iterator[int]:
    """The port of a server whose source is that desk."""
    with serve(replace(Stage().backstage(), control=desk.ask), ServerSettings(port=0)) as served:
        yield served.port


def post(port: int, body: bytes, kind: str = "application/json") -> tuple[int, dict[str, Any]]:
    with Wire(port) as wire:
        wire.send("/api/v1/control", "POST", Content_Type=kind, Content_Length=str(len(body)))
        wire.sock.sendall(body)
        status = int(wire.read_headers()["status"])
        return status, json.loads(wire.read_all())


def test_each_action_is_answered_with_what_holds_from_then_on() -> None:
    with controlled(Desk()) as port:
        for action, paused, stopped in [
            ("pause", True, False),
            ("pause", True, False),
            ("resume", False, False),
            ("stop", False, True),
            ("start", False, False),
        ]:
            answer = {"paused": paused, "stopped": stopped}
            assert post(port, json.dumps({"action": action}).encode()) == (200, answer)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"action": "jump"}', 422, "unknown_action"),
        (b"{}", 422, "unknown_action"),
        (b'["pause"]', 422, "unknown_action"),
        (b'{"action": "pause", "for_s": 3}', 422, "unknown_action"),
        (b'{"action": ["pause"]}', 422, "unknown_action"),
        (b'{"action": "pause"', 400, "no_json"),
        (b'{"action": "\xff"}', 400, "no_json"),
        (b"", 400, "no_json"),
        (b"[" * 1000, 422, "unknown_action"),
        (b" " * 1025, 413, "too_large"),
    ],
)
def test_what_is_no_action_is_refused_and_nothing_is_done(body: bytes, status: int, code: str) -> None:
    desk = Desk()
    with controlled(desk) as port:
        found, answer = post(port, body)
    assert (found, answer["error"]["code"]) == (status, code)
    assert desk.status == ControlStatus()
    if status == 422:
        assert all(action in answer["error"]["message"] for action in ("pause", "resume", "stop", "start"))


def test_another_type_of_body_is_refused() -> None:
    desk = Desk()
    with controlled(desk) as port:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/octet-stream"):
            assert post(port, b'{"action": "stop"}', kind)[0] == 415
    assert desk.status == ControlStatus()


def test_what_a_source_cannot_do_is_a_conflict() -> None:
    class Fixed(Desk):
        def ask(self, action: Action) -> ControlStatus:
            raise PermanentError("it is taken frame by frame")

    with controlled(Fixed()) as port:
        status, answer = post(port, b'{"action": "stop"}')
    assert (status, answer["error"]["code"]) == (409, "not_possible")
    assert "frame by frame" in answer["error"]["message"]
