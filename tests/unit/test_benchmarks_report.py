"""The report is what the kept figures make of it, and other pages quote nothing else."""

import re
from pathlib import Path

import msgspec
import pytest

from benchmarks import report
from benchmarks.report import PAGE, document, main
from benchmarks.reporting.answers import NAMES, answers, figures
from benchmarks.reporting.boards import Board, boards_in, estimates
from benchmarks.reporting.quotes import pages, refreshed
from benchmarks.reporting.results import PARTS, RESULTS, Part, read
from benchmarks.reporting.verdicts import of_device, verdicts
from edge.errors import ConfigError
from tests.benchmark_figures import FULL, MACHINE
from tests.unit.test_docs_links import links
from training.reporting.document import Picture, markdown

X86 = msgspec.structs.replace(
    FULL,
    whole=msgspec.structs.replace(FULL.whole, machine=msgspec.structs.replace(MACHINE, arch="x86_64")),
)
PI = msgspec.structs.replace(
    FULL,
    whole=msgspec.structs.replace(FULL.whole, machine=msgspec.structs.replace(MACHINE, board="Raspberry Pi 5")),
)


def test_the_report_is_what_the_kept_figures_make_of_it():
    expected = markdown(document(read(RESULTS), boards_in(RESULTS)))
    assert PAGE.read_text(encoding="utf-8") == expected, "run `python -m benchmarks.report`"


def test_all_that_the_report_links_to_is_there_and_no_picture_is_left_over():
    leading = links(PAGE)
    for link in leading:
        assert (PAGE.parent / link.partition("#")[0]).is_file(), link
    shown = {link for link in leading if link.endswith(".png")}
    assert shown == {f"report/{path.name}" for path in (PAGE.parent / "report").glob("*.png")}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_pages_quote_what_was_measured(page: Path):
    text = page.read_text(encoding="utf-8")
    assert refreshed(text, figures(read(RESULTS)), page.name) == text, "run `python -m benchmarks.report`"


def test_quoted_figures_are_replaced_wherever_they_stand():
    page = "a <!--figure one-->1<!--/figure--> b\n<!--figure two-->\n- old\n- older\n<!--/figure-->\n<!-- not one -->"
    said = refreshed(page, {"one": "2.5", "two": "\n- new\n"}, "page.md")
    assert said == (
        "a <!--figure one-->2.5<!--/figure--> b\n<!--figure two-->\n- new\n<!--/figure-->\n<!-- not one -->"
    )
    with pytest.raises(ConfigError, match=r"page\.md quotes the figure 'two'; expected one of one"):
        refreshed(page, {"one": "2.5"}, "page.md")


def test_without_figures_everything_is_said_not_to_be_measured():
    page = markdown(document({}, ()))
    assert "Nothing of that was measured yet." in page
    for name, part in PARTS.items():
        assert f"- {name}: `{part.command}`" in page
    assert set(figures({})) == set(NAMES)
    assert set(figures({}).values()) - {figures({})["answers"]} == {"not measured"}


def test_the_four_questions_are_answered_first():
    page = markdown(document({"device": FULL}, ()))
    first = page.partition("## ")[0]
    assert [question for question, _ in answers({"device": FULL})] == re.findall(r"\*\*(.+?)\*\*", first)
    assert "217 frames a second of 640×480 on one core of Some CPU, 4.60 (4.55–4.65) ms each" in first
    assert "with a viewer, takes 13.0 % of a core" in first
    assert "1.23 (1.22–1.24) times the native calls in it" in first
    assert "Not measured: `python -m benchmarks.peers`." in first


def test_every_figure_of_the_device_can_be_quoted():
    said = figures({"device": X86})
    assert said["frame-ms"] == "4.6"
    assert said["frame-floor"] == "1.23"
    assert said["program-floor"] == "1.38"
    assert said["program-core"] == "13.0 %"
    assert said["unwatched"] == "0.46"
    assert said["start-s"] == "0.82"
    assert said["rss-mib"] == "96"
    assert said["times-fer"] == "not measured"


