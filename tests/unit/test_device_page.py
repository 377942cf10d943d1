"""The page about what a device was measured to do, from figures made up."""

from pathlib import Path

import cv2
import msgspec
import pytest

from benchmarks import __main__ as command
from benchmarks.device.factor_pictures import draw_factors, draw_parts
from benchmarks.device.page import Measured, report_on, sections
from benchmarks.device.pictures import draw_rounds, draw_stages
from edge.bench.figures import Figures
from edge.bench.timing import Timing
from edge.errors import ConfigError
from tests.benchmark_figures import BRIEF, DETECTORS, FULL, MACHINE, PARTS, REPORT, SERVED, STAGES
from training.reporting.document import Document, markdown
from training.reporting.style import new_figure


def rows(page: Path) -> list[tuple[str, ...]]:
    """The cells of every table's rows."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return [tuple(line.strip("| ").split(" | ")) for line in lines if line.startswith("| ")]


def test_the_page_states_its_conditions(tmp_path: Path):
    page = report_on({"generated": BRIEF}, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert page == tmp_path / "report.md"
    assert text.startswith("# Measured on Some CPU\n")
    assert "- Some CPU, aarch64, 4 cores, 3792 MB of memory, governor ondemand\n- Linux-6.12\n" in text
    assert "emotion-edge 9.8.7, Python 3.13.5, OpenCV 4.12.0, NumPy 2.2.4" in text
    assert "640×480 pixels" in text
    assert ("generated clip", "900", "0.9", "some-detector", "5", "0.25", "51") in rows(page)
    assert text.index("| generated clip | 900") < text.index("## Overview") < text.index("## generated clip")


def test_the_page_has_the_figures_it_was_given(tmp_path: Path):
    page = report_on({"generated": BRIEF}, tmp_path)
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
    report_on({"generated": BRIEF}, tmp_path)
    stored = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=Measured)
    assert stored == Measured({"generated": BRIEF})


def test_each_clip_has_its_own_pictures_and_they_show_its_figures(tmp_path: Path):
    slower = msgspec.structs.replace(
        BRIEF,
        whole=msgspec.structs.replace(REPORT, clip="b.mp4", whole=Timing(900, 9.0, 8.0, 18.0, 19.0)),
        served=msgspec.structs.replace(SERVED, clip="b.mp4", program_ms=(9.1, 9.2, 9.3)),
    )
    text = report_on({"generated": BRIEF, "real": slower}, tmp_path).read_text(encoding="utf-8")
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
    monkeypatch.setattr(command, "measure_all", lambda source, quick, brief, say: BRIEF if quick else None)
    assert command.main(["--quick", "--report", str(tmp_path)]) == 0
    assert f"report in {tmp_path / 'report.md'}" in capsys.readouterr().out
    assert (tmp_path / "report.json").is_file()


def test_what_cannot_be_measured_is_said_with_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def refuse(source: str | None, **asked: object) -> Figures:
        raise ConfigError("no face in any of the frames")

    monkeypatch.setattr(command, "clips", lambda: {"generated": None})
    monkeypatch.setattr(command, "measure_all", refuse)
    assert command.main(["--quick"]) == 78
    assert "error: no face in any of the frames" in capsys.readouterr().err


def test_a_full_run_tells_of_viewers_start_up_energy_and_every_factor():
    page = markdown(Document("device", "A device", sections(FULL), None))
    assert "Nobody watching costs **0.46 (0.45–0.47) times**" in page
    assert "| grab to client, ms: p50, p95, p99 | 8.4, 14.4, 18.8 |" in page
    assert "| resident memory with a viewer, MiB | 96, at most 101 |" in page
    assert "| energy with a viewer, mJ a frame | 82.0 (81.0–83.0) |" in page
    assert "| power with a viewer, and while the program stands still, W | 2.50, 2.00 |" in page
    assert "Energy: some meter." in page
    assert "0.82 s (0.81–0.88, 3 starts) to the first picture with a named face" in page
    assert "| detector: some-detector | 4.100 | 3.900 | 9.900 | 4.200 | base |" in page
    assert "| detector: other | 8.300 | 7.900 | 19.900 | 8.400 | 2.02 (2.01–2.04) |" in page
    assert "- detector third: not installed" in page
    assert "- not measured: the colour of the board" in page
    assert "- conditions before: load 0.25, 51 °C, governor ondemand\n- after: load 1.50, 60 °C" in page


def test_what_is_ours_is_told_by_stage():
    page = markdown(Document("device", "A device", sections(FULL), None))
    assert "Of a frame 90% are native calls. 10% are ours" in page
    assert "| decode | 1.000 | 0.100 | 44% |" in page
    assert "| draw | – | 0.060 | 26% |" in page
    assert "| encode | 0.400 | −0.003 | −1% |" in page
    assert "| all, in one thread | 2.000 | 0.227 |  |" in page


def test_bars_of_parts_and_factors_lie_at_the_figures():
    with new_figure((8, 4)) as figure:
        draw_parts(figure, FULL.whole)
        (axes,) = figure.axes
        widths = [bar.get_width() for bar in axes.patches]
        assert widths == pytest.approx([each for part in PARTS for each in (part.native_ms, part.ours_ms)])
        assert [bar.get_x() for bar in axes.patches[1::2]] == [part.native_ms for part in PARTS]
    with new_figure((8, 4)) as figure:
        draw_factors(figure, [DETECTORS])
        axes = figure.axes[0]
        assert [bar.get_width() for bar in axes.patches] == pytest.approx([1.0, 2.025])
        assert [each.get_text() for each in axes.get_yticklabels()] == ["some-detector", "other"]
