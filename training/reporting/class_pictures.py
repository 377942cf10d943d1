"""Pictures about the classes: who is mistaken for whom, how well each is ranked, which is named too often."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from training.metrics import Scores
from training.reporting.analysis import ClassShare, Ranking
from training.reporting.style import (
    ACCENT,
    CONTRAST,
    FAINT,
    GRID,
    INK,
    MUTED,
    PAPER,
    bare,
    colour_of,
    headline,
    percent_axis,
    shades,
    signed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 4


def draw_confusion(figure: "Figure", scores: Scores) -> None:
    """Shares of each row, with the counts below them."""
    names = [each.label for each in scores.per_class]
    counts = np.array(scores.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes = figure.subplots()
    axes.imshow(shares, cmap=shades(), vmin=0, vmax=1)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    edges = np.arange(len(names) + 1) - 0.5
    axes.hlines(edges, -0.5, len(names) - 0.5, color=PAPER, linewidth=2)
    axes.vlines(edges, -0.5, len(names) - 0.5, color=PAPER, linewidth=2)
    for (truth, named), count in np.ndenumerate(counts):
        share = shares[truth, named]
        colour = PAPER if share > 0.45 else INK if share >= 0.05 else MUTED
        weight = "bold" if truth == named else "normal"
        axes.text(named, truth - 0.1, f"{share:.0%}", ha="center", va="center", color=colour, weight=weight)
        axes.text(named, truth + 0.22, f"{count}", ha="center", va="center", color=colour, fontsize=7, alpha=0.85)
    axes.set_xticks(range(len(names)), names, color=INK)
    axes.set_yticks(range(len(names)), [f"{each.label}  ({each.support})" for each in scores.per_class], color=INK)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("named", labelpad=8)
    axes.set_ylabel("truth (pictures)", labelpad=8)
    headline(figure, "Who is mistaken for whom", "Each row sums to 100 %; below, the number of pictures")


def draw_roc(figure: "Figure", rankings: Sequence[Ranking], label_names: Sequence[str]) -> None:
    """One small picture a class, the others faint behind it."""
    for axes, ranking in _small_multiples(figure, rankings, [each.roc_auc for each in rankings], label_names):
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=(0, (3, 3)))
        for other in rankings:
            axes.plot(other.roc.x, other.roc.y, color=GRID, linewidth=1)
        axes.plot(ranking.roc.x, ranking.roc.y, color=_colour(ranking, label_names))
        axes.set_title(f"{ranking.label}  {ranking.roc_auc:.3f}")
        axes.set_xlabel("false alarms")
        axes.set_ylabel("hits")
    headline(figure, "ROC, each class against the rest", "The area under the curve beside the name; dashed: chance")


def draw_precision_recall(figure: "Figure", rankings: Sequence[Ranking], label_names: Sequence[str]) -> None:
    """One small picture a class, the others faint behind it."""
    values = [each.average_precision for each in rankings]
    for axes, ranking in _small_multiples(figure, rankings, values, label_names):
        axes.axhline(ranking.share, color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
        for other in rankings:
            axes.plot(other.precision_recall.x, other.precision_recall.y, color=GRID, linewidth=1)
        axes.plot(ranking.precision_recall.x, ranking.precision_recall.y, color=_colour(ranking, label_names))
        axes.set_title(f"{ranking.label}  {ranking.average_precision:.3f}")
        axes.set_xlabel("recall")
        axes.set_ylabel("precision")
    headline(
        figure,
        "Precision and recall, each class against the rest",
        "Average precision beside the name; dashed: chance, which is the class's share of the pictures",
    )


def _colour(ranking: Ranking, label_names: Sequence[str]) -> str:
    return colour_of(label_names.index(ranking.label))


def _small_multiples(
    figure: "Figure", rankings: Sequence[Ranking], values: Sequence[float], label_names: Sequence[str]
) -> "Iterator[tuple[Axes, Ranking]]":
    """Axes for each class, and one more with all classes' values in order."""
    rows = small_multiple_rows(len(rankings))
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    cells = list(grid.flat)
    for axes, ranking in zip(cells, rankings, strict=False):
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_aspect("equal")
        percent_axis(axes, step=0.5)
        yield axes, ranking
        axes.label_outer()
    overview, *spare = cells[len(rankings) :]
    order = np.argsort(values)
    for at, index in enumerate(order):
        colour = _colour(rankings[index], label_names)
        overview.plot([0, 1], [at, at], color=GRID, linewidth=3, solid_capstyle="round")
        overview.plot([0, values[index]], [at, at], color=colour, linewidth=3, solid_capstyle="round")
        overview.text(0, at + 0.2, rankings[index].label, fontsize=8.5)
        overview.text(1, at + 0.2, f"{values[index]:.3f}", ha="right", fontsize=8.5, weight="bold")
    overview.set_yticks([])
    overview.set_ylim(-0.5, len(order))
    overview.set_xlim(-0.02, 1.02)
    overview.set_xticks([])
    overview.set_title("in order")
    overview.grid(visible=False)
    overview.spines[:].set_visible(False)
    for axes in spare:
        bare(axes)


def small_multiple_rows(classes: int) -> int:
    """Rows of small pictures for so many classes and the overview."""
    return (classes + _COLUMNS) // _COLUMNS


def draw_shares(figure: "Figure", shares: Sequence[ClassShare]) -> None:
    """True against named share of each class; a longer bar between them is a class more over- or under-named."""
    axes = figure.subplots()
    places = np.arange(len(shares))[::-1]
    for place, each in zip(places, shares, strict=True):
        excess = (each.named - each.true) * 100
        colour = MUTED if signed(excess) == "0.0" else CONTRAST if excess > 0 else ACCENT
        axes.plot([each.true, each.named], [place, place], color=colour, linewidth=4, alpha=0.3, solid_capstyle="butt")
        axes.plot(each.true, place, "o", color=PAPER, markeredgecolor=INK, markeredgewidth=1.4, markersize=7, zorder=3)
        axes.plot(each.named, place, "o", color=colour, markersize=8, zorder=4)
        axes.plot(each.expected, place, "|", color=MUTED, markersize=13, markeredgewidth=1.6, zorder=2)
        axes.text(
            1.01,
            place,
            signed(excess),
            transform=axes.get_yaxis_transform(),
            va="center",
            color=colour,
            weight="bold",
        )
    axes.text(1.01, len(shares) - 0.35, "points", transform=axes.get_yaxis_transform(), color=MUTED, fontsize=8.5)
    axes.set_yticks(places, [each.label for each in shares], color=INK)
    axes.set_ylim(-0.6, len(shares) - 0.4)
    axes.set_xlim(0, None)
    axes.grid(visible=False, axis="y")
    percent_axis(axes, "x", step=0.05)
    axes.set_xlabel("share of the pictures")
    handles = [
        axes.plot([], [], "o", color=PAPER, markeredgecolor=INK, markeredgewidth=1.4, markersize=7)[0],
        axes.plot([], [], "o", color=CONTRAST, markersize=8)[0],
        axes.plot([], [], "o", color=ACCENT, markersize=8)[0],
        axes.plot([], [], "|", color=MUTED, markersize=12, markeredgewidth=1.6)[0],
    ]
    names = ["truth", "named, too often", "named, too seldom", "mean probability"]
    figure.legend(handles, names, loc="outside lower left", ncols=4, labelcolor=MUTED, handletextpad=0.2)
    headline(figure, "What is named too often", "How often each class is the truth, and how often it is named")
