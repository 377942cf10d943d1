"""What is told of the moment: who is there, and how the program does."""

from typing import Any

import msgspec

from edge.status import SourceStatus, Status
from edge.types import UNCERTAIN, Scene

NOBODY = "none"
"""The expression told while there is no face: Home Assistant takes no empty value for a sensor with options."""

WITH_A_PICTURE = ("online", "ended")
"""States of the source in which its newest scene still tells of now."""


class Glance(msgspec.Struct, frozen=True):
    """What one scene comes to.

    Attributes:
        seq: of its frame.
        faces: how many.
        expression: of the largest face, `uncertain` also before it was read; `NOBODY` without one.
        confidence: of that, 0..1; None without a reading.
    """

    seq: int = 0
    faces: int = 0
    expression: str = NOBODY
    confidence: float | None = None


def glance(scene: Scene) -> Glance:
    """What a scene comes to."""
    tracks = scene.tracks
    if not tracks:
        return Glance(scene.frame.seq)
    largest = max(tracks, key=lambda track: track.box.w * track.box.h)
    if largest.label is None:
        return Glance(scene.frame.seq, len(tracks), UNCERTAIN)
    return Glance(scene.frame.seq, len(tracks), largest.label, round(largest.confidence, 3))


def still_true(seen: Glance, source: SourceStatus) -> Glance:
    """What was seen last, unless that is from before the camera went: then nobody."""
    if source.state in WITH_A_PICTURE and seen.seq >= source.since:
        return seen
    return Glance(seen.seq)


def changing(seen: Glance, source: SourceStatus, *, aggregate: bool) -> tuple[object, ...]:
    """What makes a new state worth telling when it changes; figures do not.

    Args:
        seen: the newest.
        source: the camera or file.
        aggregate: whether nothing of single faces may be told.
    """
    return (source.state, seen.faces, None if aggregate else seen.expression)


def state(status: Status, seen: Glance, time: str, *, aggregate: bool) -> dict[str, Any]:
    """The state as JSON has it.

    Args:
        status: of the program.
        seen: the newest, as `still_true` has it.
        time: RFC 3339, UTC.
        aggregate: whether nothing of single faces may be told; how many there are, `/state` tells as well.
    """
    expression = {} if aggregate else {"expression": seen.expression, "confidence": seen.confidence}
    return {
        "time": time,
        "presence": seen.faces > 0,
        "faces": seen.faces,
        **expression,
        "source": status.source.state,
        "fps": status.fps,
        "latency_ms": None if status.latency_ms is None else status.latency_ms.p95,
        "events_dropped": status.mqtt.dropped if status.mqtt else 0,
        "schema": 1,
    }
