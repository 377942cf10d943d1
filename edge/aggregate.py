"""What was seen over a period, of nobody in particular: for `privacy.events = "aggregate"`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from edge.events import AggregateEvent
from edge.types import Scene

LEAST_FACE_S: Final = 5.0
"""Less than this of all expressions together is not told: that is one person's glance, not an aggregate."""


@dataclass(slots=True)
class _Period:
    """The sums of one period."""

    began_ns: int
    newest_ns: int
    scenes: int = 0
    with_faces: int = 0
    faces: int = 0
    most: int = 0
    label_s: dict[str, float] = field(default_factory=dict)


class Aggregator:
    """Sums scenes up, one period after the other. One thread only; its time is that of the frames.

    A period begins with its first scene and is told when a scene comes that no longer belongs to it. So one that is not
    over when the program ends is never told: the less there is in a record, the more it says of one person, and who
    stops and starts the program would get records as short as they like.
    """

    def __init__(self, period_s: float, source: Callable[[], str], moment: Callable[[int], str | None]) -> None:
        """Nothing is summed up yet.

        Args:
            period_s: how much time goes into one record.
            source: the source's name now.
            moment: wall-clock time of a frame's `t_ns`, RFC 3339; None for media analysed off-line.
        """
        self._period_ns = round(period_s * 1e9)
        self._source = source
        self._moment = moment
        self._period: _Period | None = None

    def forget(self) -> None:
        """Drop the period that is not over: what comes after a break is no part of it."""
        self._period = None

    def add(self, scene: Scene) -> AggregateEvent | None:
        """Count a scene, and tell of the period before if that is over now."""
        t_ns = scene.frame.t_ns
        period = before = self._period or _Period(t_ns, t_ns)
        ended = None
        if t_ns - before.began_ns >= self._period_ns:
            ended = self._event(before)
            period = _Period(t_ns, t_ns)
        self._period = period
        spent_s = (t_ns - before.newest_ns) / 1e9
        self._count(period, scene, spent_s)
        return ended

    @staticmethod
    def _count(period: _Period, scene: Scene, spent_s: float) -> None:
        """`spent_s`: since the scene before."""
        period.newest_ns = scene.frame.t_ns
        period.scenes += 1
        period.with_faces += bool(scene.tracks)
        period.faces += len(scene.tracks)
        period.most = max(period.most, len(scene.tracks))
        for track in scene.tracks:
            if track.label is not None and track.age > 1:  # a new face was not there since the scene before
                period.label_s[track.label] = period.label_s.get(track.label, 0.0) + spent_s

    def _event(self, period: _Period) -> AggregateEvent:
        began = self._moment(period.began_ns)
        enough = sum(period.label_s.values()) >= LEAST_FACE_S
        return AggregateEvent(
            time=began,
            until=self._moment(period.newest_ns),
            media_s=round(period.began_ns / 1e9, 4) if began is None else None,
            duration_s=round((period.newest_ns - period.began_ns) / 1e9, 3),
            source=self._source(),
            scenes=period.scenes,
            scenes_with_faces=period.with_faces,
            mean_faces=round(period.faces / period.scenes, 3),
            most_faces=period.most,
            label_seconds={label: round(spent_s, 1) for label, spent_s in period.label_s.items()} if enough else {},
        )


class Aggregation:
    """A `Sink` that sums scenes up while only aggregates may be told, and hands each one on."""

    def __init__(
        self, aggregator: Aggregator, wanted: Callable[[], bool], told: Sequence[Callable[[AggregateEvent], None]]
    ) -> None:
        """Args as named: `wanted` is asked for each scene, `told` are called with each aggregate and must not block."""
        self._aggregator = aggregator
        self._wanted = wanted
        self._told = told
        self._label_s: dict[str, float] = {}

    @property
    def label_seconds(self) -> dict[str, float]:
        """Seconds each expression was shown, over all aggregates told: never news of the person who is there now."""
        return dict(self._label_s)

    def emit(self, scene: Scene) -> None:
        """See `edge.ports.Sink`."""
        if not self._wanted():
            self._aggregator.forget()
            return
        aggregate = self._aggregator.add(scene)
        if aggregate is None:
            return
        added = aggregate.label_seconds
        self._label_s = {
            label: self._label_s.get(label, 0.0) + added.get(label, 0.0) for label in (*self._label_s, *added)
        }
        for tell in self._told:
            tell(aggregate)

    def close(self) -> None:
        """See `edge.ports.Sink`: what is not a whole period is not told."""
