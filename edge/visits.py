"""What was searched when: tiles take turns, and what was no face is left alone until it moves."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.geometry import inside
from edge.motion import Motion
from edge.types import Box, Frame

REFUSED = 0.5
"""What overlaps something that was looked at and was no face by this share is not looked at again until it moves."""

MOST_DOUBTFUL = 12
"""Of what may be faces so many wait for a closer look, the newest: older ones are somewhere else by now."""


@dataclass(frozen=True, slots=True)
class Visit:
    """When something was searched.

    Attributes:
        frame: number of the frame among those analysed.
        seq: `Frame.seq` of it.
        t_ns: time of it.
    """

    frame: int
    seq: int
    t_ns: int

    def age_ms(self, now: Frame) -> float:
        """Since then."""
        return (now.t_ns - self.t_ns) / 1e6

    def outdated(self, region: Box, motion: Motion, now: Frame, rest_ms: float) -> bool:
        """Whether that part of the frame may show something else than then."""
        return self.age_ms(now) >= rest_ms or motion.since(self.seq, region)


class Tiles:
    """Parts of the frame that are searched in turn, those that changed before those at rest."""

    def __init__(self, tiles: tuple[Box, ...], motion: Motion, rest_ms: float) -> None:
        """`rest_ms`: a part at rest is searched again after so long."""
        self._motion = motion
        self._rest_ms = rest_ms
        # whoever waits for longest comes first
        self._visits: dict[Box, Visit | None] = dict.fromkeys(tiles)

    def take(self, frame: Frame, number: int) -> Box | None:
        """The tile that waits for longest, which counts as searched now; None: none needs it.

        Args:
            frame: the frame at hand.
            number: of it among those analysed.
        """
        tile = self._most_urgent(frame)
        if tile is not None:
            del self._visits[tile]
            self._visits[tile] = Visit(number, frame.seq, frame.t_ns)
        return tile

    def _most_urgent(self, frame: Frame) -> Box | None:
        for tile, last in self._visits.items():
            if last is None or self._motion.since(last.seq, tile):
                return tile
        for tile, last in self._visits.items():  # all are at rest
            return tile if last is None or last.age_ms(frame) >= self._rest_ms else None
        return None


class Doubts:
    """What may be faces, until it has been looked at closely."""

    def __init__(self, motion: Motion, rest_ms: float) -> None:
        """`rest_ms`: what was no face and is at rest is looked at again after so long."""
        self._motion = motion
        self._rest_ms = rest_ms
        self._waiting: list[Box] = []
        self._refused: list[tuple[Box, Visit]] = []

    def note(self, frame: Frame, doubtful: tuple[Box, ...]) -> None:
        """Take in what the newest search found, unless it was looked at just now."""
        if not doubtful and not self._refused:
            return
        self._refused = [
            (box, last) for box, last in self._refused if not last.outdated(box, self._motion, frame, self._rest_ms)
        ]
        for box in doubtful:
            known = (*self._waiting, *(other for other, _ in self._refused))
            if all(inside(box, other) < REFUSED for other in known):
                self._waiting.append(box)
        del self._waiting[:-MOST_DOUBTFUL]

    def take(self, frame: Frame, number: int, faces: Sequence[Box]) -> Box | None:
        """The first of them, which counts as looked at now; None: there is none.

        Args:
            frame: the frame at hand.
            number: of it among those analysed.
            faces: what they may have become.
        """
        while self._waiting:
            box = self._waiting.pop(0)
            self._refused.append((box, Visit(number, frame.seq, frame.t_ns)))
            if all(inside(box, face) < REFUSED for face in faces):
                return box
        return None
