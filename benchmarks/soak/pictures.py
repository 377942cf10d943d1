"""A long run, drawn: everything over the same time."""

from typing import TYPE_CHECKING

from benchmarks.soak.found import MOST_GROWTH_MIB_H, Soak
from training.reporting.style import ACCENT, COLOURS, CONTRAST, FAINT, MUTED, headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE_IN = (8, 9)
LEAST_GROWTH_MIB = 4.0
"""The axis shows at least that much, lest noise looks like something."""


def draw_course(figure: "Figure", found: Soak, title: str) -> None:
    """Memory, age, handles and threads, and the machine's load, one below the other."""
    panels = figure.subplots(4, 1, sharex=True, height_ratios=(1.2, 1.2, 0.8, 0.8))
    minutes = [minute.at_min for minute in found.minutes]
    for axes, draw in zip(panels, (_memory, _ages, _counts, _load), strict=True):
        axes.axvspan(0, found.warm_s / 60, color=FAINT, alpha=0.35, linewidth=0)
        draw(axes, minutes, found)
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1.02), ncols=3, borderaxespad=0)
    panels[-1].set_xlim(0, found.ran_s / 60)
    panels[-1].set_xlabel("minutes")
    unit = "each minute" if found.minute_s == 60 else f"{found.minute_s:g} s each"
    headline(figure, f"A long run: {title}", f"Of {unit}; the warm-up, which is not judged, is shaded")


def _memory(axes: "Axes", minutes: list[float], found: Soak) -> None:
    """Growth since the first minute after the warm-up, beside what would be too much."""
    steady = next((minute for minute in found.minutes if minute.at_min * 60 > found.warm_s), found.minutes[0])
    for name, colour, line, values, base in (
        ("resident", ACCENT, "-", [minute.rss_mib for minute in found.minutes], steady.rss_mib),
        ("the part in no file", CONTRAST, "--", [minute.anon_mib for minute in found.minutes], steady.anon_mib),
    ):
        axes.plot(minutes, [value - base for value in values], color=colour, linestyle=line, label=name)
    end_min = found.ran_s / 60
    allowed = MOST_GROWTH_MIB_H * (end_min - steady.at_min) / 60
    axes.plot(
        [steady.at_min, end_min],
        [0, allowed],
        color=MUTED,
        linestyle=":",
        linewidth=1.2,
        label=f"{MOST_GROWTH_MIB_H:g} MiB an hour",
    )
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -LEAST_GROWTH_MIB / 2), max(high, LEAST_GROWTH_MIB / 2))
    axes.set_title(f"Memory, MiB above {steady.rss_mib:.1f}")


def _ages(axes: "Axes", minutes: list[float], found: Soak) -> None:
    for name, colour, values in (
        ("p50", ACCENT, [minute.p50_ms for minute in found.minutes]),
        ("p95", MUTED, [minute.p95_ms for minute in found.minutes]),
        ("p99", CONTRAST, [minute.p99_ms for minute in found.minutes]),
    ):
        axes.plot(minutes, [float("nan") if value is None else value for value in values], color=colour, label=name)
    axes.set_ylim(bottom=0)
    axes.set_title("Age of the pictures at the viewer, ms")


def _counts(axes: "Axes", minutes: list[float], found: Soak) -> None:
    axes.step(minutes, [minute.handles for minute in found.minutes], where="mid", color=ACCENT, label="handles")
    axes.step(minutes, [minute.threads for minute in found.minutes], where="mid", color=CONTRAST, label="threads")
    axes.set_ylim(0, 1.15 * max(max(minute.handles, minute.threads) for minute in found.minutes))
    axes.set_title("Handles and threads")


def _load(axes: "Axes", minutes: list[float], found: Soak) -> None:
    axes.plot(minutes, [minute.load for minute in found.minutes], color=COLOURS[2], label="load of the machine")
    axes.plot(minutes, [minute.cpu_share for minute in found.minutes], color=ACCENT, label="cores the program uses")
    axes.set_ylim(bottom=0)
    axes.set_title("Load")
