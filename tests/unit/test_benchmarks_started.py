"""Programs that are started to be measured."""

import sys

import pytest

from benchmarks import started as module
from benchmarks.started import started
from edge.errors import PermanentError

pytestmark = pytest.mark.timeout(60)  # a log that fills its pipe shows as a program that hangs

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


def script(*lines: str) -> list[str]:
    return [sys.executable, "-c", "\n".join(("import os, signal, sys, time", *lines))]


def test_one_that_logs_more_than_a_pipe_holds_still_tells_its_address():
    told = "print('ready:', 'http://127.0.0.1:1234/', flush=True)"
    with started(script("sys.stderr.write('words\\n' * 50_000)", told, "time.sleep(60)")) as program:
        assert program.url() == "http://127.0.0.1:1234/"
        assert program.process.poll() is None
    assert program.process.returncode is not None


def test_one_that_ends_instead_is_an_error_with_its_last_words():
    with (
        pytest.raises(PermanentError, match=r"did not start: no such camera$"),
        started(script("print('first', 'no such camera', '', sep='\\n', file=sys.stderr)")) as program,
    ):
        program.url()


def test_one_that_says_nothing_is_an_error_too():
    with pytest.raises(PermanentError, match="it said nothing"), started(script()) as program:
        program.url()


def test_it_has_this_environment_and_what_is_added():
    told = "print(os.environ['PATH'] and 'http://' + os.environ['ADDED'], flush=True)"
    with started(script(told), {"ADDED": "there"}) as program:
        assert program.url() == "http://there"


@POSIX
def test_one_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 0.3)
    deaf = ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "print('http://deaf', flush=True)", "time.sleep(60)")
    with started(script(*deaf)) as program:
        assert program.url() == "http://deaf"
    assert program.process.returncode == -9


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="clocks of other processes, as Linux has")
def test_its_processor_time_is_its_own():
    busy = (
        "end = time.process_time() + 0.2",
        "while time.process_time() < end: pass",
        "print('http://done', flush=True)",
    )
    with started(script(*busy, "time.sleep(60)")) as program:
        program.url()
        assert 0.2 <= program.cpu_s() < 5
