"""Real clips with one face: where the program says it is, against searching the whole of every frame."""

import time
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.clips import frames_of
from edge.config import Config
from edge.geometry import iou
from edge.parts import DOUBT, build_classifier, build_detector, build_pipeline
from edge.types import Box

BLOCK = 25
"""Frames that each of the two has in turn: a machine that becomes slower does so for both."""


FINDING = ("decide", "detect", "track")
"""Stages that find and follow faces."""


class RealClip(msgspec.Struct, frozen=True):
    """One clip.

    Attributes:
        name: of the file.
        frames: how many.
        shown: share of them on which a face is shown.
        ids: how many faces there are said to be, over the whole clip.
        iou: mean of the shown box with that of a search on this very frame.
        iou_p5: 5th percentile of it.
        jitter: mean change from frame to frame of the shown box's speed, in widths of the face.
        jitter_searched: of the boxes of a search on every frame.
        whole: share of the frames that were searched as a whole.
        parts: share of which a part was searched.
        cost: processor time of finding and following the face, by that of searching every frame.
    """

    name: str
    frames: int
    shown: float
    ids: int
    iou: float
    iou_p5: float
    jitter: float
    jitter_searched: float
    whole: float
    parts: float
    cost: float


def follow_real(path: Path) -> RealClip:
    """Measure a clip.

    Raises:
        PermanentError: it is no video, or not there.
    """
    config = Config()
    detector, _ = build_detector(config.detector, doubt=DOUBT)
    pipeline = build_pipeline(config, detector, build_classifier(config.expression)[0])
    shown: list[Box | None] = []
    searched: list[Box | None] = []
    ids: set[int] = set()
    spent = {"program": 0, "every frame": 0}
    kinds = {"whole": 0, "parts": 0}
    frames = frames_of(path)
    while block := [frame for _, frame in zip(range(BLOCK), frames, strict=False)]:
        for frame in block:
            scene = pipeline.step(frame)
            spent["program"] += sum(ns for stage, ns in scene.timings_ns.items() if stage in FINDING)
            ids.update(track.id for track in scene.tracks)
            shown.append(scene.tracks[0].box if scene.tracks else None)
            if scene.decision.search:
                kinds["whole" if scene.decision.search.region is None else "parts"] += 1
        for frame in block:
            started = time.perf_counter_ns()
            found = detector.detect(frame)
            spent["every frame"] += time.perf_counter_ns() - started
            searched.append(found[0].box if found else None)
    both = [(ours, theirs) for ours, theirs in zip(shown, searched, strict=True) if ours and theirs]
    overlaps = [iou(ours, theirs) for ours, theirs in both]
    return RealClip(
        path.name,
        len(shown),
        sum(box is not None for box in shown) / len(shown),
        len(ids),
        float(np.mean(overlaps)),
        float(np.percentile(overlaps, 5)),
        _jitter([ours for ours, _ in both]),
        _jitter([theirs for _, theirs in both]),
        kinds["whole"] / len(shown),
        kinds["parts"] / len(shown),
        spent["program"] / spent["every frame"],
    )


def _jitter(boxes: list[Box]) -> float:
    centres = np.array([(box.x + box.w / 2, box.y + box.h / 2) for box in boxes])
    width = float(np.median([box.w for box in boxes]))
    return float(np.abs(np.diff(centres, n=2, axis=0)).mean()) / width
