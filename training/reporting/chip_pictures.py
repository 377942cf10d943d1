"""Pictures with faces in them: the worst mistakes, and what each degradation looks like and costs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.reporting.analysis import Mistake
from training.reporting.style import ACCENT, CONTRAST, GRID, INK, MUTED, bare, headline
from training.robustness import DEGRADATIONS, Degraded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHEET_COLUMNS = 8


def draw_mistakes(figure: "Figure", chips: NDArray[np.uint8], mistakes: Sequence[Mistake]) -> None:
    """A sheet of pictures, what they are said to be and what they were named.

    Args:
        figure: to fill.
        chips: uint8 (M, S, S, C), those of `mistakes`.
        mistakes: in the order of the sheet.
    """
    rows = sheet_rows(len(mistakes))
    cells = figure.subplots(rows, SHEET_COLUMNS, squeeze=False, gridspec_kw={"wspace": 0.06, "hspace": 0.04})
    for axes in cells.flat:
        bare(axes)
    for axes, chip, mistake in zip(cells.flat, chips, mistakes, strict=False):
        _show(axes, chip)
        axes.text(
            0, -0.07, mistake.named, transform=axes.transAxes, va="top", color=CONTRAST, weight="bold", fontsize=9
        )
        axes.text(
            1, -0.07, f"{mistake.confidence:.0%}", transform=axes.transAxes, va="top", ha="right", color=CONTRAST,
            fontsize=9,
        )  # fmt: skip
        axes.text(0, -0.21, mistake.truth, transform=axes.transAxes, va="top", color=INK, fontsize=9)
        axes.text(1, -0.215, f"#{mistake.row}", transform=axes.transAxes, va="top", ha="right", color=MUTED, fontsize=7)
    headline(
        figure,
        "The mistakes made most surely",
        "Orange: what was named, and how sure; black: the label in the data, which is not always right",
    )


def sheet_rows(mistakes: int) -> int:
    """Rows of the sheet."""
    return max(1, -(-mistakes // SHEET_COLUMNS))


def draw_robustness(
    figure: "Figure", degraded: Sequence[Degraded], accuracy: float, chip: NDArray[np.uint8], row: int
) -> None:
    """What each degradation costs, beside one face that shows it.

    Args:
        figure: to fill.
        degraded: figures; each must be one of `DEGRADATIONS`.
        accuracy: on the pictures as they are.
        chip: uint8 (S, S, C), the face that shows them.
        row: of that face.
    """
    known = {each.name: each for each in DEGRADATIONS}
    grid = figure.add_gridspec(len(degraded), 3, width_ratios=(0.4, 0.12, 1), wspace=0.02, hspace=0.06)
    words, bars = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[:, 2])
    bare(words)
    words.set_ylim(-0.5, len(degraded) - 0.5)
    places = np.arange(len(degraded))[::-1]
    most = max(each.loss_interval[1] for each in degraded)
    for at, (place, each) in enumerate(zip(places, degraded, strict=True)):
        sample = figure.add_subplot(grid[at, 1])
        bare(sample)
        _show(sample, known[each.name].apply(chip[None], np.array([row], np.int64))[0])
        bars.barh(place, each.loss * 100, height=0.5, color=ACCENT)
        low, high = each.loss_interval
        bars.plot([low * 100, high * 100], [place, place], color=INK, linewidth=1.2, solid_capstyle="butt")
        bars.text(max(high, 0) * 100 + most * 2, place, f"{each.loss * 100:.1f}", va="center", color=INK, weight="bold")
        words.text(0, place + 0.14, each.name, va="center", weight="bold")
        words.text(0, place - 0.16, each.what, va="center", color=MUTED, fontsize=8)
    bars.set_yticks([])
    bars.set_ylim(-0.5, len(degraded) - 0.5)
    bars.set_xlim(min(0, *(each.loss_interval[0] * 100 for each in degraded)) - 0.2, max(most, 0.01) * 112)
    bars.axvline(0, color=MUTED, linewidth=1)
    bars.grid(visible=False, axis="y")
    bars.grid(visible=True, axis="x", color=GRID)
    bars.spines[["left", "bottom"]].set_visible(False)
    bars.set_xlabel("points of accuracy lost; lines: 95 % interval")
    headline(
        figure, "What spoilt pictures cost", f"Accuracy lost, in points, of {accuracy:.1%} on pictures as they are"
    )


def _show(axes: "Axes", chip: NDArray[np.uint8]) -> None:
    grey = chip.shape[-1] == 1
    axes.imshow(chip[..., 0] if grey else chip, cmap="gray" if grey else None, vmin=0, vmax=255)
