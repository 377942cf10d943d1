"""The program's own log."""

import json
import logging

import pytest

from edge.logs import REPEAT_S, JsonFormatter, RepeatFilter, TextFormatter, event, rfc3339


@pytest.fixture
def record() -> logging.LogRecord:
    found = logging.LogRecord("edge.capture", logging.WARNING, "", 0, "no frame for %s s", (5,), None)
    found.created = 1_767_225_600.5
    found.event = "source.stalled"
    found.fields = {"retry_in_s": 0.4}
    return found


def test_time_is_rfc_3339_in_utc():
    assert rfc3339(1_767_225_600.5) == "2026-01-01T00:00:00.500Z"


def test_a_line_for_people(record: logging.LogRecord):
    line = TextFormatter().format(record)
    assert line == "2026-01-01T00:00:00.500Z WARNING source.stalled: no frame for 5 s retry_in_s=0.4"


def test_a_line_for_machines(record: logging.LogRecord):
    assert json.loads(JsonFormatter().format(record)) == {
        "time": "2026-01-01T00:00:00.500Z",
        "level": "warning",
        "event": "source.stalled",
        "message": "no frame for 5 s",
        "retry_in_s": 0.4,
    }


def test_an_error_brings_its_traceback_on_the_same_json_line():
    try:
        raise ValueError("oops")
    except ValueError as error:
        found = logging.LogRecord("x", logging.ERROR, "", 0, "bad", (), (type(error), error, error.__traceback__))
    line = JsonFormatter().format(found)
    assert "\n" not in line
    assert "ValueError: oops" in json.loads(line)["traceback"]


def test_repeats_are_held_back_and_counted():
    now = [0.0]
    repeat = RepeatFilter(lambda: now[0])

    def warn() -> tuple[bool, int]:
        found = logging.LogRecord("x", logging.WARNING, "", 0, "gone", (), None)
        found.event = "source.reconnecting"
        return repeat.filter(found), getattr(found, "repeats", -1)

    assert warn() == (True, 0)
    assert warn()[0] is False
    assert warn()[0] is False
    now[0] = REPEAT_S
    assert warn() == (True, 2)


def test_what_went_well_is_never_held_back():
    repeat = RepeatFilter(lambda: 0.0)
    found = logging.LogRecord("x", logging.INFO, "", 0, "online", (), None)
    found.event = "source.online"
    assert repeat.filter(found)
    assert repeat.filter(found)


def test_an_event_carries_its_name_and_fields(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO):
        event(logging.getLogger("edge.test"), logging.INFO, "a.b", "hello", n=1)
    assert (caplog.records[0].event, caplog.records[0].fields) == ("a.b", {"n": 1})  # type: ignore[attr-defined]


def test_an_answer_to_a_person_is_never_held_back():
    repeat = RepeatFilter(lambda: 0.0)
    for _ in range(2):
        found = logging.LogRecord("x", logging.ERROR, "", 0, "the settings stay as they were", (), None)
        found.event = "config.refused"
        assert repeat.filter(found)
