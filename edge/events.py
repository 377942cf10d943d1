"""The one schema of results: the same record goes to the page, the event log and every API."""

from typing import Any, Literal

import msgspec

from edge.affect import affect
from edge.types import Scene, Track


class FaceEvent(msgspec.Struct, frozen=True):
    """One face of one scene.

    Attributes:
        id: stable while the face is followed.
        box: x, y, width, height as shares of the picture, top left origin.
        label: the expression, `uncertain`, or null before the first classification. A label that is shown stays until
            another class leads clearly, or for long enough (`edge.smoothing`): until then it need not be the likeliest.
        confidence: probability of the class that `label` names, of the likeliest if `uncertain`; 0..1.
        scores: probability per class name, smoothed over time; empty before the first classification. Some frames share
            those of the frame before: faces are read when they are due, not on every frame.
        valence: from unpleasant, -1, to pleasant, 1: derived from `scores` alone (`edge.affect`); null before the first
            classification, or if one of the model's classes has no coordinates. An `uncertain` face has one.
        arousal: from sleepy, -1, to excited, 1: likewise.
        detector_score: how sure the detector was that this is a face, 0..1.
        stale_frames: frames since the box was detected (0: on this very frame).
        stale_ms: the same in milliseconds.
        misses: detector runs in a row that did not find it; above 0 its box is drawn grey.
        doubt: why the newest look at the face was not read: `small`, `blurred` or `turned` (away, to the side); null if
            it was. A label of before stands for `expression.min_hold_s`, then it is `uncertain` and `scores` are empty.
    """

    id: int
    box: tuple[float, float, float, float]
    label: str | None
    confidence: float
    scores: dict[str, float]
    valence: float | None
    arousal: float | None
    detector_score: float
    stale_frames: int
    stale_ms: float
    misses: int
    doubt: str | None = None


class SceneEvent(msgspec.Struct, frozen=True):
    """One analysed frame.

    Attributes:
        seq: the frame's number; a gap means frames were skipped.
        time: RFC 3339, UTC, when a live frame was grabbed; null for media analysed off-line.
        media_s: position in the file in seconds, null for live sources.
        source: where the frame came from.
        width: of the frame in px.
        height: of the frame in px.
        faces: all faces, oldest first.
        detected: whether a detector ran on this frame.
        reason: why it did, or did not.
        timings_ms: milliseconds per stage; empty for media analysed off-line, so that results are reproducible.
    """

    seq: int
    time: str | None
    media_s: float | None
    source: str
    width: int
    height: int
    faces: tuple[FaceEvent, ...]
    detected: bool
    reason: str
    timings_ms: dict[str, float]
    schema: Literal[1] = 1


class AggregateEvent(msgspec.Struct, frozen=True):
    """What was seen over a period, of nobody in particular: all there is with `privacy.events = "aggregate"`.

    Attributes:
        time: RFC 3339, UTC, when the period began; null for media analysed off-line.
        until: when its last scene was grabbed, likewise.
        media_s: position in the file in seconds when the period began, null for live sources.
        duration_s: from the first to the last scene.
        source: where the frames came from.
        scenes: frames analysed.
        scenes_with_faces: those in which at least one face was.
        mean_faces: faces in a scene, on average.
        most_faces: in one scene.
        label_seconds: how long each expression was shown, summed over all faces; empty if that is less than five
            seconds in all, which would tell of one person's glance.
    """

    time: str | None
    until: str | None
    media_s: float | None
    duration_s: float
    source: str
    scenes: int
    scenes_with_faces: int
    mean_faces: float
    most_faces: int
    label_seconds: dict[str, float]
    kind: Literal["aggregate"] = "aggregate"
    schema: Literal[1] = 1


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of all records: `SceneEvent`, or `AggregateEvent`, which has a `kind`."""
    references, definitions = msgspec.json.schema_components(
        (SceneEvent, AggregateEvent), ref_template="#/$defs/{name}"
    )
    for definition in definitions.values():
        # every record has all of its keys, also those that have a default where records are made
        definition["required"] = list(definition["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Results of emotion-edge, version 1",
        "anyOf": list(references),
        "$defs": definitions,
    }


def scene_event(scene: Scene, source: str, time: str | None) -> SceneEvent:
    """The record of a scene.

    Args:
        scene: what the pipeline found.
        source: the source's name.
        time: wall-clock time of the grab, RFC 3339; None for media analysed off-line.
    """
    frame = scene.frame
    return SceneEvent(
        seq=frame.seq,
        time=time,
        media_s=None if time is not None else round(frame.t_ns / 1e9, 4),
        source=source,
        width=frame.width,
        height=frame.height,
        faces=tuple(_face_event(track, scene) for track in scene.tracks),
        detected=scene.decision.detect,
        reason=scene.decision.reason,
        timings_ms={}
        if time is None
        else {stage: round(spent_ns / 1e6, 3) for stage, spent_ns in scene.timings_ns.items()},
    )


def _face_event(track: Track, scene: Scene) -> FaceEvent:
    """The record of one of the scene's faces."""
    frame = scene.frame
    point = None if track.scores is None else affect(track.scores, scene.labels)
    return FaceEvent(
        id=track.id,
        box=(round(track.box.x, 5), round(track.box.y, 5), round(track.box.w, 5), round(track.box.h, 5)),
        label=track.label,
        confidence=round(track.confidence, 4),
        scores={}
        if track.scores is None
        else {name: round(float(p), 4) for name, p in zip(scene.labels, track.scores, strict=True)},
        valence=None if point is None else round(point.valence, 3),
        arousal=None if point is None else round(point.arousal, 3),
        detector_score=round(track.score, 4),
        stale_frames=frame.seq - track.seen_seq,
        stale_ms=round((frame.t_ns - track.seen_ns) / 1e6, 1),
        misses=track.misses,
        doubt=track.doubt,
    )
