"""Figures from single times: percentiles, what is typical, and spread over rounds. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

Searched = Literal["nothing", "part", "whole"]


class Mix(msgspec.Struct, frozen=True):
    """What a frame consists of: what of it is searched, and how many faces are classified."""

    searched: Searched
    faces: int


class Timing(msgspec.Struct, frozen=True):
    """Milliseconds of one stage over all its runs."""

    runs: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


def timing(values_ns: Sequence[float]) -> Timing:
    """Mean and percentiles."""
    p50, p95, p99 = (float(p) for p in np.percentile(values_ns, (50, 95, 99)) / 1e6)
    return Timing(len(values_ns), float(np.mean(values_ns)) / 1e6, p50, p95, p99)


def typical_ns(values_ns: Sequence[int], mixes: Sequence[Mix]) -> float:
    """Mean over the mix of frames with the median of each kind in place of its values.

    A frame that another program interrupts says nothing about this one; the mean of all is reported beside.
    """
    kinds: dict[Mix, list[int]] = {}
    for value, mix in zip(values_ns, mixes, strict=True):
        kinds.setdefault(mix, []).append(value)
    return sum(float(np.median(values)) * len(values) for values in kinds.values()) / len(values_ns)


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return float(np.median(values))


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Between which the middle half of the values lies."""
    low, high = np.percentile(values, (25, 75))
    return float(low), float(high)


def spread_text(values: Sequence[float], digits: int = 2) -> str:
    """The median and the middle half, for people: `1.23 (1.20–1.27)`."""
    low, high = quartiles(values)
    return f"{median(values):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def rounded(values: Sequence[float], digits: int = 3) -> tuple[float, ...]:
    """As they are kept: without digits that mean nothing."""
    return tuple(round(float(value), digits) for value in values)
