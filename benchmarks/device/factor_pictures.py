"""What differs in a frame, drawn: what of each stage is ours, and what each setting costs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge.bench.timing import median, quartiles
from edge.bench.variants import PROCESSOR, Factor
from edge.bench.whole import Part, Report
from training.reporting.style import ACCENT, CONTRAST, FAINT, INK, MUTED, headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 2
ROW_IN = 0.34


def parts_size_in(parts: Sequence[Part]) -> tuple[float, float]:
    """Width and height of the picture of these parts, in inches."""
    return 8, 1.6 + ROW_IN * len(parts)


def draw_parts(figure: "Figure", report: Report) -> None:
    """A bar for each stage: what its native calls take, and behind that what is ours."""
    axes = figure.subplots()
    beside = axes.get_yaxis_transform()  # x in widths of the axes, y in rows
    for y, part in enumerate(report.parts):
        axes.barh(y, part.native_ms, 0.62, color=CONTRAST)
        axes.barh(y, part.ours_ms, 0.62, left=part.native_ms, color=ACCENT)
        for x, ms, colour in ((1.1, part.native_ms, CONTRAST), (1.22, part.ours_ms, ACCENT)):
            says = f"{ms:.3f}".replace("-", "−") if ms else "–"
            axes.text(x, y, says, transform=beside, ha="right", va="center", color=colour, weight="bold")
    for x, what in ((1.1, "native"), (1.22, "ours")):
        axes.text(x, -0.75, what, transform=beside, ha="right", va="center", color=MUTED)
    axes.set_yticks(range(len(report.parts)), [part.stage for part in report.parts], color=INK)
    axes.set_ylim(len(report.parts) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("milliseconds a frame, frames without the stage included")
    headline(figure, f"What is ours: {report.clip}", "Orange: the native calls alone; blue: all else in the stage")


def factors_size_in(factors: Sequence[Factor]) -> tuple[float, float]:
    """Width and height of the picture of these factors, in inches."""
    return 10, 0.8 + sum(0.75 + ROW_IN * most for most in _row_heights(factors))


def _row_heights(factors: Sequence[Factor]) -> list[int]:
    """Most variants of the factors beside each other."""
    return [
        max(len(factor.variants) for factor in factors[first : first + COLUMNS])
        for first in range(0, len(factors), COLUMNS)
    ]


def draw_factors(figure: "Figure", factors: Sequence[Factor]) -> None:
    """A small picture for each factor, with a bar for each variant and a whisker over the middle half of the rounds."""
    heights = _row_heights(factors)
    panels = figure.subplots(
        len(heights), COLUMNS, squeeze=False, height_ratios=[0.75 / ROW_IN + most for most in heights]
    )
    for axes in panels.flat[len(factors) :]:
        axes.set_axis_off()
    for index, (axes, factor) in enumerate(zip(panels.flat, factors, strict=False)):
        _factor(axes, factor, heights[index // COLUMNS])
    headline(
        figure,
        "One factor at a time",
        "Times of the base case, which is 1; whiskers: the middle half of the rounds",
    )


def _factor(axes: "Axes", factor: Factor, rows: int) -> None:
    beside = axes.get_yaxis_transform()
    for y, variant in enumerate(factor.variants):
        own = variant.name == factor.base
        low, high = quartiles(variant.ratios)
        middle = median(variant.ratios)
        axes.barh(y, middle, 0.6, color=FAINT if own else ACCENT)
        axes.plot([low, high], [y, y], color=INK, linewidth=1.1)
        axes.text(
            1.02, y, f"{middle:.2f}", transform=beside, va="center", color=MUTED if own else INK,
            weight="normal" if own else "bold",
        )  # fmt: skip
    axes.axvline(1, color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)))
    axes.set_yticks(range(len(factor.variants)), [variant.name for variant in factor.variants], color=INK)
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    axes.set_title(f"{factor.name}, processor time" if factor.what == PROCESSOR else factor.name)
