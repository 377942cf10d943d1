"""How every picture of a report looks: one palette, one type, no more ink than the figures need."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from edge.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

COLOURS: Final = ("#0473de", "#bf5501", "#9942fb", "#08873e", "#e4066b", "#088187", "#7e7708", "#d114b9")
"""Those of `edge.palette.FACE_COLOURS`, which the live page draws with: equally dark, told apart by hue."""

ACCENT: Final = COLOURS[0]
CONTRAST: Final = COLOURS[1]
INK: Final = "#1b2430"
MUTED: Final = "#66717f"
FAINT: Final = "#d3d9e0"
GRID: Final = "#e8ecf0"
PAPER: Final = "#ffffff"

DPI: Final = 144

_INDENT = 0.012  # of the picture's width
_HEAD_IN = 0.68

_RULES: Final = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlecolor": INK,
    "axes.titlepad": 8,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
}


@contextmanager
def new_figure(size_in: tuple[float, float]) -> Iterator["Figure"]:
    """An empty figure; what is drawn inside has the style of all reports.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415  # not pyplot: no window, nothing global
    except ImportError as error:
        raise ConfigError(
            f"a report draws with matplotlib, which cannot be imported ({error}); "
            "install it with: pip install 'emotion-edge[train]'"
        ) from error
    with mpl.rc_context(_RULES):
        yield Figure(figsize=size_in, dpi=DPI, layout="constrained")


def save(figure: "Figure") -> bytes:
    """The figure as PNG. Same figure, same bytes: no date, no version inside."""
    stored = io.BytesIO()
    figure.savefig(stored, format="png", metadata={"Software": None})
    return stored.getvalue()


def colour_of(index: int) -> str:
    """The colour of a class."""
    return COLOURS[index % len(COLOURS)]


def shades() -> "LinearSegmentedColormap":
    """From paper to the accent, for shares from 0 to 1."""
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415

    return LinearSegmentedColormap.from_list("share", [PAPER, "#cfe3f9", "#5fa6ec", ACCENT, "#04427f"])


def headline(figure: "Figure", title: str, note: str = "") -> None:
    """What the picture shows, at its top left, and one lighter line on how to read it; the rest moves below them."""
    height_in = figure.get_size_inches()[1]
    figure.text(_INDENT, 1 - 0.12 / height_in, title, va="top", fontsize=12.5, weight="bold")
    figure.text(_INDENT, 1 - 0.38 / height_in, note, va="top", color=MUTED)
    top = (_HEAD_IN if note else _HEAD_IN / 2) / height_in
    figure.get_layout_engine().set(rect=(_INDENT / 2, 0, 1 - _INDENT, 1 - top))


def signed(points: float) -> str:
    """Points of percent with their sign; nothing is neither too much nor too little."""
    return "0.0" if abs(points) < 0.05 else f"{points:+.1f}".replace("-", "−")


def percent_axis(axes: "Axes", which: str = "xy", step: float = 0.2) -> None:
    """Label axes from 0 to 1 in percent."""
    from matplotlib.ticker import MultipleLocator, PercentFormatter  # noqa: PLC0415

    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_locator(MultipleLocator(step))
        axis.set_major_formatter(PercentFormatter(1, decimals=0))


def bare(axes: "Axes") -> None:
    """No frame, no grid, no ticks."""
    axes.set_axis_off()
