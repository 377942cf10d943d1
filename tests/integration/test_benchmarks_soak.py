"""A long run, made short: the real program, its viewers, and what ends it too early."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.soak import __main__ as soak
from benchmarks.soak.page import document
from benchmarks.soak.samples import read_record
from training.reporting.document import markdown

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked at as Linux does it")

INTERVAL_S = 0.4
SOURCE = "demo:?fps=30"


def programs(of: int) -> list[psutil.Process]:
    """The programs that a process watches."""
    return [child for child in psutil.Process(of).children() if "edge" in child.cmdline()]


def test_a_program_that_is_small_is_watched_and_sampled(tmp_path: Path):
    seen: list[tuple[list[int], int]] = []

    def look(line: str) -> None:
        assert "handles" in line
        (program,) = programs(os.getpid())
        seen.append((program.cpu_affinity(), program.rlimit(psutil.RLIMIT_AS)[0]))

    cores = os.sched_getaffinity(0)
    found = soak.survey(tmp_path, 4.8 / 60, SOURCE, look, small=True, interval_s=INTERVAL_S)
    assert len(seen) == 13
    assert set(map(repr, seen)) == {repr(([max(cores)], 512 << 20))}
    assert os.sched_getaffinity(0) == cores
    assert programs(os.getpid()) == []
    assert found.end == ""
    assert (found.start.name, found.unanswered, found.lost) == ("soak_small", 0, 0)
    assert found.visits >= 3
    assert 0 < found.pictures <= found.encoded + 10
    assert found.frames > 0
    assert found.events > 0
    assert 0 < found.mapped_mib <= 512
    assert found.cpu_share > 0
    samples = read_record(tmp_path / "soak_small.jsonl").samples
    assert sum(each.ages_ms != () for each in samples[1:]) >= 6
    assert all(0 < age < 5000 for each in samples for age in each.ages_ms)
    assert max(each.handles for each in samples) - min(each.handles for each in samples) <= 1
    assert "run.ended" in (tmp_path / "soak_small.log").read_text(encoding="utf-8")


def test_a_program_that_is_killed_is_reported_with_what_was_seen_of_it(tmp_path: Path):
    lines = []

    def kill(line: str) -> None:
        lines.append(line)
        if len(lines) == 4:
            programs(os.getpid())[0].kill()

    found = soak.survey(tmp_path, 10, SOURCE, kill, interval_s=INTERVAL_S)
    assert found.end.startswith("the program was killed by SIGKILL; its last words: ")
    assert len(read_record(tmp_path / "soak.jsonl").samples) == len(lines) == 4
    page = markdown(document(found))
    assert "**not kept**: it runs for 10 minutes: the program was killed by SIGKILL" in page


def test_a_program_that_does_not_start_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert soak.main(["--source", "file:nowhere.mp4", "--out", str(tmp_path)]) == 78
    assert "the program to be watched did not start: emotion-edge: there is no file" in capsys.readouterr().err


def runner(folder: Path) -> "subprocess.Popen[str]":
    """A run that is under way."""
    options = ["--minutes", "5", "--interval", str(INTERVAL_S), "--source", SOURCE, "--out", str(folder)]
    command = [sys.executable, "-m", "benchmarks.soak", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    for _ in range(3):
        assert "handles" in process.stdout.readline()
    return process


def gone(children: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(children, timeout=20)[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_from_outside_has_its_page(number: signal.Signals, tmp_path: Path):
    with runner(tmp_path) as process:
        children = psutil.Process(process.pid).children()
        # as a terminal does it: to all that were started there
        os.killpg(process.pid, number)
        said, error = process.communicate(timeout=30)
        assert process.returncode == 1
    assert "page in" in said
    assert "error: it was ended from outside" in error
    assert "it was ended from outside" in (tmp_path / "soak.md").read_text(encoding="utf-8")
    assert gone(children)


def test_a_runner_that_is_killed_leaves_a_record_and_no_program(tmp_path: Path):
    with runner(tmp_path) as process:
        children = psutil.Process(process.pid).children()
        assert len(children) == 2
        process.kill()
        process.communicate(timeout=30)
    assert gone(children)
    record = tmp_path / "soak.jsonl"
    assert soak.main(["--from", str(record), "--out", str(tmp_path)]) == 1
    assert "the record breaks off" in (tmp_path / "soak.md").read_text(encoding="utf-8")


def test_nobody_takes_precedence_who_may_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "setpriority", refuse)
    assert soak.main(["--nice", "-5", "--out", str(tmp_path)]) == 78


def test_the_default_film_is_made_of_a_clip_with_a_face(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(soak, "real_clip", lambda: None)
    monkeypatch.setattr(soak, "FRAMES", 3)
    with soak._shown(None) as (uri, name, fps):
        path = Path(uri.removeprefix("file:").removesuffix("?loop=1"))
        assert path.stat().st_size > 10_000
    assert not path.exists()
    assert (name, fps) == ("Generated clip, 3 frames of 640×480 as Motion JPEG over and over", 30)
