"""Counts what was found in a file."""

from collections import Counter

import msgspec

from edge.types import Scene


class FaceSummary(msgspec.Struct, frozen=True):
    """One face of a film.

    Attributes:
        id: as in the records.
        first_s: when it was first seen, in the film's seconds.
        last_s: when it was last seen.
        label_seconds: how long it showed which label, `uncertain` among them.
    """

    id: int
    first_s: float
    last_s: float
    label_seconds: dict[str, float]


class Tally:
    """A `Sink` that keeps no pictures.

    Attributes:
        frames: scenes so far.
        with_faces: of these, how many had faces.
        labels: how many faces of how many scenes were called what.
        last_s: time of the newest scene.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.with_faces = 0
        self.labels: Counter[str] = Counter()
        self.last_s = 0.0
        self._seen: dict[int, tuple[float, float, Counter[str]]] = {}

    def emit(self, scene: Scene) -> None:
        """Count a scene."""
        now_s = scene.frame.t_ns / 1e9
        dt_s = now_s - self.last_s if self.frames else 0.0
        self.last_s = now_s
        self.frames += 1
        self.with_faces += bool(scene.tracks)
        for track in scene.tracks:
            first_s, _, spent = self._seen.get(track.id) or (now_s, now_s, Counter())
            if track.label is not None:
                self.labels[track.label] += 1
                if track.age > 1:  # a new face was not there since the last scene
                    spent[track.label] += dt_s  # type: ignore[assignment]
            self._seen[track.id] = (first_s, now_s, spent)

    def close(self) -> None:
        """Nothing is held."""

    @property
    def faces(self) -> tuple[FaceSummary, ...]:
        """All faces so far, oldest first."""
        return tuple(
            FaceSummary(
                number, round(first_s, 3), round(last_s, 3), {label: round(s, 3) for label, s in sorted(spent.items())}
            )
            for number, (first_s, last_s, spent) in sorted(self._seen.items())
        )
