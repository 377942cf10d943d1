"""Pictures about trust: whether 80 % sure means right in 80 %, and what leaving out unsure answers buys."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from training.reporting.analysis import Bin, Curve, Cut
from training.reporting.style import ACCENT, CONTRAST, FAINT, INK, MUTED, PAPER, headline, percent_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure
_LEAST_COVERAGE = 0.02


def draw_reliability(figure: "Figure", bins: Sequence[Bin], ece: float) -> None:
    """Accuracy over confidence, and below how many answers are that sure."""
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    upper.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
    for each in bins:
        width = each.high - each.low
        upper.bar(each.low, each.accuracy, width * 0.9, align="edge", color=ACCENT, alpha=0.22)
        upper.plot([each.confidence] * 2, [each.confidence, each.accuracy], color=CONTRAST, linewidth=1.6)
        lower.bar(each.low, each.count, width * 0.9, align="edge", color=FAINT)
    upper.plot(
        [each.confidence for each in bins],
        [each.accuracy for each in bins],
        "o-",
        color=ACCENT,
        markersize=5,
        markeredgecolor=PAPER,
        linewidth=1.4,
    )
    upper.set_xlim(0, 1)
    upper.set_ylim(0, 1)
    percent_axis(upper)
    upper.set_ylabel("right")
    upper.text(0.03, 0.93, f"calibration error (ECE) {ece:.3f}", color=INK, weight="bold", fontsize=11)
    lower.set_ylabel("answers")
    lower.set_xlabel("confidence")
    percent_axis(lower, "x")
    headline(
        figure,
        "Does 80 % sure mean right in 80 %?",
        "Orange: the gap; below the dashed line it is too sure, above it too modest",
    )


def draw_coverage(figure: "Figure", curve: Curve, cuts: Sequence[Cut]) -> None:
    """Accuracy of the answers given over the share of pictures that get one; marks are thresholds of confidence."""
    axes = figure.subplots()
    # a few pictures say nothing about accuracy
    points = [(x, y) for x, y in zip(curve.x, curve.y, strict=True) if x >= _LEAST_COVERAGE]
    axes.plot(*zip(*points, strict=True), color=ACCENT)
    for each in cuts:
        axes.plot(each.coverage, each.accuracy, "o", color=ACCENT, markeredgecolor=PAPER, markersize=8, zorder=3)
        axes.annotate(
            f"≥ {each.threshold:.0%}",
            (each.coverage, each.accuracy),
            xytext=(6, 7),
            textcoords="offset points",
            color=INK,
            fontsize=9,
        )
    axes.set_xlim(0, 1.08)
    axes.set_ylim(math.floor(min(y for _, y in points) * 10) / 10, 1.0)
    percent_axis(axes, "x")
    percent_axis(axes, "y", step=0.1)
    axes.set_xlabel("pictures that get an answer")
    axes.set_ylabel("answers that are right")
    headline(figure, "What saying “uncertain” buys", "Marks: only answers of at least this confidence are given")