def test_what_must_hold_is_judged_at_its_limit():
    assert [line.kept for line in of_device(FULL)] == [True, True, True, True]
    viewing = msgspec.structs.replace(FULL.viewing, ratios=(0.51, 0.61, 0.71), rss_mib=120.1)
    startup = msgspec.structs.replace(FULL.startup, seconds=(0.9, 1.01, 1.2))
    whole = msgspec.structs.replace(FULL.whole, ratio=1.251)
    slow = msgspec.structs.replace(FULL, whole=whole, viewing=viewing, startup=startup)
    assert [line.kept for line in of_device(slow)] == [False, False, False, False]
    page = markdown(document({"device": slow}, ()))
    said = "0.61 (0.56–0.66); 0.65 (0.65–0.66) if every frame is analysed, as for an event log"
    assert f"| {said} | **not kept** | [device](results/device.json) |" in page


def test_parts_tell_themselves_what_must_hold():
    class Told:
        def musts(self) -> tuple[tuple[str, bool | None], ...]:
            return ("fer: at least 30 times: 38.1 (37–39)", True), ("no growth: too few figures", None)

    lines = [line for _, line in verdicts({"peers": Told()})]
    assert [tuple(line) for line in lines] == [
        ("fer: at least 30 times", "38.1 (37–39)", True),
        ("no growth", "too few figures", None),
    ]


def test_boards_are_estimated_from_an_x86_machine_only():
    four, five = estimates(X86)
    inference_ms, rest_ms = 0.6, 1.4 + 0.227  # of the made-up parts
    assert four.least_ms == pytest.approx(11 * inference_ms + 6 * rest_ms)
    assert four.most_ms == pytest.approx(14 * inference_ms + 8 * rest_ms)
    assert (five.least_ms, five.most_ms) == pytest.approx((four.least_ms / 2, four.most_ms / 2))
    assert list(estimates(PI)) == []
    assert "| Raspberry Pi 4, **estimated** | 16–21 |" in markdown(document({"device": X86}, ()))
    assert "estimated" not in markdown(document({"device": PI}, ()))


def test_a_board_that_is_sent_in_is_a_line_of_the_table(tmp_path: Path):
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "pi5-8gb.json").write_bytes(msgspec.json.encode(PI))
    found = boards_in(tmp_path)
    assert found == (Board("pi5-8gb", PI),)
    page = markdown(document({}, found))
    assert (
        "| [Raspberry Pi 5](results/boards/pi5-8gb.json) | Linux-6.12 | 4.60 (4.55–4.65) | 1.23 | 4.32 (4.27–4.38) "
        "| 0.46 (0.45–0.47) | 14.4 | 0.82 | 96 | 82 |  |"
    ) in page


def test_figures_of_another_kind_are_refused(tmp_path: Path):
    (tmp_path / "device.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"device\.json: not figures as this version measures them"):
        read(tmp_path)
    (tmp_path / "device.json").rename(tmp_path / "devise.json")
    with pytest.raises(ConfigError, match=r"has devise; expected figures of device, peers"):
        read(tmp_path)


def test_each_picture_has_a_name_of_its_own_in_the_folder_beside_the_page():
    found = document({"device": FULL, **read(RESULTS)}, ())
    names = [block.name for section in found.sections for block in section.blocks if isinstance(block, Picture)]
    assert all(name.startswith("report/") for name in names)
    assert len(set(names)) == len(names)


def test_the_page_is_written_with_its_pictures_and_nothing_else_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "device.json").write_bytes(msgspec.json.encode(FULL))
    monkeypatch.setattr(report, "refreshed", lambda *_: pytest.fail("a page was touched"))
    assert main(["--results", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert f"page in {tmp_path / 'out' / 'report.md'}" in capsys.readouterr().out
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert written == {
        "report.md",
        *(f"report/{name}-device.png" for name in ("factors", "ours", "served", "stages")),
    }


def test_what_cannot_be_read_is_said_with_its_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "peers.json").write_text("[]")
    assert main(["--results", str(tmp_path), "--out", str(tmp_path)]) == 78
    assert "peers.json" in capsys.readouterr().err


def test_every_part_says_how_it_is_measured():
    for part in PARTS.values():
        assert isinstance(part, Part)
        assert part.command.split()[0] in ("emotion-edge", "make", "python")
