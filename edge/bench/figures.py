"""Everything that is measured on a device, for `emotion-edge bench` and for `python -m benchmarks`."""

import sys

import msgspec

from edge.bench.served import Served, measure_served
from edge.bench.whole import Report, measure


class Figures(msgspec.Struct, frozen=True):
    """All figures of one run on one machine.

    Attributes:
        whole: stages and whole frames, in one thread.
        served: the program with a viewer; None where that cannot be measured.
    """

    whole: Report
    served: Served | None

    def text(self) -> str:
        """For people."""
        return self.whole.text() + (f"\n{self.served.text()}" if self.served else "")


def measure_all(source: str | None = None, *, quick: bool = False) -> Figures:
    """Measure with the default settings.

    Args:
        source: a video; None: drawn by code.
        quick: fewer frames and rounds.

    Raises:
        ConfigError: no frames, or no face in them.
        PermanentError: the program does not start.
    """
    whole = measure(source, quick=quick)
    served = measure_served(source, rounds=3 if quick else 14) if sys.platform.startswith("linux") else None
    return Figures(whole, served)
