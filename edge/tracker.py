"""Which face of this frame is which of the frames before. Pure functions over a frozen state.

Two thresholds, as in ByteTrack (Zhang et al. 2022): a doubtful face goes on with a track, only a sure one begins one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec.structs import replace

from edge.geometry import SAME_FACE, distance, inside, iou
from edge.paths import Path
from edge.types import Box, Face, Frame, Search, Track, read_only

WHOLE_FRAME = Search()

ALIKE = 0.6
"""Least ratio of the widths of a face before and after it was lost, or jumped."""


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """How faces are matched and let go.

    Attributes:
        min_iou: least overlap of a face with where its track is expected.
        max_shift: otherwise, if they are about as large, largest distance of their centres in widths of the larger box.
        max_misses: searches in a row that may miss a face before it is shown no longer.
        max_age_ms: a face not detected for longer than this is shown no longer, whatever happened to the detector.
        memory_ms: who comes back within this, near where they were last seen, is the same; their place is kept open.
        back_within: how far, in widths.
    """

    min_iou: float = 0.2
    max_shift: float = 0.7
    max_misses: int = 3
    max_age_ms: float = 1000.0
    memory_ms: float = 2000.0
    back_within: float = 1.5


class Tracks(msgspec.Struct, frozen=True):
    """The tracker's state.

    Attributes:
        items: the faces followed, oldest first.
        next_id: for the next new face.
        paths: by id, how each moves, those of `lost` too.
        lost: faces that are gone for the moment, and not shown.
        doubtful: what the search on the newest frame found, but not surely.
    """

    items: tuple[Track, ...] = ()
    next_id: int = 1
    paths: Mapping[int, Path] = {}
    lost: tuple[Track, ...] = ()
    doubtful: tuple[Box, ...] = ()


def advance(
    state: Tracks,
    frame: Frame,
    faces: tuple[Face, ...] | None,
    settings: TrackerSettings,
    search: Search = WHOLE_FRAME,
) -> Tracks:
    """The state after one more frame.

    Args:
        state: before it.
        frame: the frame.
        faces: what a detector found on it; None if none ran: the cached ROIs stay, moved on with their faces.
        settings: see there.
        search: where the detector looked.
    """
    # first of all, so that nobody gets the id of who was here an hour ago
    items, lost = _aged(state, frame, settings)
    if faces is None:
        items = tuple([_waited(track, state.paths[track.id], frame) for track in items])
        return Tracks(items, state.next_id, state.paths, lost)
    expected = [state.paths[track.id].at(frame.t_ns) for track in items]
    pairs = _match(expected, faces, settings)
    near = search.region is not None
    paths = {track.id: state.paths[track.id] for track in (*items, *lost)}
    tracks = []
    for index, track in enumerate(items):
        path = paths[track.id]
        if index in pairs and _better(track, path, search):
            face = faces[pairs[index]]
            paths[track.id] = path.seen(face.box, frame.t_ns, near)
            tracks.append(_seen(track, face, paths[track.id].box, frame))
            continue
        waited = _waited(track, path, frame)
        missed = index not in pairs and _looked_for(track, path, search)
        if not missed:
            tracks.append(waited)
        elif track.misses < settings.max_misses:
            tracks.append(replace(waited, misses=track.misses + 1))
        else:
            lost = (*lost, track)
    taken = set(pairs.values())
    known = [*expected, *(faces[index].box for index in taken)]
    next_id = state.next_id
    doubtful = []
    for index, face in enumerate(faces):
        if index in taken or any(inside(face.box, box) > SAME_FACE for box in known):
            continue
        if not face.sure:
            doubtful.append(face.box)
            continue
        known.append(face.box)
        before = _returned(face.box, lost, paths, frame, settings)
        if before:
            lost = tuple(track for track in lost if track is not before)
            tracks.append(_seen(before, face, face.box, frame))
            paths[before.id] = Path(face.box, frame.t_ns, near=near)
        else:
            tracks.append(Track(next_id, face.box, face.score, face.keypoints, 1, 0, frame.seq, frame.t_ns))
            paths[next_id] = Path(face.box, frame.t_ns, near=near)
            next_id += 1
    tracks.sort(key=lambda track: track.id)
    return Tracks(tuple(tracks), next_id, paths, lost, tuple(doubtful))


def _aged(state: Tracks, frame: Frame, settings: TrackerSettings) -> tuple[tuple[Track, ...], tuple[Track, ...]]:
    """The faces that may still be shown, and those that may still come back."""
    now_ns, most_ns = frame.t_ns, settings.max_age_ms * 1e6
    if not state.lost and not [track for track in state.items if now_ns - track.seen_ns > most_ns]:
        return state.items, ()
    shown, lost = [], []
    for track in (*state.items, *state.lost):
        age_ms = (now_ns - track.seen_ns) / 1e6
        if age_ms <= settings.max_age_ms and track not in state.lost:
            shown.append(track)
        elif age_ms <= settings.memory_ms:
            lost.append(track)
    return tuple(shown), tuple(lost)


def _waited(track: Track, path: Path, frame: Frame) -> Track:
    """A face that nobody looked for, or nobody found: it is where its path leads."""
    box = path.at(frame.t_ns)
    if box == track.box:
        return replace(track, age=track.age + 1)
    marks = track.keypoints
    if marks is not None:
        marks = marks + np.array((box.x - track.box.x, box.y - track.box.y), np.float32)
        read_only(marks)
    return replace(track, age=track.age + 1, box=box, keypoints=marks)


def _seen(track: Track, face: Face, box: Box, frame: Frame) -> Track:
    return replace(
        track,
        box=box,
        score=face.score,
        keypoints=face.keypoints,
        age=track.age + 1,
        misses=0,
        seen_seq=frame.seq,
        seen_ns=frame.t_ns,
    )


def _looked_for(track: Track, path: Path, search: Search) -> bool:
    """Whether the search had to find that face: tiles cut faces, and the whole frame is too coarse for small ones."""
    if search.region is None:
        return not path.near
    return search.track == track.id


def _better(track: Track, path: Path, search: Search) -> bool:
    """Whether the search says more of a face than was known: two networks' boxes differ by more than faces move."""
    if search.region is None or path.near or track.misses:
        return True
    return search.track == track.id


