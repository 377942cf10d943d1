"""The benchmark's arithmetic, on figures made up."""

import pytest

from edge.bench.program import resident_mib
from edge.bench.shares import REST, Part, parts_of
from edge.bench.timing import Mix, median, quartiles, spread_text, timing, typical_ns
from edge.bench.variants import PROCESSOR, Turn, factor_of

PLAIN, SEARCHED = Mix("nothing", 1), Mix("whole", 1)


def test_one_interrupted_frame_does_not_change_the_typical_one():
    mixes = [PLAIN] * 9 + [SEARCHED] * 3
    assert typical_ns([10] * 8 + [9999] + [50] * 3, mixes) == pytest.approx((9 * 10 + 3 * 50) / 12)


def test_percentiles_are_in_milliseconds():
    spent = timing([1_000_000, 2_000_000, 3_000_000])
    assert (spent.runs, spent.mean_ms, spent.p50_ms) == (3, 2.0, 2.0)


def test_spread_is_the_middle_half():
    values = (1.0, 2.0, 3.0, 4.0, 100.0)
    assert (median(values), *quartiles(values)) == (3.0, 2.0, 4.0)
    assert spread_text(values, 1) == "3.0 (2.0–4.0)"


def test_a_frame_is_split_into_native_calls_and_ours():
    mixes = [PLAIN] * 3 + [SEARCHED]
    plain = {"decode": 1_000_000, "draw": 200_000}
    stages = [plain] * 3 + [{"decode": 1_000_000, "detect": 4_000_000, "draw": 200_000}]
    natives = [{"decode": 900_000, "detect": 0}] * 3 + [{"decode": 900_000, "detect": 3_000_000}]
    wholes = [1_300_000] * 3 + [5_300_000]
    assert parts_of(wholes, stages, natives, mixes) == (
        Part("decode", 0.9, 0.1),
        # on one frame of four
        Part("detect", 0.75, 0.25),
        Part("draw", 0.0, 0.2),
        Part(REST, 0.0, 0.1),
    )


def test_variants_are_set_against_the_base_case_of_their_own_round():
    turns = {
        "base": [Turn(1.0, 2.0, (1.0, 1.0)), Turn(10.0, 20.0, (10.0, 10.0))],
        "dear": [Turn(2.0, 2.0, (2.0, 2.0)), Turn(20.0, 30.0, (20.0, 22.0))],
        "silent": [Turn(0.5, 1.0, ()), Turn(5.0, 10.0, ())],
    }
    factor = factor_of("price", "base", turns, what=PROCESSOR, frames=2, left_out={"absent": "it is not here"})
    base, dear, silent = factor.variants
    # the machine was ten times slower in the second round
    assert (base.ratios, dear.ratios, dear.cpu_ratios) == ((1.0, 1.0), (2.0, 2.0), (1.0, 1.5))
    assert (dear.p50_ms, silent.p50_ms, silent.p95_ms) == (11.0, None, None)
    assert factor.rounds == 2
    text = factor.text()
    assert "2.00 (2.00–2.00)" in text
    assert "1.25 (1.12–1.38)" in text
    assert "absent" in text
    assert "left out: it is not here" in text
    assert "–" in next(line for line in text.splitlines() if "silent" in line)


def test_memory_is_read_as_linux_writes_it():
    status = "Name:\tpython\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\nThreads:\t9\n"
    assert resident_mib(status) == (100.0, 200.0)
