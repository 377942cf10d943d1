"""Whether memory grows: the estimate and its bounds, on series made up."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.soak.trend import LEAST, Trend, trend

COUNT = 55
HOURS = np.arange(COUNT) / 60
SEEDS = range(8)


def noise(seed: int, alike: float = 0.0, size: float = 0.4) -> NDArray[np.float64]:
    """Around 0, of that standard deviation, each value keeping a share of the one before."""
    random = np.random.default_rng(seed)
    new = random.normal(0, size * np.sqrt(1 - alike**2), COUNT)
    values = np.zeros(COUNT)
    values[0] = random.normal(0, size)
    for number in range(1, COUNT):
        values[number] = alike * values[number - 1] + new[number]
    return values


def found(values: NDArray[np.float64]) -> Trend:
    estimate = trend(HOURS, 120 + values)
    assert estimate is not None
    return estimate


def test_a_line_is_found_as_it_is():
    estimate = found(3.5 * HOURS)
    assert (estimate.slope, estimate.low, estimate.high) == pytest.approx((3.5, 3.5, 3.5))


@pytest.mark.parametrize("seed", SEEDS)
def test_flat_memory_with_noise_is_not_called_growing(seed: int):
    estimate = found(noise(seed))
    assert estimate.low < 0.5
    assert estimate.high <= 2
    assert estimate.low < estimate.slope < estimate.high


@pytest.mark.parametrize("seed", SEEDS)
def test_flat_memory_that_goes_a_step_up_and_down_again_is_not_called_growing(seed: int):
    steps = np.where((np.arange(COUNT) // 6) % 2, 0.9, 0.0)
    assert found(noise(seed, size=0.1) + steps).high <= 2


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slow_leak_is_caught_within_an_hour(seed: int):
    estimate = found(4 * HOURS + noise(seed, alike=0.3))
    assert estimate.high > 2, "the bound is over what may be"
    assert estimate.low > 1, "and the growth is no accident"


def test_the_bound_holds_about_as_often_as_it_says():
    """Of 40 series with a probability of 95 %: fewer than 33 within the bound would be one case in 1400."""
    held = sum(found(1.5 * HOURS + noise(seed, alike=0.5)).high >= 1.5 for seed in range(100, 140))
    assert held >= 33


def test_neighbours_that_resemble_each_other_make_it_less_sure():
    alone, alike = (np.mean([found(noise(seed, share)).high for seed in SEEDS]) for share in (0.0, 0.8))
    assert alike > 1.5 * alone


def test_one_minute_that_is_far_off_does_not_matter():
    values = noise(3)
    values[40] += 200
    assert abs(found(values).slope - found(noise(3)).slope) < 0.2


def test_the_same_figures_give_the_same_bounds():
    assert found(noise(5)) == found(noise(5))


def test_nothing_is_said_of_a_few_figures():
    assert trend(HOURS[: LEAST - 1], [1.0] * (LEAST - 1)) is None
    estimate = trend(HOURS[:LEAST], [1.0] * LEAST)
    assert estimate is not None
    assert (estimate.slope, estimate.low, estimate.high) == (0, 0, 0)
