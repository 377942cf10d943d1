"""The costs of all programs side by side."""

from typing import TYPE_CHECKING

from benchmarks.peers.found import OWN, Peers, Program, spread_of
from training.reporting.style import ACCENT, GRID, INK, MUTED, headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE_IN = (11.0, 4.2)
PANELS = (("cpu_s", "seconds of processor time"), ("peak_mib", "peak MiB"), ("start_s", "seconds to the first picture"))
ROOM = 4.0
"""Behind the largest, for its figure: times that."""


def draw(figure: "Figure", found: Peers) -> None:
    """From the cheapest to the dearest: a dot for the median, a line from the least to the most of the runs."""
    headline(
        figure,
        f"What {found.frames} frames with a viewer cost, from start to end",
        "Medians on logarithmic scales; a line spans all runs. Ours are blue.",
    )
    programs = sorted(found.programs, key=_dear, reverse=True)
    for axes, (what, title) in zip(figure.subplots(1, len(PANELS), sharey=True), PANELS, strict=True):
        _panel(axes, programs, what, title)


def _dear(program: Program) -> float:
    cost = spread_of(program, "cpu_s")
    return cost.median if cost else 0.0


def _shown(value: float) -> str:
    """With as many digits as tell something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _panel(axes: "Axes", programs: list[Program], what: str, title: str) -> None:
    from matplotlib.ticker import StrMethodFormatter  # noqa: PLC0415

    costs = [spread_of(program, what) for program in programs]
    known = [cost for cost in costs if cost]
    axes.set_title(title)
    axes.set_yticks(range(len(programs)), [program.name for program in programs])
    axes.tick_params(axis="y", labelcolor=INK)
    axes.grid(visible=False, axis="y")
    if not known:
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    for row, (program, cost) in enumerate(zip(programs, costs, strict=True)):
        if cost is None:
            continue
        colour = ACCENT if program.name.startswith(OWN) else MUTED
        axes.axhline(row, color=GRID, linewidth=0.8, zorder=0)
        axes.plot((cost.least, cost.most), (row, row), color=colour, linewidth=3)
        axes.plot(cost.median, row, "o", color=colour, markersize=7)
        figure = _shown(cost.median)
        at = (cost.most, row)
        axes.annotate(figure, at, (8, 0), textcoords="offset points", va="center", color=INK, fontsize=8.5)
    least = min(cost.least for cost in known)
    axes.set_xlim(least / 2, max(cost.most for cost in known) * ROOM)
