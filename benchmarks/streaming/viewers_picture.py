"""What viewers cost, drawn: processor time over their number."""

from typing import TYPE_CHECKING

from benchmarks.streaming.crowds import Crowd, Crowds
from training.reporting.style import INK, colour_of, headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHISKERS = {"markersize": 4, "elinewidth": 1}
NEAR = 0.055
"""Labels closer than this share of the height would cover each other."""


def draw_processor(figure: "Figure", found: Crowds) -> None:
    """A panel for each camera, a line for each server, a whisker from the least to the most of the rounds."""
    cameras = tuple(dict.fromkeys(camera for _, camera in found.cases()))
    panels = figure.subplots(1, len(cameras), sharey=True, squeeze=False)[0]
    most = 0.0
    for axes, camera in zip(panels, cameras, strict=True):
        ends: list[tuple[float, str, str]] = []
        for number, server in enumerate(dict.fromkeys(server for server, _ in found.cases())):
            spreads = [found.spread(server, camera, count, _processor) for count in found.viewers()]
            colour, medians = colour_of(number), [spread.median for spread in spreads]
            reach = tuple(zip(*((s.median - s.least, s.most - s.median) for s in spreads), strict=True))
            axes.errorbar(found.viewers(), medians, reach, color=colour, marker="o", capsize=2.5, **WHISKERS)
            ends.append((medians[-1], server, colour))
            most = max(most, *(spread.most for spread in spreads))
        axes.set_title(f"camera delivers {'JPEGs (MJPG)' if camera == 'MJPG' else 'raw pictures (YUYV)'}")
        axes.set_xlabel("viewers")
        axes.set_xticks(found.viewers())
        axes.set_xlim(0, 1.5 * found.viewers()[-1])
        axes.grid(visible=False, axis="x")
        _label(axes, found.viewers()[-1], ends, NEAR * 1.1 * most)
    panels[0].set_ylim(0, 1.1 * most)
    panels[0].set_ylabel("hundredths of a core")
    headline(
        figure,
        "What viewers cost",
        "640×480 at 30 a second. Only emotion-edge analyses; compare how steeply the lines rise",
    )


def _processor(crowd: Crowd) -> float:
    return 100 * crowd.cpu_share


def _label(axes: "Axes", x: int, ends: list[tuple[float, str, str]], near: float) -> None:
    """Names at the lines' ends, moved up where they would cover each other."""
    free = float("-inf")
    for y, server, colour in sorted(ends):
        free = max(y, free + near)
        axes.annotate(
            server, (x, y), (1.05 * x, free), va="center", color=colour or INK, weight="bold", annotation_clip=False
        )
