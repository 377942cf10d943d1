"""The arithmetic of the gate: how much slower one side is than the other, and how sure that is."""

import math
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

CAP = 2.5
"""What a frame takes beyond so many times its usual is not the program's: another one has taken the caches. Some stages
do take more than twice as long on every other frame, when memory is given back and asked for again."""

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """One stage on one clip.

    Attributes:
        before: float64 (pairs of processes, frames) nanoseconds, nan where the stage did not run.
        after: likewise; the same pairs.
    """

    before: Array
    after: Array

    def sides(self) -> tuple[bool, bool]:
        """Whether the stage ran before, and after, in most of the pairs."""
        ran = [np.isfinite(table).any(axis=1).mean() > 0.5 for table in (self.before, self.after)]
        return bool(ran[0]), bool(ran[1])

    def joined(self, other: "Paired") -> "Paired":
        """With more pairs."""
        return Paired(np.vstack((self.before, other.before)), np.vstack((self.after, other.after)))


class Ratio(msgspec.Struct, frozen=True):
    """Of after to before.

    Attributes:
        middle: the estimate.
        low: lower bound.
        high: upper bound.
        before_ms: milliseconds a frame, those on which the stage does not run included.
        after_ms: likewise.
        pairs: of processes.
    """

    middle: float
    low: float
    high: float
    before_ms: float
    after_ms: float
    pairs: int


def costs_ns(table: Array) -> Array:
    """What a frame takes on average, by each process: float64 (pairs,).

    What the same frame usually takes is the median over all processes; more than `CAP` times that is not believed.

    Args:
        table: float64 (pairs, frames) nanoseconds, nan where the stage did not run.
    """
    counts = np.isfinite(table).sum(axis=0)
    # nan comes last; where the stage never ran any value does, as all are nan
    ascending = np.sort(table, axis=0)
    middles = np.stack((np.maximum(counts - 1, 0) // 2, np.minimum(counts // 2, len(table) - 1)))
    usual = np.take_along_axis(ascending, middles, axis=0).mean(axis=0)
    costs: Array = np.nansum(np.minimum(table, CAP * usual), axis=1) / table.shape[1]
    return costs


def ratio(paired: Paired, miss: float) -> Ratio:
    """How much more the one side takes.

    The pairs' ratios are not assumed to be of any distribution but a symmetric one on the logarithmic scale: estimate
    and bounds are those that belong to Wilcoxon's signed-rank test (Hodges and Lehmann 1963).

    Args:
        paired: of a stage that both sides have; pairs in which it ran on one side only are left out.
        miss: how probable it may be that the truth lies below the lower bound, and again above the upper; fewer pairs
            than that takes have their extremes for bounds.
    """
    before, after = costs_ns(paired.before), costs_ns(paired.after)
    ran = (before > 0) & (after > 0)
    before, after = before[ran], after[ran]
    logs = np.log(after) - np.log(before)
    first, second = np.triu_indices(len(logs))
    averages = np.sort((logs[first] + logs[second]) / 2)
    outside = _rank(len(logs), miss)
    return Ratio(
        middle=math.exp(float(np.median(averages))),
        low=math.exp(averages[outside]),
        high=math.exp(averages[-1 - outside]),
        before_ms=float(np.median(before)) / 1e6,
        after_ms=float(np.median(after)) / 1e6,
        pairs=len(logs),
    )


def _rank(count: int, miss: float) -> int:
    """How many of the sorted averages of two lie outside of the bound, on each side."""
    # in how many ways signs can be given to the ranks 1 to count so that the positive ones add up to a sum
    ways = np.zeros(count * (count + 1) // 2 + 1)
    ways[0] = 1
    for rank in range(1, count + 1):
        ways[rank:] += ways[:-rank].copy()
    below = np.cumsum(ways) / 2.0**count
    # the bound is the k-th average (from 1) if sums below k are as improbable as is wanted
    return max(int(np.searchsorted(below, miss, side="right")) - 1, 0)
