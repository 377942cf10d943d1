"""Accuracy, latency and size of every model, drawn: the two ways of training above each other, not on one scale."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from benchmarks.models.label_places import Label, placed, radius_pt
from benchmarks.models.speeds import Model, Survey, front
from benchmarks.models.standings import Schedule
from training.reporting.style import ACCENT, CONTRAST, FAINT, INK, MUTED, PAPER, headline, percent_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE_IN = (10, 9.2)
COLOURS: Final = {"int8": ACCENT, "float32": CONTRAST}
AREA_PT2 = 75.0
"""Of a mark, for each MB of its file."""
DASHES = (0, (4, 3))
TICKS_MS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

TITLES: Final[dict[Schedule, str]] = {
    "full": "Trained to the end, each by its own recipe",
    "short": "The same short schedule for all: who learns fast, not who gets far",
}


def draw(figure: "Figure", found: Survey) -> None:
    """Two panels with the same scale of time, each with its own of accuracy, and the front of each."""
    times = [model.ms.median for model in found.models]
    key, *panels = figure.subplots(3, 1, height_ratios=(0.09, 0.8, 1), gridspec_kw={"hspace": 0.08})
    _key(key)
    for axes, schedule in zip(panels, TITLES, strict=True):
        axes.set_xscale("log")
        axes.set_xlim(min(times) / 1.3, max(times) * 1.6)
        _marks(axes, found.trained(schedule))
        if schedule == "short":
            _join(axes, found.trained(schedule))
        axes.set_title(TITLES[schedule])
    panels[0].tick_params(labelbottom=False)
    panels[1].set_xlabel("milliseconds a face, on one thread")
    headline(
        figure,
        "How right, how fast, how large",
        f"Share of {found.pictures:,} pictures (FER2013, {found.split}) named rightly; upright lines: 95 % intervals, "
        "level ones: half of the rounds",
    )
    figure.draw_without_rendering()  # only now it is known where things lie, and so where there is room for names
    for axes, schedule in zip(panels, TITLES, strict=True):
        _names(axes, found.trained(schedule), once=schedule == "short")


def _marks(axes: "Axes", models: Sequence[Model]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: PLC0415

    for model in sorted(models, key=lambda each: -each.size_b):
        x, y, colour = model.ms.median, model.standing.accuracy, COLOURS[model.standing.kind]
        axes.plot([x, x], model.standing.interval, color=colour, linewidth=1.2, alpha=0.3, zorder=2)
        axes.plot([model.ms.low, model.ms.high], [y, y], color=colour, linewidth=1.2, alpha=0.6, zorder=2)
        area = model.size_b / 1e6 * AREA_PT2
        edge_pt = min(0.8, radius_pt(area) / 6)  # of the smallest an edge would leave nothing
        axes.scatter(x, y, area, color=colour, alpha=0.85, edgecolors=PAPER, linewidths=edge_pt, zorder=3)
    steps = [(model.ms.median, model.standing.accuracy) for model in front(tuple(models))]
    axes.step(*zip(*steps, strict=True), where="post", color=INK, linewidth=1, linestyle=DASHES, alpha=0.6, zorder=1)
    axes.xaxis.set_major_locator(FixedLocator(TICKS_MS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(y=0.04)
    low, high = axes.get_ylim()
    percent_axis(axes, "y", 0.02 if high - low < 0.12 else 0.05)


def _join(axes: "Axes", models: Sequence[Model]) -> None:
    """A line between the two files of each network."""
    for one, other in itertools.combinations(models, 2):
        if one.standing.name == other.standing.name:
            ends = [(model.ms.median, model.standing.accuracy) for model in (one, other)]
            axes.plot(*zip(*ends, strict=True), color=FAINT, linewidth=1.2, zorder=1)


def _names(axes: "Axes", models: Sequence[Model], once: bool) -> None:
    """Beside the marks; with `once` only one name for each pair of files of a network."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415

    best = front(tuple(models))
    labels = [
        Label(
            model.standing.name + (", two views" if model.standing.views == 2 else ""),
            (model.ms.median, model.standing.accuracy),
            model.size_b / 1e6 * AREA_PT2,
            shown=not once or model.standing.kind == "int8",
            strong=model in best,
        )
        for model in models
    ]
    for label, offset_pt in placed(axes, labels):
        axes.annotate(
            label.text,
            label.at,
            xytext=offset_pt,
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=Label.SIZE_PT,
            color=INK if label.strong else MUTED,
            weight="bold" if label.strong else "normal",
            path_effects=[withStroke(linewidth=3, foreground=PAPER)],
            zorder=4,
        )


def _key(axes: "Axes") -> None:
    """What colours, areas and the dashed line mean."""
    axes.set_axis_off()
    axes.set_xlim(0, SIZE_IN[0])
    axes.set_ylim(-1, 1)
    x = 0.12
    for kind, colour in COLOURS.items():
        axes.scatter(x, 0, AREA_PT2, color=colour, alpha=0.85, edgecolors=PAPER)
        axes.text(x + 0.13, 0, kind, va="center")
        x += 0.85
    for size_mb in (0.1, 1, 10):
        radius_in = radius_pt(size_mb * AREA_PT2) / 72
        axes.scatter(x + radius_in, 0, size_mb * AREA_PT2, facecolors="none", edgecolors=MUTED, clip_on=False)
        axes.text(x + 2 * radius_in + 0.08, 0, f"{size_mb:g} MB", va="center", color=MUTED)
        x += 2 * radius_in + 0.8
    axes.plot([x + 0.1, x + 0.6], [0, 0], color=INK, linewidth=1, linestyle=DASHES, alpha=0.6)
    axes.text(x + 0.68, 0, "and bold: none is faster and as right", va="center", color=MUTED)
    axes.plot([x + 3.5, x + 4.0], [0, 0], color=FAINT, linewidth=1.2)
    axes.text(x + 4.08, 0, "one network", va="center", color=MUTED)
