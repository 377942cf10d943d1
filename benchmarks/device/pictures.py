"""What was measured, drawn: where a frame's time goes, and the program against its floor, round by round."""

from typing import TYPE_CHECKING

import numpy as np

from edge.bench.served import Served
from edge.bench.whole import Report
from training.reporting.style import ACCENT, CONTRAST, FAINT, INK, MUTED, PAPER, headline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLOOR = "floor"
WHOLE = "whole frame"


def stages_size_in(report: Report) -> tuple[float, float]:
    """Width and height of the picture of these stages, in inches."""
    return 8, 1.7 + 0.36 * (len(report.stages) + 2)


def draw_stages(figure: "Figure", report: Report) -> None:
    """A bar of each stage's p50 with a whisker to its p95, then the whole frame beside its floor."""
    axes = figure.subplots()
    beside = axes.get_yaxis_transform()  # x in widths of the axes, y in rows
    rows = [*report.stages.items(), (WHOLE, report.whole), (FLOOR, report.floor)]
    # what is part of a frame stands apart from what is all of one
    heights = [*range(len(report.stages)), len(report.stages) + 0.5, len(report.stages) + 1.5]
    for y, (name, spent) in zip(heights, rows, strict=True):
        axes.barh(y, spent.p50_ms, 0.62, color=CONTRAST if name == FLOOR else ACCENT)
        axes.plot([spent.p50_ms, spent.p95_ms], [y, y], color=INK, linewidth=1.1)
        axes.plot([spent.p95_ms] * 2, [y - 0.14, y + 0.14], color=INK, linewidth=1.1)
        for x, ms, colour, weight in ((1.11, spent.p50_ms, INK, "bold"), (1.23, spent.p95_ms, MUTED, "normal")):
            axes.text(x, y, f"{ms:.3f}", transform=beside, ha="right", va="center", color=colour, weight=weight)
    for x, what in ((1.11, "p50"), (1.23, "p95")):
        axes.text(x, -0.75, what, transform=beside, ha="right", va="center", color=MUTED)
    axes.axhline(len(report.stages) - 0.25, color=FAINT, linewidth=0.8)
    axes.set_yticks(heights, [_label(name, spent.runs, report.frames) for name, spent in rows], color=INK)
    axes.set_ylim(heights[-1] + 0.6, -0.6)
    axes.set_xlim(0, 1.03 * max(spent.p95_ms for _, spent in rows))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("milliseconds, in one thread")
    headline(
        figure,
        f"Where a frame's time goes: {report.clip}",
        "Bar: p50; whisker: p95. Below the line all of a frame, and the native calls in it alone",
    )


def _label(name: str, runs: int, frames: int) -> str:
    return name if runs == frames else f"{name}, on {runs / frames:.0%} of the frames"


def draw_rounds(figure: "Figure", served: Served) -> None:
    """The program's processor time in each round, and the floor's before, between and after."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    axes = figure.subplots()
    rounds = np.arange(1, len(served.program_ms) + 1)
    turns = np.arange(len(served.floor_ms)) + 0.5
    right = turns[-1] + 0.15
    for name, x, values, colour in (
        ("program", rounds, served.program_ms, ACCENT),
        (FLOOR, turns, served.floor_ms, CONTRAST),
    ):
        middle = float(np.median(values))
        axes.plot([turns[0] - 0.15, right], [middle, middle], color=colour, linewidth=1, alpha=0.6)
        axes.plot(x, values, "o", color=colour, markeredgecolor=PAPER, markersize=7)
        axes.annotate(
            f"{name} {middle:.2f}",
            (right, middle),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            weight="bold",
            annotation_clip=False,
        )
    axes.set_xlim(turns[0] - 0.15, right)
    axes.set_ylim(0, 1.12 * max(*served.program_ms, *served.floor_ms))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("round", color=MUTED)
    axes.set_ylabel("milliseconds of processor time a frame")
    headline(
        figure,
        f"With a viewer, {served.ratio:.2f} times the floor: {served.clip}",
        "Program and floor take turns; lines: medians. A machine that changes its pace moves both",
    )
