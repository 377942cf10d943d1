"""The course of a training run, epoch by epoch: read from its history, and drawn."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.errors import PermanentError
from training.checkpoint import EpochRow
from training.reporting.style import ACCENT, CONTRAST, INK, MUTED, PAPER, headline, percent_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEW = 20  # so many points are told apart by marks

Points = list[tuple[int, float]]
"""(epoch, value) of each epoch that has one."""


def read_history(path: Path) -> tuple[EpochRow, ...]:
    """What a run wrote at the end of each epoch.

    Raises:
        OSError: the file cannot be read.
        PermanentError: it is not a run's history.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [{name: value or None for name, value in row.items()} for row in csv.DictReader(file, strict=True)]
        return tuple(msgspec.convert(rows, list[EpochRow], strict=False))
    except (UnicodeDecodeError, csv.Error, msgspec.ValidationError) as error:
        raise PermanentError(
            f"{path}: not the history of a run ({error}); expected a CSV with the columns "
            f"{','.join(EpochRow.__struct_fields__)}"
        ) from error


def draw_course(figure: "Figure", history: Sequence[EpochRow]) -> None:
    """Loss, accuracy and learning rate over the epochs, one below the other; at least one epoch."""
    losses, accuracies, rates = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1.2))
    held_loss = [(row.epoch, row.holdout_nll) for row in history if row.holdout_nll is not None]
    held_accuracy = [(row.epoch, row.holdout_accuracy) for row in history if row.holdout_accuracy is not None]
    _draw_pair(losses, [(row.epoch, row.loss) for row in history], held_loss, min, ".3f")
    losses.set_ylabel("loss")
    _draw_pair(accuracies, [(row.epoch, row.accuracy) for row in history], held_accuracy, max, ".1%")
    accuracies.set_ylabel("accuracy")
    shown = [value for _, value in held_accuracy] + [row.accuracy for row in history]
    percent_axis(accuracies, "y", step=0.2 if max(shown) - min(shown) > 0.5 else 0.1)
    rates.plot([row.epoch for row in history], [row.learning_rate for row in history], color=MUTED, **_marks(history))
    rates.set_ylim(bottom=0)
    rates.set_ylabel("learning rate")
    rates.set_xlabel("epoch")
    rates.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    figure.align_ylabels()
    headline(
        figure,
        "How the training went",
        "Blue: training, on augmented pictures and smoothed labels; orange: hold-out, on plain ones; its best marked",
    )


def _draw_pair(axes: "Axes", train: Points, held: Points, best_of: Callable[..., tuple[int, float]], form: str) -> None:
    axes.plot(*zip(*train, strict=True), color=ACCENT, **_marks(train))
    if not held:
        return
    axes.plot(*zip(*held, strict=True), color=CONTRAST, **_marks(held))
    epoch, best = best_of(held, key=lambda point: point[1])
    axes.plot(epoch, best, "o", color=CONTRAST, markeredgecolor=PAPER, markersize=8, zorder=3)
    left = epoch > (train[0][0] + train[-1][0]) / 2
    axes.annotate(
        f"{best:{form}}",
        (epoch, best),
        xytext=(-8 if left else 8, 8),
        textcoords="offset points",
        ha="right" if left else "left",
        color=INK,
        weight="bold",
    )
    axes.margins(y=0.15)  # the figure at the best point stays inside


def _marks(points: Sequence[object]) -> dict[str, object]:
    return {"marker": "o", "markersize": 4} if len(points) <= _FEW else {}
