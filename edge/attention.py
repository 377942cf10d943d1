"""Which faces are shown, and which of them are read on a frame: an expression lasts longer than a frame does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edge.types import Track

MUCH_LARGER = 1.25
"""How many times the area of the face that is followed another needs to take its place: boxes jitter by less."""

Faces = Literal["all", "largest"]


@dataclass(frozen=True, slots=True)
class Attention:
    """Fixed cadence in time, bounded in faces a frame.

    Attributes:
        interval_ms: a face is read again once the last try is so old; 0: on every frame.
        max_faces: faces read on one frame at most; 0: all that are due.
        faces: whom to show and read.
    """

    interval_ms: float = 60.0
    max_faces: int = 2
    faces: Faces = "all"

    def due(self, tracks: tuple[Track, ...], t_ns: int, stretch: float = 1.0) -> Sequence[Track]:
        """The faces to read on the frame at `t_ns`, the most urgent first; those beyond `max_faces` are in reserve.

        Where there are too many, the largest comes first and the others in turn, whoever waited longest before the
        rest: of N due faces each is read within (N - 1) / (max_faces - 1) frames, rounded up. If only one may be read,
        all take turns, and it takes N.

        Args:
            tracks: the faces to choose from.
            t_ns: time of the frame.
            stretch: factor, at least 1, on the interval.
        """
        latest_ns = t_ns - self.interval_ms * stretch * 1e6
        due = [track for track in tracks if track.looked_ns is None or track.looked_ns <= latest_ns]
        if not 0 < self.max_faces < len(due):
            return due
        due.sort(key=_waiting)
        if self.max_faces > 1:
            largest = max(due, key=_area)
            due.remove(largest)
            due.insert(0, largest)
        return due

    def shown(self, tracks: tuple[Track, ...], followed: int | None) -> tuple[Track, ...]:
        """The faces to show; of several, only the largest if so asked.

        Args:
            tracks: all faces.
            followed: id of the face that was the only one shown before; it stays until another is much larger.
        """
        if self.faces == "all" or len(tracks) < 2:
            return tracks
        largest = max(tracks, key=_area)
        kept = next((track for track in tracks if track.id == followed), largest)
        return (largest if _area(largest) > MUCH_LARGER * _area(kept) else kept,)


def _waiting(track: Track) -> tuple[int, float]:
    """Sorts who was never looked at first, then who was not for longest; of those alike the larger."""
    return (-1 if track.looked_ns is None else track.looked_ns), -_area(track)


def _area(track: Track) -> float:
    """Share of the frame."""
    return track.box.w * track.box.h
