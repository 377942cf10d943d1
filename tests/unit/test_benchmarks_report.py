"""The page about a run of the benchmarks, from figures made up."""

from pathlib import Path

import cv2
import msgspec
import pytest

from benchmarks import __main__ as command
from benchmarks.pictures import draw_rounds, draw_stages
from benchmarks.report import Measured, report_on
from edge.bench.figures import Figures
from edge.bench.served import Served
from edge.bench.whole import Report, Timing
from edge.errors import ConfigError
from edge.machine import Machine
from training.reporting.style import new_figure

MACHINE = Machine(
    board="",
    cpu="Some CPU",
    arch="aarch64",
    cores=4,
    memory_mb=3792,
    governor="ondemand",
    temperature_c=51.3,
    load=0.25,
    system="Linux-6.12",
    python="3.13.5",
    opencv="4.12.0",
    numpy="2.2.4",
    emotion_edge="9.8.7",
)
STAGES = {
    "decode": Timing(900, 1.11, 1.101, 1.432, 1.703),
    "detect": Timing(180, 9.12, 9.021, 11.532, 12.003),
    "classify": Timing(850, 0.61, 0.601, 0.732, 0.903),
}
REPORT = Report(
    machine=MACHINE,
    clip="generated clip",
    frames=900,
    detector="some-detector",
    interval=5,
    faces=0.94,
    stages=STAGES,
    whole=Timing(900, 4.44, 3.141, 13.592, 15.003),
    floor=Timing(900, 3.55, 2.718, 11.281, 12.803),
    ratio=1.234,
    ratio_of_means=1.345,
    fps=217.4,
)
SERVED = Served(
    clip="generated clip",
    fps=30,
    rounds=3,
    program_ms=(4.211, 4.322, 4.433),
    floor_ms=(3.111, 3.122, 3.133, 3.144),
    ratio=1.382,
    shown=0.997,
    detections=0.201,
)
FIGURES = Figures(REPORT, SERVED)


