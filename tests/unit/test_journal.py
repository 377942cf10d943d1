"""The log as entries of systemd's journal."""

import io
import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge.journal import JournalHandler, datagram, field_name, is_journal, priority
from edge.logs import event, setup
from tests.service_manager import entry, listening, stream_of


@pytest.fixture
def logger() -> logging.Logger:
    found = logging.getLogger("edge.test-journal")
    found.propagate = False
    found.setLevel(logging.DEBUG)
    found.handlers = []
    return found


def test_an_event_is_one_entry_with_its_fields_and_neither_time_nor_level_in_its_text(logger: logging.Logger):
    with listening() as journal:
        logger.addHandler(JournalHandler(journal.address))
        event(logger, logging.WARNING, "source.stalled", "no frame for 5 s", retry_in_s=0.4, **{"a.b": "c"})
        journal.wait_for(lambda: len(journal.messages) == 1, "an entry")
    assert journal.entries == [
        {
            "MESSAGE": "source.stalled: no frame for 5 s retry_in_s=0.4 a.b=c",
            "PRIORITY": "4",
            "SYSLOG_IDENTIFIER": "emotion-edge",
            "EMOTION_EDGE_EVENT": "source.stalled",
            "EMOTION_EDGE_RETRY_IN_S": "0.4",
            "EMOTION_EDGE_A_B": "c",
        }
    ]


def test_a_traceback_and_what_a_stranger_sent_stay_in_their_fields(logger: logging.Logger):
    with listening() as journal:
        logger.addHandler(JournalHandler(journal.address))
        try:
            raise ValueError("oops")
        except ValueError:
            logger.exception("it broke", extra={"event": "run.failed", "fields": {"client": "x\nPRIORITY=0\nÄ"}})
        journal.wait_for(lambda: len(journal.messages) == 1, "an entry")
    (found,) = journal.entries
    assert found["PRIORITY"] == "3"
    assert found["MESSAGE"].startswith("run.failed: it broke")
    assert found["MESSAGE"].endswith("ValueError: oops")
    assert found["EMOTION_EDGE_CLIENT"] == "x\nPRIORITY=0\nÄ"
    assert found.keys() == {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "EMOTION_EDGE_EVENT", "EMOTION_EDGE_CLIENT"}


def test_a_value_of_several_lines_is_sent_with_its_length():
    assert datagram([("A", "x"), ("B", "x\ny")]) == b"A=x\nB\n\x03\0\0\0\0\0\0\0x\ny\n"
    assert entry(datagram([("A", "x"), ("B", "x\ny\n"), ("C", "")])) == {"A": "x", "B": "x\ny\n", "C": ""}


def test_without_a_journal_it_is_told_on_stderr_with_the_priority_before_each_line(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
):
    logger.addHandler(JournalHandler("\0nobody-listens-here"))
    event(logger, logging.ERROR, "a.b", "one\ntwo", n=1)
    assert capsys.readouterr().err == "<3>a.b: one\n<3>two n=1\n"


def test_an_entry_that_is_too_large_is_told_on_stderr(logger: logging.Logger, capsys: pytest.CaptureFixture[str]):
    with listening() as journal:
        logger.addHandler(JournalHandler(journal.address))
        event(logger, logging.INFO, "a.b", "x" * 10_000_000)
        assert journal.messages == []
    assert capsys.readouterr().err == f"<6>a.b: {'x' * 10_000_000}\n"


class Full(io.StringIO):
    """A stream that takes nothing, where whoever writes waits for ever."""

    def write(self, text: str) -> int:
        """Tells who would have waited."""
        pytest.fail(f"held up by {text!r}")


def test_a_journal_that_takes_nothing_holds_nobody_up_and_is_told_what_it_missed(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "stderr", Full())  # which the same journal reads
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind("\0emotion-edge-deaf-journal")
        journal.setblocking(False)
        logger.addHandler(JournalHandler("\0emotion-edge-deaf-journal"))
        for number in range(5000):
            event(logger, logging.INFO, "a.b", f"number {number}")
        taken = 0
        with suppress(BlockingIOError):
            while journal.recv(1000):
                taken += 1
        event(logger, logging.INFO, "a.b", "again\nthere", n=1)
        event(logger, logging.INFO, "a.b", "as ever")
        told, after = (entry(journal.recv(1000)) for _ in range(2))
    assert 0 < taken < 5000
    assert told["EMOTION_EDGE_LOST"] == str(5000 - taken)
    assert told["MESSAGE"] == f"a.b: again lost={5000 - taken}\nthere n=1"
    assert "EMOTION_EDGE_LOST" not in after


@pytest.mark.parametrize(
    ("level", "number"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3), (logging.CRITICAL, 2)],
)
def test_levels_are_those_of_syslog(level: int, number: int):
    assert priority(level) == number


def test_names_of_fields_are_what_the_journal_takes():
    assert field_name("expression.threshold") == "EMOTION_EDGE_EXPRESSION_THRESHOLD"
    assert field_name("größe-px") == "EMOTION_EDGE_GR_SSE_PX"
    assert len(field_name("x" * 100)) == 64


def test_it_is_the_journal_only_where_systemd_says_so(tmp_path: Path):
    with (tmp_path / "file").open("w") as file:
        descriptor = file.fileno()
        assert is_journal(descriptor, {"JOURNAL_STREAM": stream_of(descriptor)})
        assert not is_journal(descriptor, {"JOURNAL_STREAM": "8:1"})
        assert not is_journal(descriptor, {})
    assert not is_journal(descriptor, {"JOURNAL_STREAM": "8:1"})


@pytest.fixture
def _root_logger() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    yield
    for handler in root.handlers:
        if handler not in before[1]:
            handler.close()
    root.handlers = before[1]
    root.setLevel(before[0])


@pytest.mark.usefixtures("_root_logger")
@pytest.mark.parametrize(("style", "is_native"), [("auto", True), ("text", False), ("json", False)])
def test_the_format_auto_takes_the_journal_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, style: str, is_native: bool
):
    monkeypatch.setenv("JOURNAL_STREAM", stream_of(2))
    setup("info", style)  # type: ignore[arg-type]
    assert isinstance(logging.getLogger().handlers[0], JournalHandler) == is_native


@pytest.mark.usefixtures("_root_logger")
def test_elsewhere_the_format_auto_is_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    setup("info", "auto")
    event(logging.getLogger("edge"), logging.INFO, "a.b", "hello", n=1)
    assert capsys.readouterr().err.endswith("Z INFO    a.b: hello n=1\n")
