"""What must hold, over all that was measured: what it is, what was found, and whether it is kept."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from benchmarks.gate.found import Proof
from benchmarks.reporting.results import Results
from edge.bench.figures import Figures
from edge.bench.timing import median, spread_text

MOST_BY_FLOOR: Final = 1.25
MOST_UNWATCHED: Final = 0.6
MOST_START_S: Final = 1.0
MOST_RSS_MIB: Final = 120.0


class Line(NamedTuple):
    """One of them.

    Attributes:
        what: must hold.
        figure: that was found, with its spread.
        kept: None where the figures cannot tell.
    """

    what: str
    figure: str
    kept: bool | None


def verdicts(results: Results) -> Iterator[tuple[str, Line]]:
    """All, with the name of their part, in its order."""
    for name, found in results.items():
        yield from ((name, line) for line in _lines(found))


def _lines(found: Any) -> Iterator[Line]:
    match found:
        case Figures():
            yield from of_device(found)
        case Proof():
            yield from of_gate(found)
        case _ if hasattr(found, "musts"):
            # "what must hold: what was found", and whether it does
            for said, kept in found.musts():
                what, _, figure = said.rpartition(": ")
                yield Line(what, figure, kept)


def of_gate(found: Proof) -> Iterator[Line]:
    """Nothing may slip through, and nothing may be made up."""
    caught, slowed, alarmed, unchanged = found.caught(), len(found.slowed), found.alarmed(), len(found.unchanged)
    yield Line(f"one stage slower by {found.share:.0%} is caught", f"{caught} of {slowed}", caught == slowed)
    yield Line("an unchanged tree is not flagged", f"{alarmed} of {unchanged} flagged", not alarmed)


def of_device(found: Figures) -> Iterator[Line]:
    """Medians are judged; the middle half of the rounds stands beside."""
    whole, viewing, startup = found.whole, found.viewing, found.startup
    blocks = f"; in blocks of frames {spread_text(whole.ratios)}" if whole.ratios else ""
    yield Line(
        f"a whole frame takes at most {MOST_BY_FLOOR:g} times its native calls",
        f"{whole.ratio:.2f}{blocks}",
        whole.ratio <= MOST_BY_FLOOR,
    )
    if viewing:
        ratio = median(viewing.ratios)
        yield Line(
            f"nobody watching takes at most {MOST_UNWATCHED:g} times the processor time of one viewer",
            f"{spread_text(viewing.ratios)}; {spread_text(viewing.every_ratios)} if every frame is analysed, as for an "
            "event log",
            ratio <= MOST_UNWATCHED,
        )
        yield Line(
            f"at most {MOST_RSS_MIB:g} MiB of resident memory with one viewer",
            f"{viewing.rss_mib:.1f} MiB, the most was {viewing.peak_mib:.1f}",
            viewing.rss_mib <= MOST_RSS_MIB,
        )
    if startup:
        yield Line(
            f"at most {MOST_START_S:g} s from the start to the first picture with a named face",
            f"{spread_text(startup.seconds)} s",
            median(startup.seconds) <= MOST_START_S,
        )
