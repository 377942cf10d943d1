"""What the regression gate makes of its figures, and says."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchmarks.gate.found import Compared, Found, Proof, Verdict
from benchmarks.gate.page import document, proof_document
from benchmarks.gate.stats import Paired, Ratio
from benchmarks.gate.trees import Tree
from benchmarks.gate.verdict import LOOKS, confirmed, looked, only
from edge.machine import describe
from training.reporting.document import write

TOLERANCE = 0.05
HEAD = Tree("HEAD", "0123456789abcdef")
ROW = ("filmed", "draw")


def row(stage: str, middle: float, verdict: Verdict = "", clip: str = "filmed") -> Found:
    return Found(clip, stage, Ratio(middle, middle - 0.03, middle + 0.03, 0.1, 0.1 * middle, 8), verdict)


def compared(*rows: Found, slowed: str = "") -> Compared:
    return Compared(describe(), HEAD, HEAD, TOLERANCE, 300, (8, 0), 30.0, rows, slowed=slowed, share=0.2)


def paired(factors: tuple[float, ...]) -> Paired:
    before = np.full((len(factors), 4), 1000.0)
    return Paired(before, before * np.array(factors)[:, np.newaxis])


SAME = (0.98, 1.0, 1.02, 0.99, 1.01, 1.0, 0.985, 1.015)
SLOW = tuple(1.2 * factor for factor in SAME)
UNSURE = (0.9, 1.3, 1.02, 1.19, 1.01, 1.2, 1.185, 1.015)


def test_slower_is_only_suspected_at_first_and_faster_is_said_at_once():
    found = looked({ROW: paired(SLOW), ("filmed", "track"): paired(SAME), ("", "start"): paired((0.5,) * 8)}, TOLERANCE)
    assert [each.verdict for each in found.values()] == ["once slower", "", "better"]


@pytest.mark.parametrize(("factors", "verdict"), [(SLOW, "worse"), (SAME, "once slower")])
def test_what_is_slow_twice_is_worse_and_what_is_not_is_let_go_after_one_more_look(
    factors: tuple[float, ...], verdict: Verdict
):
    looks = iter([{ROW: paired(factors)}])
    found, pairs = confirmed(looked({ROW: paired(SLOW)}, TOLERANCE), lambda: next(looks), TOLERANCE)
    assert (found[ROW].verdict, pairs) == (verdict, 8)


def test_as_long_as_it_is_not_sure_there_are_more_looks_which_add_up():
    suspects = looked({ROW: paired(SLOW)}, TOLERANCE)
    found, pairs = confirmed(suspects, lambda: {ROW: paired(UNSURE)}, TOLERANCE)
    assert pairs == LOOKS * len(UNSURE)
    assert found[ROW].ratio.pairs == pairs
    answers = iter((paired(UNSURE), paired(SLOW), paired(SLOW)))
    found, pairs = confirmed(suspects, lambda: {ROW: next(answers)}, TOLERANCE)
    assert (found[ROW].verdict, pairs) == ("worse", 16), "by then it is sure"


def test_a_suspect_that_does_not_run_again_stays_what_it_was():
    suspects = looked({ROW: paired(SLOW)}, TOLERANCE)
    assert confirmed(suspects, dict, TOLERANCE)[0] == suspects


def test_stages_that_one_side_has_are_named():
    never = Paired(np.full((8, 4), np.nan), np.ones((8, 4)))
    measured = {ROW: paired(SAME), ("filmed", "blink"): never, ("drawn", "blink"): never}
    assert only(measured, 0) == ()
    assert only(measured, 1) == ("blink",)
    assert list(looked(measured, TOLERANCE)) == [ROW]


def test_what_is_said():
    text = compared(row("detect", 1.21, "worse"), row("draw", 0.8, "better"), row("track", 1.04)).text()
    assert "worse: detect, filmed 1.21 (1.18–1.24)" in text
    assert "better: draw, filmed 0.80 (0.77–0.83)" in text
    assert "nothing is slower" not in text
    assert compared(row("track", 1.04)).text().endswith("nothing is slower by more than 5%")
    once = compared(row("start", 1.01, "once slower", clip="")).text()
    assert "not confirmed: start 1.01 (0.98–1.04) when measured again" in once


GOOD = Proof(
    0.2,
    (
        compared(row("detect", 1.01), row("whole frame", 1.0)),
        compared(row("detect", 1.2, "worse"), row("whole frame", 1.1, "worse"), slowed="detect"),
    ),
)


def test_a_proof_holds_if_every_slow_down_is_caught_and_nothing_else():
    assert GOOD.holds()
    assert GOOD.text() == ("slowed by 20%: 1 of 1 caught, 0 with a false alarm beside; unchanged: 0 of 1 flagged")


@pytest.mark.parametrize(
    "run",
    [
        compared(row("detect", 1.06, "worse")),
        compared(row("detect", 1.1, "once slower"), slowed="detect"),
        compared(row("detect", 1.2, "worse"), row("track", 1.2, "worse"), slowed="detect"),
    ],
    ids=["false alarm", "missed", "false alarm beside"],
)
def test_a_proof_does_not_hold_otherwise(run: Compared):
    assert not msgspec.structs.replace(GOOD, runs=(*GOOD.runs, run)).holds()


def test_with_all_stages_slowed_at_once_each_of_them_may_be_found():
    run = compared(row("whole frame", 1.2, "worse"), row("draw", 1.2, "worse"), slowed="whole frame")
    assert run.caught()
    assert not run.alarms()
    assert [each.stage for each in compared(row("start", 1.2, "worse"), slowed="whole frame").alarms()] == ["start"]


def test_pages_have_the_verdict_the_figures_and_a_picture(tmp_path: Path):
    page = write(proof_document(GOOD), tmp_path).read_text(encoding="utf-8")
    assert "**Slowed: 1 of 1 caught**" in page
    assert "detect, filmed 1.20 (1.17–1.23)" in page
    assert (tmp_path / "gate.png").stat().st_size > 10_000
    assert msgspec.json.decode((tmp_path / "gate.json").read_bytes(), type=Proof) == GOOD
    page = write(document(GOOD.runs[1]), tmp_path).read_text(encoding="utf-8")
    assert "- worse: detect, filmed 1.20 (1.17–1.23)" in page
    assert (tmp_path / "compare.png").stat().st_size > 5_000
