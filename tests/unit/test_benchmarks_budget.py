"""How the benchmark of the budget reads what the program says of itself."""

import pytest

from benchmarks.device.budget import Moment, fps, p95_ms, rate_back, since, span
from edge.errors import PermanentError

MOMENTS = [
    Moment(second / 4, 0 if second in (20, 21) or second > 40 else 3, 10.0 + second, 7 * second) for second in range(60)
]


def test_back_counts_once_it_lasts():
    assert since(MOMENTS, lambda one: one.level == 0) == 41 / 4
    assert since(MOMENTS, lambda one: one.level == 7) is None
    assert rate_back(MOMENTS, 5.0) == ["all effort back: after 5.2 s"]
    assert rate_back(MOMENTS, 14.5) == ["all effort back: never"]


def test_rates_and_latencies_are_those_of_the_span():
    some = span(MOMENTS, 1.0, 2.25)
    assert [one.second for one in some] == [1.0, 1.25, 1.5, 1.75, 2.0]
    assert fps(some) == pytest.approx(28)
    assert p95_ms(some) == 16.0


def test_a_program_that_tells_no_latency_is_refused():
    with pytest.raises(PermanentError, match="no latency"):
        p95_ms([Moment(0, 0, None, 0)])
