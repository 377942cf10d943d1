"""How much work the analysis may put into the frames: a ladder from all of it down to what keeps a picture alive."""

from dataclasses import dataclass

FEWEST_FPS = 2.0
"""Faces are still followed at this rate; below it the picture looks broken."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What the analysis may spend at the moment.

    Attributes:
        search_every: factor, at least 1, on the intervals of detection and of its tiles.
        read_every: factor, at least 1, on the interval of classification.
        max_fps: frames analysed per second; 0: no limit.
        level: rung of the ladder, 0 the highest.
    """

    search_every: float = 1.0
    read_every: float = 1.0
    max_fps: float = 0.0
    level: int = 0


FULL = Effort()


@dataclass(frozen=True, slots=True)
class _Rung:
    """Factors on the intervals of searching and reading, and the share of the full frame rate."""

    search: float
    read: float
    rate: float


_LADDER = (
    _Rung(1, 1, 1),
    _Rung(2, 1, 1),
    _Rung(4, 2, 1),
    _Rung(8, 4, 1),
    _Rung(4, 4, 1 / 2),
    _Rung(2, 4, 1 / 4),
    _Rung(2, 4, 1 / 8),
)
"""First a face that enters is found later, then an expression is read less often; the picture is the last to suffer.

With fewer frames the search is stretched less, so that it comes as often in time: a face that was not looked for within
the tracker's `max_age_ms` would be lost.
"""

LOWEST = len(_LADDER) - 1
LOWEST_AT_FULL_RATE = max(level for level, rung in enumerate(_LADDER) if rung.rate == 1)


def effort_at(level: int, full_fps: float, target_fps: float = 0.0) -> Effort:
    """A rung of the ladder.

    Args:
        level: 0 … `LOWEST`.
        full_fps: frames per second that full effort analyses.
        target_fps: no more than these are ever wanted; 0: no limit.
    """
    rung = _LADDER[level]
    max_fps = target_fps if rung.rate == 1 else max(rung.rate * full_fps, min(full_fps, FEWEST_FPS))
    return Effort(rung.search, rung.read, round(max_fps, 2), level)
