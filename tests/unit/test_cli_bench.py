"""`emotion-edge bench`: what it refuses before the minutes it takes, and what it leaves behind."""

import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from edge.bench import figures as bench
from edge.cli import main
from edge.machine import describe
from tests.unit.test_bench_against import OLD, REPORT

HERE = replace(OLD, whole=replace(REPORT, machine=describe()))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What was asked for; nothing is measured."""
    asked: list[dict[str, object]] = []

    def measure(source: str | None, **options: object) -> bench.Figures:
        options["say"]("measuring")
        asked.append({"source": source, **options})
        return HERE

    monkeypatch.setattr(bench, "measure_all", measure)
    return asked


def old(tmp_path: Path, figures: bench.Figures) -> str:
    (tmp_path / "old.json").write_bytes(msgspec.json.encode(figures))
    return str(tmp_path / "old.json")


def test_figures_are_shown_and_written(
    measured: list[dict[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "new" / "now.json"
    assert main(["bench", "--quick", "--model", "a.tflite", "--model", "b.tflite", "--json", str(out)]) == 0
    assert measured[0]["quick"] is True
    assert measured[0]["models"] == (Path("a.tflite"), Path("b.tflite"))
    assert msgspec.json.decode(out.read_bytes(), type=bench.Figures) == HERE
    assert json.loads(out.read_text())["whole"]["fps"] == REPORT.fps
    assert [path.name for path in out.parent.iterdir()] == ["now.json"]
    shown = capsys.readouterr()
    assert "One factor at a time" in shown.out
    assert "[0:00] measuring …" in shown.err
    assert "measuring" not in shown.out


def test_an_earlier_run_is_compared(
    measured: list[dict[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = old(tmp_path, replace(HERE, quick=True))
    # it may be replaced by this run: it is read first
    assert main(["bench", "--against", path, "--json", path]) == 0
    out = capsys.readouterr().out
    assert f"Against {path}" in out
    assert "one of the runs was a quick one: the earlier" in out
    assert msgspec.json.decode(Path(path).read_bytes(), type=bench.Figures) == HERE


def refusal(arguments: list[str], measured: list[dict[str, object]], capsys: pytest.CaptureFixture[str]) -> str:
    """What it says when it refuses, without having measured."""
    assert main(["bench", *arguments]) == 78
    assert measured == []
    return capsys.readouterr().err


def test_another_machine_is_refused_before_it_is_measured(
    measured: list[dict[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = old(tmp_path, OLD)
    said = refusal(["--against", path], measured, capsys)
    assert "the earlier figures are of another machine (board Raspberry Pi 5" in said
    assert "cpu Cortex-A76, now" in said


def test_another_clip_is_refused_before_it_is_measured(
    measured: list[dict[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = old(tmp_path, HERE)
    said = refusal(["--against", path, "--source", "holiday.mp4"], measured, capsys)
    assert "of the clip 'generated clip', not 'holiday.mp4'" in said


def test_a_file_that_is_no_earlier_run_is_refused(
    measured: list[dict[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "other.json").write_text("{}")
    assert "holds no figures" in refusal(["--against", str(tmp_path / "other.json")], measured, capsys)
    assert "cannot read" in refusal(["--against", str(tmp_path / "nowhere.json")], measured, capsys)


def test_a_file_that_cannot_be_written_is_refused_before_it_is_measured(
    measured: list[dict[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").write_text("")
    below_a_file = str(tmp_path / "file" / "now.json")
    assert f"{tmp_path / 'file'} is no folder" in refusal(["--json", below_a_file], measured, capsys)
    assert "No such file" in refusal(["--json", "/proc/nowhere/now.json"], measured, capsys)
    assert "it is a folder" in refusal(["--json", str(tmp_path)], measured, capsys)


def test_figures_that_cannot_be_written_in_the_end_are_shown_all_the_same(
    measured: list[dict[str, object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.files.write_whole", full)
    assert main(["bench", "--json", str(tmp_path / "now.json")]) == 78
    shown = capsys.readouterr()
    assert "One factor at a time" in shown.out
    assert "No space left on device" in shown.err