def rows(page: Path) -> list[tuple[str, ...]]:
    """The cells of every table's rows."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return [tuple(line.strip("| ").split(" | ")) for line in lines if line.startswith("| ")]


def test_the_page_states_its_conditions(tmp_path: Path):
    page = report_on({"generated": FIGURES}, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert page == tmp_path / "report.md"
    assert text.startswith("# Measured on Some CPU\n")
    assert "- Some CPU, aarch64, 4 cores, 3792 MB of memory, governor ondemand\n- Linux-6.12\n" in text
    assert "emotion-edge 9.8.7, Python 3.13.5, OpenCV 4.12.0, NumPy 2.2.4" in text
    assert "640×480 pixels" in text
    assert ("generated clip", "900", "0.9", "some-detector", "5", "0.25", "51") in rows(page)
    assert text.index("| generated clip | 900") < text.index("## Overview") < text.index("## generated clip")


def test_the_page_has_the_figures_it_was_given(tmp_path: Path):
    page = report_on({"generated": FIGURES}, tmp_path)
    found = rows(page)
    assert ("generated clip", "3.141", "1.23", "217", "4.32", "1.38") in found
    for name, spent in [*STAGES.items(), ("whole frame", REPORT.whole), ("floor", REPORT.floor)]:
        values = (spent.mean_ms, spent.p50_ms, spent.p95_ms, spent.p99_ms)
        assert (name, str(spent.runs), *(f"{ms:.3f}" for ms in values)) in found
    assert ("1", "3.111", "4.211", "3.122", "1.35") in found
    assert ("3", "3.133", "4.433", "3.144", "1.41") in found
    text = page.read_text(encoding="utf-8")
    assert "217 frames a second on one core, 1.23 times the floor** (1.34 by means)" in text
    assert "4.32 ms of processor time a frame, 1.38 times the floor** of 3.13 ms (medians of 3 rounds" in text
    assert "99.7% of the film's pictures reached the viewer; the detector ran on 20.1% of the frames" in text


def test_the_json_holds_everything(tmp_path: Path):
    report_on({"generated": FIGURES}, tmp_path)
    stored = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=Measured)
    assert stored == Measured({"generated": FIGURES})


def test_each_clip_has_its_own_pictures_and_they_show_its_figures(tmp_path: Path):
    slower = msgspec.structs.replace(
        FIGURES,
        whole=msgspec.structs.replace(REPORT, clip="b.mp4", whole=Timing(900, 9.0, 8.0, 18.0, 19.0)),
        served=msgspec.structs.replace(SERVED, clip="b.mp4", program_ms=(9.1, 9.2, 9.3)),
    )
    text = report_on({"generated": FIGURES, "real": slower}, tmp_path).read_text(encoding="utf-8")
    assert text.index("## generated clip") < text.index("## b.mp4")
    pictures = {path.stem: cv2.imread(str(path)) for path in tmp_path.glob("*.png")}
    assert sorted(pictures) == ["served-generated", "served-real", "stages-generated", "stages-real"]
    for name, pixels in pictures.items():
        assert f"]({name}.png)" in text
        assert pixels.std() > 5  # something is drawn
    for kind in ("served", "stages"):
        one, other = pictures[f"{kind}-generated"], pictures[f"{kind}-real"]
        assert one.shape == other.shape
        assert (one != other).any(axis=2).mean() > 0.002  # other figures, another picture


def test_bars_whiskers_and_points_lie_at_the_figures():
    with new_figure((8, 4)) as figure:
        draw_stages(figure, REPORT)
        (axes,) = figure.axes
        assert [bar.get_width() for bar in axes.patches] == [1.101, 9.021, 0.601, 3.141, 2.718]
        whiskers = [tuple(line.get_xdata()) for line in axes.lines if len(set(line.get_xdata())) == 2]
        assert set(whiskers) >= {(1.101, 1.432), (3.141, 13.592), (2.718, 11.281)}
    with new_figure((8, 4)) as figure:
        draw_rounds(figure, SERVED)
        (axes,) = figure.axes
        points = [tuple(line.get_ydata()) for line in axes.lines if line.get_marker() == "o"]
        assert points == [SERVED.program_ms, SERVED.floor_ms]


def test_without_a_viewer_the_page_says_so(tmp_path: Path):
    page = report_on({"generated": Figures(REPORT, None)}, tmp_path)
    assert "was not measured: that works on Linux only" in page.read_text(encoding="utf-8")
    assert ("generated clip", "3.141", "1.23", "217", "–", "–") in rows(page)
    assert [path.name for path in tmp_path.glob("*.png")] == ["stages-generated.png"]


def test_what_the_machine_does_not_tell_is_left_out(tmp_path: Path):
    silent = msgspec.structs.replace(MACHINE, cpu="", governor="", temperature_c=None, load=None)
    page = report_on({"generated": Figures(msgspec.structs.replace(REPORT, machine=silent), None)}, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Measured on aarch64\n")
    assert "- aarch64, 4 cores, 3792 MB of memory\n" in text
    assert ("generated clip", "900", "0.9", "some-detector", "5", "–", "–") in rows(page)


def test_a_board_is_named_with_its_processor(tmp_path: Path):
    board = msgspec.structs.replace(MACHINE, board="Raspberry Pi 5")
    page = report_on({"generated": Figures(msgspec.structs.replace(REPORT, machine=board), None)}, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Measured on Raspberry Pi 5\n")
    assert "- Raspberry Pi 5, Some CPU, aarch64" in text


def test_the_quick_command_writes_the_page_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(command, "clips", lambda: {"generated": None})
    monkeypatch.setattr(command, "measure_all", lambda source, quick: FIGURES if quick else None)
    assert command.main(["--quick", "--report", str(tmp_path)]) == 0
    assert f"report in {tmp_path / 'report.md'}" in capsys.readouterr().out
    assert (tmp_path / "report.json").is_file()


def test_what_cannot_be_measured_is_said_with_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def refuse(source: str | None, quick: bool) -> Figures:
        raise ConfigError("no face in any of the frames")

    monkeypatch.setattr(command, "clips", lambda: {"generated": None})
    monkeypatch.setattr(command, "measure_all", refuse)
    assert command.main(["--quick"]) == 78
    assert "error: no face in any of the frames" in capsys.readouterr().err
