"""The demo is of use only if detectors take its faces for faces, and find them where its script has them, and if the
shipped classifier reads the expressions on them."""

import numpy as np
import pytest

from edge import model_store
from edge.classifier import TfliteClassifier
from edge.contract.chip import chip_square, cut_chip
from edge.contract.labels import FER2013_LABELS
from edge.detectors.blazeface import VARIANTS, BlazeFace
from edge.detectors.haar import Haar
from edge.ports import FaceDetector
from edge.sources.demo import DemoSource
from edge.sources.script import DemoFace
from edge.sources.specs import DemoSpec
from edge.types import Box, Frame
from tests.world import World


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    shared = max(w, 0) * max(h, 0)
    return shared / (a.w * a.h + b.w * b.h - shared)


def in_view(face: DemoFace, faces: tuple[DemoFace, ...]) -> bool:
    """Whether nobody nearer hides it."""
    return not any(overlap(face.box, other.box) > 0.02 for other in faces if other.radius > face.radius)


def watch(detector: FaceDetector, seed: int, least: float) -> tuple[dict[str, list[bool]], int]:
    """By expression, whether each face in view was found with an overlap of `least`; and the number of false alarms."""
    world = World()
    source = DemoSource(DemoSpec(seed=seed, realtime=False), world.clock, world.sleep)
    found: dict[str, list[bool]] = {label: [] for label in FER2013_LABELS}
    alarms = 0
    for t_s in np.arange(0.0, 56.0, 4.0).tolist():
        boxes = [face.box for face in detector.detect(Frame(1, 0, source.draw(t_s)))]
        faces = source.script.at(t_s)
        for face in faces:
            if in_view(face, faces):
                found[face.label].append(any(overlap(face.box, box) > least for box in boxes))
        alarms += sum(all(overlap(face.box, box) < 0.1 for face in faces) for box in boxes)
    return found, alarms


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_haar_finds_the_faces(seed: int) -> None:
    found, _ = watch(Haar(min_face_px=50), seed, least=0.4)
    for label, hits in found.items():
        assert np.mean(hits) >= 0.75, f"{label}: {sum(hits)} of {len(hits)}"
    assert np.mean([hit for hits in found.values() for hit in hits]) >= 0.93


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_blazeface_finds_the_faces(name: str, seed: int) -> None:
    path = model_store.find(VARIANTS[name].file)
    if path is None:
        pytest.skip("the face detectors are not here: emotion-edge models fetch")
    # the short range net is made for selfies: it may miss the smallest
    least_share = 0.8 if "short" in name else 1.0
    found, alarms = watch(BlazeFace(name, path, min_score=0.6, min_face_px=50), seed, least=0.6)
    assert alarms == 0
    assert np.mean([hit for hits in found.values() for hit in hits]) >= least_share


def test_the_shipped_classifier_reads_the_expressions() -> None:
    path = model_store.find(VARIANTS["blazeface-full"].file)
    if path is None:
        pytest.skip("the face detectors are not here: emotion-edge models fetch")
    detector, classifier = BlazeFace("blazeface-full", path, min_face_px=50), TfliteClassifier()
    spec = classifier.card.chip
    world = World()
    named: dict[str, list[bool]] = {label: [] for label in FER2013_LABELS}
    for seed in range(4):
        source = DemoSource(DemoSpec(seed=seed, realtime=False), world.clock, world.sleep)
        # changes and blinks are in the sample too
        for t_s in np.random.default_rng(seed).uniform(0.0, 56.0, 20).tolist():
            frame = Frame(1, 0, source.draw(t_s))
            boxes = [face.box for face in detector.detect(frame)]
            faces = source.script.at(t_s)
            for face in faces:
                box = next((box for box in boxes if overlap(face.box, box) > 0.6), None)
                if box is None or not in_view(face, faces):
                    continue
                square = chip_square(box, frame.width, frame.height, detector.framing, spec.margin)
                (scores,) = classifier.classify(cut_chip(frame.luma, square, spec)[None])
                named[face.label].append(classifier.labels[int(np.argmax(scores))] == face.label)
    for label, hits in named.items():
        assert len(hits) >= 15, f"{label} was seen {len(hits)} times only"
        assert np.mean(hits) >= 0.4, f"{label}: {sum(hits)} of {len(hits)}"
    assert np.mean([hit for hits in named.values() for hit in hits]) >= 0.6
