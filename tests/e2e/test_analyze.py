"""`emotion-edge analyze` as a user runs it."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge import cli
from tests.clips import clip, picture

COMMAND = [sys.executable, "-m", "edge", "analyze"]
WAIT_S = 30.0


def analyze(*arguments: object, limit_b: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        if limit_b:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_b, limit_b))

    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S * 2,
        preexec_fn=limited,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, then a short film, a long one, and a picture."""
    folder = tmp_path_factory.mktemp("files")
    for number in (1, 2):
        picture(folder / f"a{number}.png", seed=number)
    clip(folder / "b.avi", 20)
    clip(folder / "c.mp4", 150)
    picture(folder / "d.png", seed=4)
    return folder


@pytest.fixture(scope="module")
def expected(files: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The records of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("expected") / "out"
    assert analyze(files, "--out", out).returncode == 0
    return (out / "records.jsonl").read_bytes()


def test_without_a_folder_records_go_to_stdout_and_words_to_stderr(files: Path, expected: bytes):
    done = analyze(files)
    assert done.returncode == 0
    assert done.stdout.encode() == expected
    assert "Analysed 3 pictures and 2 videos: 173 frames" in done.stderr
    rows = analyze(files, "--format", "csv").stdout.splitlines()
    assert rows[0].startswith("file,frame,media_s,width,height,face,x,y,w,h,label,confidence,")
    assert len(rows) - 1 == sum(max(len(json.loads(line)["faces"]), 1) for line in expected.splitlines())


def begun(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not holds():
        assert process.poll() is None, "it ended before"
        assert time.monotonic() < end_s
        time.sleep(0.002)


def finished(out: Path) -> list[str]:
    state = out / "state.json"
    return [done["name"] for done in json.loads(state.read_bytes())["done"]] if state.exists() else []


def in_the_long_film(out: Path) -> bool:
    part = out / ".unfinished" / "records"
    return "b.avi" in finished(out) and part.exists() and part.stat().st_size > 0


def test_a_run_that_was_killed_goes_on_and_loses_and_doubles_nothing(files: Path, expected: bytes, tmp_path: Path):
    out = tmp_path / "out"
    process = begun(files, "--out", out)
    try:
        wait_until(lambda: in_the_long_film(out), process)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert finished(out) == ["a1.png", "a2.png", "b.avi"]
    assert expected.startswith((out / "records.jsonl").read_bytes())
    again = analyze(files, "--out", out)
    assert again.returncode == 0
    assert "(3 files by an earlier run)" in again.stderr
    assert (out / "records.jsonl").read_bytes() == expected
    assert sorted(path.name for path in out.iterdir()) == ["records.jsonl", "state.json", "summary.json"]


def interrupt(files: Path, out: Path, *signals: signal.Signals) -> None:
    """Begin a run, and send it these while it is in the long film."""
    process = begun(files, "--out", out)
    try:
        wait_until(lambda: in_the_long_film(out), process)
        for number in signals:
            process.send_signal(number)
        _, errors = process.communicate(timeout=WAIT_S)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "Interrupted: the same command goes on where it was." in errors
    assert "Traceback" not in errors
    assert json.loads((out / "summary.json").read_bytes())["interrupted"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_cleanly_and_keeps_what_was_done(
    number: signal.Signals, files: Path, expected: bytes, tmp_path: Path
):
    out = tmp_path / "out"
    interrupt(files, out, number)
    assert finished(out) == ["a1.png", "a2.png", "b.avi"]
    assert analyze(files, "--out", out).returncode == 0
    assert (out / "records.jsonl").read_bytes() == expected


def test_a_second_one_ends_it_at_once_and_is_a_fault_too(files: Path, expected: bytes, tmp_path: Path):
    out = tmp_path / "out"
    interrupt(files, out, signal.SIGINT, signal.SIGTERM)
    assert analyze(files, "--out", out).returncode == 0
    assert (out / "records.jsonl").read_bytes() == expected


def test_so_is_one_before_anything_was_begun(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("edge.config_layers.load", pressed)
    assert cli.main(["analyze", "film.mp4"]) == 1
    assert capsys.readouterr().err == "Interrupted: the same command goes on where it was.\n"


def test_a_full_disk_ends_it_in_words_and_the_rest_is_done_later(files: Path, expected: bytes, tmp_path: Path):
    out = tmp_path / "out"
    done = analyze(files, "--out", out, limit_b=len(expected) // 2)
    assert done.returncode == 1
    assert re.search(r"cannot write to .*: File too large; what was done is kept", done.stderr)
    assert "Traceback" not in done.stderr
    assert finished(out) == ["a1.png", "a2.png", "b.avi"]
    assert analyze(files, "--out", out).returncode == 0
    assert (out / "records.jsonl").read_bytes() == expected


def test_a_reader_that_has_enough_is_no_fault(files: Path):
    pipe = f"{' '.join(COMMAND)} {files} | head -c 20"
    done = subprocess.run(["/bin/bash", "-c", f"set -o pipefail; {pipe}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""


def test_some_that_fail_give_1_and_all_that_go_0(files: Path, tmp_path: Path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is broken")
    done = analyze(tmp_path / "broken.jpg", files / "a1.png")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert f"{tmp_path / 'broken.jpg'}: the JPEG picture is broken" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: PATH"),
        (["no/such/file.jpg"], "no/such/file.jpg: there is no such file or folder"),
        (["."], "there is nothing to analyse in ."),
        (["x.jpg", "--threshold", "35"], "35 % is 0.35"),
        (["x.jpg", "--annotate"], "--out DIR"),
        (["x.jpg", "--save-chips"], "--out DIR"),
        (["x.jpg", "--out", "x.jpg"], "--out x.jpg is no folder"),
        (["x.jpg", "--format", "xml"], "invalid choice"),
        (["x.jpg", "--detector", "eyes"], "blazeface-full"),
        (["x.jpg", "--model", "no.tflite"], "no.tflite"),
        (["x.jpg", "--segment-s", "0.2"], "from 1 on, or 0 for whole videos, found 0.2"),
        (["x.jpg", "--segment-s", "9", "--annotate", "--out", "out"], "without --engine ray and --segment-s"),
        (["x.jpg", "--address", "127.0.0.1:1"], "give --engine ray with it"),
        (
            ["x.jpg", "--engine", "ray", "--address", "local"],
            "--address (or RAY_ADDRESS) is HOST:PORT of a Ray cluster's head",
        ),
        (["x.jpg", "--engine", "ray", "--address", "127.0.0.1:1"], "start one with `ray start --head`"),
    ],
)
def test_wrong_usage_gives_78(arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    picture(tmp_path / "x.jpg")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path / "empty" if arguments == ["."] else tmp_path)
    done = analyze(*arguments)
    assert done.returncode == 78
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_to_is_said_in_words(files: Path, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    done = analyze(files / "a1.png", "--out", tmp_path / "file" / "out")
    assert done.returncode == 1
    assert "cannot write to" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_native_reaches_stderr(files: Path, tmp_path: Path):
    whole = (files / "b.avi").read_bytes()
    (tmp_path / "half.avi").write_bytes(whole[: len(whole) // 2])
    jpeg = picture(tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    done = analyze(tmp_path, "--out", tmp_path / "out", "--annotate")
    for line in done.stderr.splitlines():
        assert line.startswith(("Analysed", "Failed", "Results", "  /", "/")) or "%" in line, line
    for codec in ("vp8", "vp9"):
        done = analyze(files / "b.avi", "--out", tmp_path / codec, "--annotate", "--codec", codec)
        assert next(line.split()[0] for line in done.stderr.splitlines()) == "Analysed"
        assert "tag" not in done.stderr
