"""Which pieces a film is analysed in: a pure function of its length and of the length asked for."""

import math
from typing import Final, Literal

import msgspec

from edge.errors import ConfigError

SEGMENT_S: Final = 60.0
"""Of a cluster's work, unless said otherwise: a retry costs little, and the run-in a twelfth."""
LEAST_S: Final = 1.0
MOST: Final = 100_000
"""Segments of a film; of 60 s each they are ten weeks. A container that claims more is damaged, and not believed."""
RUN_IN_S: Final = 5.0
"""Followed before a segment begins, so that its first frame is judged like any other. Who has not been seen for 2 s is
forgotten, scores and labels are held for half a second, and to search all parts of a frame takes some 70 frames."""


class Segment(msgspec.Struct, frozen=True):
    """The frames of a film from one time to another, in its own seconds.

    Attributes:
        begin_s: of the first frame that belongs to it.
        end_s: of the first frame that no longer does; None: it goes to the end of the film.
    """

    begin_s: float = 0.0
    end_s: float | None = None

    @property
    def run_in_s(self) -> float:
        """From where on the film is followed."""
        return max(0.0, self.begin_s - RUN_IN_S)

    @property
    def begin_ns(self) -> int:
        """`begin_s` in the unit of frames' times."""
        return round(self.begin_s * 1e9)

    @property
    def end_ns(self) -> float:
        """`end_s` in the unit of frames' times; infinite if there is none."""
        return float("inf") if self.end_s is None else round(self.end_s * 1e9)


WHOLE: Final = Segment()


def segment_length_s(asked_s: float | None, engine: Literal["local", "ray"]) -> float:
    """How long segments are to be; 0: films are not cut.

    Raises:
        ConfigError: what was asked for is no such length.
    """
    if asked_s is None:
        return SEGMENT_S if engine == "ray" else 0.0
    if asked_s == 0 or LEAST_S <= asked_s < math.inf:
        return asked_s
    raise ConfigError(
        f"--segment-s is a number of seconds from {LEAST_S:g} on, or 0 for whole videos, found {asked_s:g}"
    )


def segments(duration_s: float | None, segment_s: float) -> tuple[Segment, ...]:
    """Segments that cover a film, each of its frames in exactly one, in order.

    A rest of less than half a segment belongs to the last one, which has no end: containers estimate their length.

    Args:
        duration_s: of the film, as its container says; None: it does not.
        segment_s: how long each is to be; 0: the film is not cut.
    """
    count = max(1, round(duration_s / segment_s)) if duration_s and segment_s else 1
    if count > MOST:
        return (WHOLE,)
    borders = [index * segment_s for index in range(count)]
    return tuple(Segment(begin, end) for begin, end in zip(borders, [*borders[1:], None], strict=True))