def _match(expected: list[Box], faces: tuple[Face, ...], settings: TrackerSettings) -> dict[int, int]:
    """Track index → face index, greedily, the surest pair first."""
    ranked = []
    for t, box in enumerate(expected):
        for f, face in enumerate(faces):
            shift = distance(box, face.box)
            if shift > max(settings.max_shift, 1.0):  # further apart than the larger is wide: they cannot overlap
                continue
            overlap = iou(box, face.box)
            if overlap >= settings.min_iou or (shift <= settings.max_shift and _alike(box, face.box)):
                ranked.append((overlap - shift, t, f))
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, t, f in sorted(ranked, key=lambda entry: -entry[0]):
        if t not in pairs and f not in taken:
            pairs[t] = f
            taken.add(f)
    return pairs


def _alike(a: Box, b: Box) -> bool:
    """Whether two boxes are about as large."""
    return min(a.w, b.w) >= ALIKE * max(a.w, b.w, 1e-9)


def _returned(
    box: Box, lost: tuple[Track, ...], paths: Mapping[int, Path], frame: Frame, settings: TrackerSettings
) -> Track | None:
    """Who was lost near there and had about that size; of several the nearest."""
    found = []
    for track in lost:
        path = paths[track.id]
        away = min(distance(place, box) for place in (path.box, path.at(frame.t_ns, settings.memory_ms / 1e3)))
        if away <= settings.back_within and _alike(path.box, box):
            found.append((away, track.id, track))
    return min(found)[2] if found else None
