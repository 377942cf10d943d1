"""Boards that people have measured and sent in; until somebody did, what a Raspberry Pi is estimated to need."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.reporting.results import RESULTS, decoded
from edge.bench.figures import Figures
from edge.bench.timing import median, spread_text
from training.reporting.document import Table

FOLDER = "boards"
HEADER = (
    "board",
    "system",
    "whole frame, ms",
    "× its floor",
    "with a viewer, ms of processor time",
    "nobody watching, ×",
    "grab to client p95, ms",
    "start, s",
    "MiB",
    "mJ a frame",
    "mind",
)
NETWORKS = ("detect", "classify")
"""Stages whose native calls are inference."""


class Board(NamedTuple):
    """The file's name without suffix, and what is in it."""

    name: str
    figures: Figures


class Scale(NamedTuple):
    """How many times as long as on an x86-64 core of the kind that this project is measured on, least and most.

    Attributes:
        board: which.
        inference: of the networks, from published XNNPACK figures.
        rest: all else.
    """

    board: str
    inference: tuple[float, float]
    rest: tuple[float, float]


SCALES = (
    Scale("Raspberry Pi 4", (11.0, 14.0), (6.0, 8.0)),
    Scale("Raspberry Pi 5", (5.5, 7.0), (3.0, 4.0)),
)


def boards_in(results: Path = RESULTS) -> tuple[Board, ...]:
    """All in the folder `boards` there.

    Raises:
        ConfigError: a file is not what `emotion-edge bench --json` writes.
    """
    return tuple(Board(path.stem, decoded(path, Figures)) for path in sorted((results / FOLDER).glob("*.json")))


def table_of_boards(boards: Sequence[Board]) -> Table:
    """A row for each."""
    return Table(HEADER, tuple(map(_row, boards)), words=2)


def _row(board: Board) -> tuple[str, ...]:
    found = board.figures
    whole, served, viewing, machine = found.whole, found.served, found.viewing, found.whole.machine
    return (
        f"[{machine.board or machine.cpu or board.name}](results/{FOLDER}/{board.name}.json)",
        machine.os_name or machine.system,
        spread_text(whole.wholes_ms) if whole.wholes_ms else f"{whole.whole.p50_ms:.2f}",
        f"{whole.ratio:.2f}",
        spread_text(served.program_ms) if served else "–",
        spread_text(viewing.ratios) if viewing else "–",
        f"{viewing.age.p95_ms:.1f}" if viewing else "–",
        f"{median(found.startup.seconds):.2f}" if found.startup else "–",
        f"{viewing.rss_mib:.0f}" if viewing else "–",
        f"{median(viewing.energy.watched_mj):.0f}" if viewing and viewing.energy else "–",
        "; ".join((*found.doubts, *(("a short run",) if found.quick else ()))),
    )


class Estimate(NamedTuple):
    """Milliseconds of a whole frame on a board that nobody has measured, least and most."""

    board: str
    least_ms: float
    most_ms: float


def estimates(found: Figures) -> Iterator[Estimate]:
    """From what an x86-64 machine takes; nothing from the figures of another kind of machine."""
    parts = found.whole.parts
    if found.whole.machine.arch != "x86_64" or not parts:
        return
    inference_ms = sum(part.native_ms for part in parts if part.stage in NETWORKS)
    rest_ms = sum(part.native_ms + part.ours_ms for part in parts) - inference_ms
    for scale in SCALES:
        least, most = (
            inference_ms * times + rest_ms * other for times, other in zip(scale.inference, scale.rest, strict=True)
        )
        yield Estimate(scale.board, least, most)


def table_of_estimates(found: Figures) -> Table | None:
    """A row for each board; None where nothing can be estimated."""
    rows = tuple(
        (
            f"{each.board}, **estimated**",
            f"{each.least_ms:.0f}–{each.most_ms:.0f}",
            f"{1000 / each.most_ms:.0f}–{1000 / each.least_ms:.0f}",
            f"{30 * each.least_ms / 10:.0f}–{30 * each.most_ms / 10:.0f} %",
        )
        for each in estimates(found)
    )
    header = ("board", "whole frame, ms", "frames a second on one core", "of one core at 30 frames a second")
    return Table(header, rows) if rows else None
