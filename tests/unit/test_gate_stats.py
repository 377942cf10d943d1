"""The regression gate's arithmetic, on made-up figures."""

import numpy as np
import pytest

from benchmarks.gate.stats import Array, Paired, _rank, costs_ns, ratio
from benchmarks.gate.verdict import confirmed, looked

PAIRS, FRAMES = 8, 60
TOLERANCE = 0.05
CLIPS = ("drawn", "filmed")
STAGES_US = {
    "decode": 600,
    "decide": 40,
    "detect": 900,
    "track": 12,
    "chip": 70,
    "classify": 140,
    "draw": 45,
    "encode": 480,
    "whole frame": 1900,
}


def stage(random: np.random.Generator, typical_us: float, factor: float = 1.0) -> Paired:
    """As measured on a busy machine: kinds of frames, processes that differ for life, frames that others disturb."""
    kinds = random.choice((0.4, 1.0, 2.0), FRAMES)

    def side() -> Array:
        processes = random.lognormal(0, 0.04, (PAIRS, 1))
        frames = random.lognormal(0, 0.15, (PAIRS, FRAMES))
        disturbed = np.where(random.random((PAIRS, FRAMES)) < 0.05, random.uniform(1.5, 30, (PAIRS, FRAMES)), 1.0)
        return 1e3 * typical_us * kinds * processes * frames * disturbed

    return Paired(side(), factor * side())


def measured(random: np.random.Generator, slow: tuple[str, float] = ("", 1.0)) -> dict[tuple[str, str], Paired]:
    return {
        (clip, name): stage(random, typical_us, slow[1] if name == slow[0] else 1.0)
        for clip in CLIPS
        for name, typical_us in STAGES_US.items()
    }


def judged(random: np.random.Generator, slow: tuple[str, float] = ("", 1.0)) -> set[str]:
    """Stages that a whole run of the gate finds slower."""
    found = looked(measured(random, slow), TOLERANCE)
    suspects = {row: each for row, each in found.items() if each.verdict == "once slower"}
    if suspects:
        found |= confirmed(suspects, lambda: measured(random, slow), TOLERANCE)[0]
    return {row.stage for row in found.values() if row.verdict == "worse"}


def test_an_unchanged_tree_is_never_flagged():
    random = np.random.default_rng(1)
    flagged = [judged(random) for _ in range(200)]
    assert flagged == [set()] * 200


def test_a_fifth_more_is_found_in_every_stage_and_in_no_other():
    random = np.random.default_rng(2)
    for slowed in STAGES_US:
        for _ in range(12):
            assert judged(random, (slowed, 1.2)) == {slowed}


def test_what_is_within_tolerance_passes():
    random = np.random.default_rng(3)
    assert [judged(random, ("draw", 1.02)) for _ in range(50)] == [set()] * 50


def test_bounds_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(4)
    ratios = [ratio(stage(random, 45, 1.1), 0.05) for _ in range(200)]
    outside = sum(not r.low <= 1.1 <= r.high for r in ratios)
    assert 5 <= outside <= 35, "a tenth of 200 is 20"


@pytest.mark.parametrize(("count", "miss", "outside"), [(8, 0.025, 3), (10, 0.025, 8), (12, 0.005, 7), (3, 0.01, 0)])
def test_bounds_are_those_of_the_signed_rank_test(count: int, miss: float, outside: int):
    """Largest sums of ranks that are significant, as printed in tables of the test."""
    assert _rank(count, miss) == outside


def test_all_processes_slower_by_the_same_is_that_ratio_without_doubt():
    before = np.random.default_rng(5).uniform(1e5, 2e5, (PAIRS, FRAMES))
    r = ratio(Paired(before, 1.3 * before), 0.01)
    assert (r.middle, r.low, r.high, r.pairs) == (pytest.approx(1.3), pytest.approx(1.3), pytest.approx(1.3), PAIRS)
    assert r.after_ms == pytest.approx(1.3 * r.before_ms)


def test_a_frame_that_another_program_disturbed_hardly_counts():
    quiet = np.full((PAIRS, 10), 1000.0)
    disturbed = quiet.copy()
    disturbed[3, 4] = 1e9
    assert costs_ns(disturbed)[3] == pytest.approx(1000 * 11.5 / 10)
    assert costs_ns(disturbed)[0] == costs_ns(quiet)[0]


def test_a_stage_that_runs_twice_as_often_costs_twice_as_much():
    seldom = np.full((PAIRS, 12), np.nan)
    seldom[:, ::4] = 1000.0
    often = np.full((PAIRS, 12), np.nan)
    often[:, ::2] = 1000.0
    r = ratio(Paired(seldom, often), 0.01)
    assert r.middle == pytest.approx(2)
    assert r.before_ms == pytest.approx(0.25e-3)


def test_pairs_in_which_a_stage_ran_on_one_side_only_are_left_out():
    before, after = np.full((PAIRS, 4), 1000.0), np.full((PAIRS, 4), 1000.0)
    after[0] = np.nan
    paired = Paired(before, after)
    assert paired.sides() == (True, True)
    assert ratio(paired, 0.01).pairs == PAIRS - 1
    assert Paired(before, np.full((PAIRS, 4), np.nan)).sides() == (True, False)
