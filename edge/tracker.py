"""Which face of this frame is which of the frames before. Pure functions over a frozen state."""

from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from edge.types import Box, Face, Frame, Track


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """How faces are matched and let go.

    Attributes:
        min_iou: least overlap of a face with its track.
        max_shift: otherwise, largest distance of their centres in widths of the larger box.
        max_misses: detector runs in a row that may miss a face before it is let go.
        max_age_ms: a face not detected for longer than this is let go, whatever happened to the detector.
    """

    min_iou: float = 0.2
    max_shift: float = 0.7
    max_misses: int = 3
    max_age_ms: float = 1000.0


class Tracks(msgspec.Struct, frozen=True):
    """The tracker's state.

    Attributes:
        items: the faces followed, oldest first.
        next_id: for the next new face.
    """

    items: tuple[Track, ...] = ()
    next_id: int = 1


def advance(state: Tracks, frame: Frame, faces: tuple[Face, ...] | None, settings: TrackerSettings) -> Tracks:
    """The state after one more frame.

    Args:
        state: before it.
        frame: the frame.
        faces: what a detector found on it; None if none ran: the cached ROIs stay.
        settings: see there.
    """
    # first of all, so that nobody gets the id of who was here an hour ago
    before = _fresh(state.items, frame, settings)
    if faces is None:
        return replace(state, items=tuple(replace(track, age=track.age + 1) for track in before))
    pairs = _match(before, faces, settings)
    tracks = []
    for index, track in enumerate(before):
        if index in pairs:
            tracks.append(_seen(track, faces[pairs[index]], frame))
        elif track.misses < settings.max_misses:
            tracks.append(replace(track, age=track.age + 1, misses=track.misses + 1))
    next_id = state.next_id
    for index, face in enumerate(faces):
        if index not in pairs.values():
            tracks.append(Track(next_id, face.box, face.score, face.keypoints, 1, 0, frame.seq, frame.t_ns))
            next_id += 1
    return Tracks(tuple(tracks), next_id)


def _seen(track: Track, face: Face, frame: Frame) -> Track:
    return replace(
        track,
        box=face.box,
        score=face.score,
        keypoints=face.keypoints,
        age=track.age + 1,
        misses=0,
        seen_seq=frame.seq,
        seen_ns=frame.t_ns,
    )


def _fresh(tracks: tuple[Track, ...], frame: Frame, settings: TrackerSettings) -> tuple[Track, ...]:
    return tuple(track for track in tracks if (frame.t_ns - track.seen_ns) / 1e6 <= settings.max_age_ms)


def _match(tracks: tuple[Track, ...], faces: tuple[Face, ...], settings: TrackerSettings) -> dict[int, int]:
    """Track index → face index, greedily, the surest pair first."""
    ranked = []
    for t, track in enumerate(tracks):
        for f, face in enumerate(faces):
            overlap = iou(track.box, face.box)
            shift = _shift(track.box, face.box)
            if overlap >= settings.min_iou or shift <= settings.max_shift:
                ranked.append((overlap - shift, t, f))
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, t, f in sorted(ranked, key=lambda entry: -entry[0]):
        if t not in pairs and f not in taken:
            pairs[t] = f
            taken.add(f)
    return pairs


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0..1."""
    w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (a.w * a.h + b.w * b.h - w * h)


def _shift(a: Box, b: Box) -> float:
    """Distance of the centres, in widths (and heights) of the larger box."""
    dx = abs(a.x + a.w / 2 - b.x - b.w / 2) / max(a.w, b.w, 1e-9)
    dy = abs(a.y + a.h / 2 - b.y - b.h / 2) / max(a.h, b.h, 1e-9)
    return max(dx, dy)
