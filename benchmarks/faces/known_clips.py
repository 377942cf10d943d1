"""Drawn clips, whose faces are known at every moment: who is who, where, and how soon a new face is found."""

import time

import msgspec
import numpy as np

from edge.config import Config
from edge.geometry import distance, iou
from edge.parts import DOUBT, build_classifier, build_detector, build_pipeline
from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec
from edge.types import Box, Scene

FPS = 30.0
SEEDS = (1, 2, 3)
ENTERS_S = (4.1, 11.4, 18.8)
"""When the picture, until then empty, shows faces: at three phases of the search that a picture at rest has."""

STEP_S = 0.1
"""What a face's way is measured over."""

MEETING = 0.05
"""IoU of two faces from which one may hide the other."""


class KnownClip(msgspec.Struct, frozen=True):
    """Several films of one kind.

    Attributes:
        name: how many faces.
        seconds: of all films.
        crossings: how often two meet, one in front of the other.
        switches: how often an id went from one face to another, seen once they have parted.
        ids: faces there are said to be, for each there is.
        shown: share of the faces and frames on which a face is shown where one is; without those that meet.
        false: faces shown where none is, for each frame.
        iou: mean of the shown box with the true one, once both are framed alike.
        lag: mean distance by which shown boxes are behind the true ones along their way, in widths of the face, while
            they move by a width a second or more.
        found_ms: from the first frame that shows them until each of the faces is shown; median and longest.
    """

    name: str
    seconds: float
    crossings: int
    switches: int
    ids: float
    shown: float
    false: float
    iou: float
    lag: float
    found_ms: tuple[float, float]


def drawn_clips() -> tuple[int, ...]:
    """Numbers of faces."""
    return (1, 2, 4, 8)


def follow_drawn(faces: int, seconds: float) -> KnownClip:
    """Follow the faces of some films."""
    runs = [_film(faces, seed, seconds) for seed in SEEDS]
    delays = [delay for seed in SEEDS for at_s in ENTERS_S for delay in _delays(faces, seed, at_s)]
    lags = [lag for run in runs for lag in run.lags]
    return KnownClip(
        f"{faces} face{'s' if faces > 1 else ''}",
        seconds * len(SEEDS),
        sum(run.crossings for run in runs),
        sum(run.switches for run in runs),
        sum(run.ids for run in runs) / (faces * len(runs)),
        float(np.mean([run.shown for run in runs])),
        float(np.mean([run.false for run in runs])),
        float(np.mean([run.iou for run in runs])),
        float(np.mean(lags)) if lags else 0.0,
        (float(np.median(delays)), float(np.max(delays))),
    )


class _Film(msgspec.Struct, frozen=True):
    """One film's share of a `KnownClip`."""

    crossings: int
    switches: int
    ids: int
    shown: float
    false: float
    iou: float
    lags: list[float]


def _source(faces: int, seed: int, seconds: float) -> DemoSource:
    spec = DemoSpec(faces=faces, seed=seed, fps=FPS, duration_s=seconds, realtime=False)
    return DemoSource(spec, time.monotonic_ns, time.sleep)


def _film(faces: int, seed: int, seconds: float) -> _Film:
    source = _source(faces, seed, seconds)
    config = Config()
    detector, _ = build_detector(config.detector, doubt=DOUBT)
    pipeline = build_pipeline(config, detector, build_classifier(config.expression)[0])
    owner: dict[int, int] = {}
    crossings = switches = visible = false = 0
    near: set[tuple[int, int]] = set()
    moments: list[tuple[Box, Box, Box]] = []
    count = round(seconds * FPS)
    for index in range(count):
        t_s = index / FPS
        scene = pipeline.step(source.read(1))
        truth = {face.id: face.box for face in source.script.at(t_s)}
        before = {face.id: face.box for face in source.script.at(t_s - STEP_S)}
        meeting = {(a, b) for a in truth for b in truth if a < b and iou(truth[a], truth[b]) > MEETING}
        crossings += len(meeting - near)
        near = meeting
        hidden = {face_id for pair in meeting for face_id in pair}
        pairs = _pairs(truth, scene)
        false += len(scene.tracks) - len(pairs)
        visible += faces - len(hidden)
        # while one hides the other nobody can say whose box it is
        for face_id, track_id in ((face_id, track_id) for face_id, track_id in pairs.items() if face_id not in hidden):
            switches += owner.setdefault(track_id, face_id) != face_id
            owner[track_id] = face_id
            box = next(track.box for track in scene.tracks if track.id == track_id)
            moments.append((box, truth[face_id], before[face_id]))
    framed = _framed(moments)
    lags = [lag for box, true, before in framed if (lag := _behind(box, true, before)) is not None]
    overlap = float(np.mean([iou(box, true) for box, true, _ in framed]))
    return _Film(crossings, switches, len(owner), len(moments) / visible, false / count, overlap, lags)


def _framed(moments: list[tuple[Box, Box, Box]]) -> list[tuple[Box, Box, Box]]:
    """The same with the shown boxes outlined as the true ones are: from the brows, not from the hairline."""
    fit = [
        (true.w / box.w, true.h / box.h, (true.y + true.h / 2 - box.y - box.h / 2) / box.h) for box, true, _ in moments
    ]
    wide, high, down = np.median(fit, axis=0).tolist()

    def outlined(box: Box) -> Box:
        w, h = box.w * wide, box.h * high
        return Box(box.x + box.w / 2 - w / 2, box.y + box.h / 2 + down * box.h - h / 2, w, h)

    return [(outlined(box), true, before) for box, true, before in moments]


def _delays(faces: int, seed: int, at_s: float) -> list[float]:
    """Milliseconds until each of the faces that appear at once is shown; those never shown count as three seconds."""
    source = _source(faces, seed, at_s + 4)
    empty = _source(0, seed, at_s + 4)
    config = Config()
    detector, _ = build_detector(config.detector, doubt=DOUBT)
    pipeline = build_pipeline(config, detector, build_classifier(config.expression)[0])
    delays: dict[int, float] = {}
    for index in range(round((at_s + 3) * FPS)):
        there, nobody = source.read(1), empty.read(1)
        t_s = index / FPS
        scene = pipeline.step(there if t_s >= at_s else nobody)
        if t_s >= at_s:
            truth = {face.id: face.box for face in source.script.at(t_s)}
            for face_id in _pairs(truth, scene):
                delays.setdefault(face_id, (t_s - at_s) * 1000)
    return [delays.get(number + 1, 3000.0) for number in range(faces)]


def _pairs(truth: dict[int, Box], scene: Scene) -> dict[int, int]:
    """Face → track, the nearest first."""
    ranked = sorted(
        (distance(box, track.box), face_id, track.id) for face_id, box in truth.items() for track in scene.tracks
    )
    pairs: dict[int, int] = {}
    for apart, face_id, track_id in ranked:
        if apart < 0.6 and face_id not in pairs and track_id not in pairs.values():
            pairs[face_id] = track_id
    return pairs


def _behind(box: Box, truth: Box, before: Box) -> float | None:
    """How far a box is behind the true one along its way, in widths; None while that moves slowly."""
    way = np.array((truth.x + truth.w / 2 - before.x - before.w / 2, truth.y + truth.h / 2 - before.y - before.h / 2))
    length = float(np.hypot(*way))
    if length / STEP_S < truth.w:
        return None
    gap = np.array((truth.x + truth.w / 2 - box.x - box.w / 2, truth.y + truth.h / 2 - box.y - box.h / 2))
    return float(gap @ way) / length / truth.w
