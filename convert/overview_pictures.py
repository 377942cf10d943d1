"""The overview, drawn: the files beside each other, what each class lost, how far weights and activations reach."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from convert.activations import ActivationRange
from convert.kernels import KernelRange
from convert.overview import Candidate
from training.reporting.style import ACCENT, CONTRAST, FAINT, INK, MUTED, PAPER, headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_IN = 0.42


def rows_in(rows: int) -> float:
    """Height of a picture with so many rows, in inches."""
    return 1.75 + ROW_IN * rows


def draw_files(figure: "Figure", candidates: Sequence[Candidate], baseline: str) -> None:
    """One row a file; size, time and accuracy beside each other."""
    sizes, times, accuracies = figure.subplots(1, 3, sharey=True, width_ratios=(1, 1, 1.5))
    places = np.arange(len(candidates))[::-1]
    first = candidates[0]
    for place, each in zip(places, candidates, strict=True):
        colour = ACCENT if each is first else MUTED
        _bar(sizes, place, each.size_b / 1000, f"{each.size_b / 1000:.0f}", colour)
        _bar(times, place, each.ms / first.ms, f"{each.ms / first.ms:.2f}", colour)
        low, high = (100 * end for end in each.accuracy.interval)
        accuracies.plot([low, high], [place, place], color=colour, linewidth=2.2, alpha=0.5, solid_capstyle="round")
        accuracies.plot(100 * each.accuracy.difference, place, "o", color=colour, markersize=8, zorder=3)
        accuracies.text(
            1.02, place, f"{each.scores.accuracy:.2%}", transform=accuracies.get_yaxis_transform(), va="center",
            color=INK if each is first else MUTED, weight="bold" if each is first else "normal",
        )  # fmt: skip
    accuracies.axvline(0, color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
    for axes, title in (
        (sizes, "KB"),
        (times, "time of a chip, first = 1"),
        (accuracies, f"points against {baseline}"),
    ):
        axes.set_xlabel(title)
        axes.grid(visible=False, axis="y")
    for axes, most in (
        (sizes, max(each.size_b for each in candidates) / 1000),
        (times, max(each.ms for each in candidates) / first.ms),
    ):
        axes.set_xlim(0, 1.22 * most)
    sizes.set_yticks(places, [each.name for each in candidates], color=INK)
    sizes.set_ylim(-0.6, len(candidates) - 0.4)
    headline(
        figure,
        "What each file costs, and what it is worth",
        "Lines: 95 % intervals of the difference on the same pictures; right: accuracy",
    )


def _bar(axes: "Axes", place: int, value: float, says: str, colour: str) -> None:
    axes.barh(place, value, 0.5, color=colour, alpha=0.85)
    axes.annotate(says, (value, place), xytext=(4, 0), textcoords="offset points", va="center", color=INK)


def draw_recalls(figure: "Figure", candidates: Sequence[Candidate], baseline: str) -> None:
    """One small picture a file: what each class's recall gained or lost."""
    panels = figure.subplots(1, len(candidates), sharex=True, sharey=True, squeeze=False)[0]
    labels = [each.label for each in candidates[0].recall]
    places = np.arange(len(labels))[::-1]
    for axes, candidate in zip(panels, candidates, strict=True):
        axes.axvline(0, color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
        for place, each in zip(places, candidate.recall, strict=True):
            low, high = each.interval
            sure = low > 0 or high < 0
            colour = MUTED if not sure else CONTRAST if each.drop > 0 else ACCENT
            axes.plot([-100 * high, -100 * low], [place, place], color=colour, linewidth=2, alpha=0.5)
            axes.plot(-100 * each.drop, place, "o", color=colour, markeredgecolor=PAPER, markersize=7, zorder=3)
        axes.set_title(candidate.name)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("points")
    panels[0].set_yticks(places, labels, color=INK)
    panels[0].set_ylim(-0.6, len(labels) - 0.4)
    headline(
        figure,
        f"What each class's recall gained or lost against {baseline}",
        "Lines: 95 % intervals, the class's pictures resampled; coloured where they leave out zero",
    )


def draw_kernels(figure: "Figure", kernels: Sequence[KernelRange]) -> None:
    """A line from the least to the greatest channel of each kernel."""
    axes = figure.subplots()
    places = np.arange(len(kernels))[::-1]
    for place, each in zip(places, kernels, strict=True):
        # a channel of zeros has no place on this scale; its line begins at a thousandth of the greatest
        low = max(each.least, each.greatest / 1000)
        axes.plot([low, each.greatest], [place, place], color=ACCENT, linewidth=4, alpha=0.3, solid_capstyle="butt")
        axes.plot(each.median, place, "o", color=ACCENT, markeredgecolor=PAPER, markersize=7, zorder=3)
        spread = f"{each.greatest / each.least:.0f}" if each.least else "∞"
        _beside(axes, place, spread)
    axes.set_xscale("log")
    _named(axes, places, plain_names([each.tensor for each in kernels]), "greatest |weight| of a channel", "spread")
    headline(
        figure,
        "How far the weights reach",
        "From the least to the greatest output channel, the median marked: int8 has a scale for each channel",
    )


def draw_activations(figure: "Figure", activations: Sequence[ActivationRange]) -> None:
    """What 99.9 % of the values need, and how far the range reaches."""
    axes = figure.subplots()
    places = np.arange(len(activations))[::-1]
    for place, each in zip(places, activations, strict=True):
        # outputs behind a ReLU begin at zero; others reach both ways
        axes.barh(place, each.high - each.low, 0.5, left=each.low, color=FAINT)
        low = max(each.low, -each.usual)
        axes.barh(place, min(each.high, each.usual) - low, 0.5, left=low, color=ACCENT)
        _beside(axes, place, f"{each.ratio:.1f}", CONTRAST if each.ratio >= 4 else INK)
    _named(axes, places, plain_names([each.tensor for each in activations]), "value", "ratio")
    headline(
        figure,
        "How far the activations reach",
        "Blue: 99.9 % of the values; grey: what the 256 steps span; each doubling of the ratio costs a bit",
    )


def _named(axes: "Axes", places: np.ndarray, names: Sequence[str], what: str, beside: str) -> None:
    axes.set_yticks(places, names, color=INK)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlabel(what)
    axes.grid(visible=False, axis="y")
    axes.text(1.01, len(names) - 0.35, beside, transform=axes.get_yaxis_transform(), color=MUTED, fontsize=8.5)


def _beside(axes: "Axes", place: int, says: str, colour: str = INK) -> None:
    axes.text(1.01, place, says, transform=axes.get_yaxis_transform(), va="center", color=colour, weight="bold")


def change(share: float) -> str:
    """A share's change as points of a hundred."""
    # a sum with 0 is never -0
    return f"{100 * share + 0.0:+.2f}".replace("-", "−")


def plain_names(names: Sequence[str]) -> list[str]:
    """Without the folder that all but the converter's own names lie in."""
    folders = {name.partition("/")[0] for name in names if "/" in name}
    return [name.partition("/")[2] if "/" in name and len(folders) == 1 else name for name in names]
