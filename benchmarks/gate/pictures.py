"""What the gate finds, drawn: ratios with their bounds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.gate.found import Compared, Found, Proof
from training.reporting.style import ACCENT, CONTRAST, FAINT, INK, MUTED, headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_IN = 0.3


def ratios_size_in(found: Compared) -> tuple[float, float]:
    """Width and height in inches."""
    return 8, 1.6 + _ROW_IN * len(found.rows)


def draw_ratios(figure: "Figure", found: Compared) -> None:
    """Each stage's ratio with its bounds."""
    axes = figure.subplots()
    _lines(axes, (1 + found.tolerance,))
    for y, row in enumerate(found.rows):
        _bounds(axes, y, row, {"worse": CONTRAST, "better": ACCENT}.get(row.verdict, MUTED))
    axes.set_yticks(range(len(found.rows)), [row.name for row in found.rows], color=INK)
    axes.set_ylim(len(found.rows) - 0.4, -0.6)
    axes.set_xlabel("processor time, after by before")
    headline(figure, "Faster or slower", f"Dashed: {found.tolerance:.0%} slower, which is let pass")


def proof_size_in(found: Proof) -> tuple[float, float]:
    """Width and height in inches."""
    return 8, 1.7 + _ROW_IN * len(found.runs)


def draw_proof(figure: "Figure", found: Proof) -> None:
    """A line for each run: all its stages, and those slowed down with their bounds."""
    runs = [*found.unchanged, *found.slowed]
    axes = figure.subplots()
    _lines(axes, (1 + runs[0].tolerance, 1 + found.share))
    for y, run in enumerate(runs):
        others = [row.ratio.middle for row in run.rows if not run.slowed or row.stage != run.slowed]
        axes.plot(others, [y] * len(others), "o", color=MUTED, markersize=3, alpha=0.5, markeredgewidth=0)
        for row in _meant(run):
            _bounds(axes, y, row, ACCENT if row.verdict == "worse" else CONTRAST)
        for row in run.alarms():
            _bounds(axes, y, row, CONTRAST)
    axes.axhline(len(found.unchanged) - 0.5, color=FAINT)
    axes.set_yticks(range(len(runs)), [run.slowed or "unchanged" for run in runs], color=INK)
    axes.set_ylim(len(runs) - 0.4, -0.6)
    axes.set_xlabel("processor time, after by before")
    headline(
        figure,
        f"{found.caught()} of {len(found.slowed)} slow-downs caught, "
        f"{found.alarmed()} of {len(found.unchanged)} unchanged runs flagged",
        f"Grey: stages left alone; coloured: slowed by {found.share:.0%}; dashed: what is let pass, and the slow-down",
    )


def _meant(run: Compared) -> Sequence[Found]:
    return [row for row in run.rows if run.slowed and row.stage == run.slowed]


def _bounds(axes: "Axes", y: float, row: Found, colour: str) -> None:
    axes.plot([row.ratio.low, row.ratio.high], [y, y], color=colour, linewidth=1.4)
    axes.plot([row.ratio.middle], [y], "o", color=colour, markersize=5)


def _lines(axes: "Axes", at: Sequence[float]) -> None:
    axes.axvline(1, color=INK, linewidth=0.9)
    for x in at:
        axes.axvline(x, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.grid(visible=False, axis="y")
