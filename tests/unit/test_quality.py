"""Which faces are not worth reading, and what becomes of their labels."""

import cv2
import msgspec
import numpy as np
import pytest

from edge.attention import Attention
from edge.contract.placement import turn
from edge.events import scene_event
from edge.pipeline import Pipeline
from edge.policy import Policy
from edge.quality import Gate, sharpness, unread
from edge.smoothing import ExpressionRule
from edge.types import UNCERTAIN, Box, Face, Frame, Keypoints, Pixels, Track
from tests.fakes import FakeClassifier, FakeDetector, Ticking, face

SIZE = (320, 240)
RANDOM = np.random.default_rng(0)
SOFT = cv2.GaussianBlur(RANDOM.integers(0, 256, (48, 48), dtype=np.uint8), (0, 0), 1)
TEXTURE = np.asarray(cv2.normalize(SOFT, None, 0, 255, cv2.NORM_MINMAX), np.uint8)[..., np.newaxis]


def keypoints(nose_x: float = 0.0) -> Keypoints:
    """A face whose nose is so many distances of the eyes beside their middle."""
    points = np.array([(-0.5, 0), (0.5, 0), (nose_x, 0.6), (0, 1.1), (-1, 0), (1, 0)]) * 40 + (160, 120)
    return (points / SIZE).astype(np.float32)


def moved(chip: Pixels, px: int, degrees: float) -> Pixels:
    path = np.zeros((px, px), np.float32)
    path[px // 2] = 1
    path = cv2.warpAffine(path, cv2.getRotationMatrix2D((px // 2, px // 2), degrees, 1), (px, px))
    return np.asarray(cv2.filter2D(chip[..., 0], -1, path / path.sum(), borderType=cv2.BORDER_REPLICATE))[
        ..., np.newaxis
    ]


def test_a_clear_face_is_read():
    assert Gate().doubt(TEXTURE, 100, keypoints(), SIZE) is None
    assert Gate().doubt(TEXTURE, 100, None, SIZE) is None


def test_each_reason_has_its_name():
    gate = Gate()
    assert gate.doubt(TEXTURE, gate.min_px - 1, keypoints(), SIZE) == "small"
    assert gate.doubt(TEXTURE, 100, keypoints(nose_x=gate.max_turn + 0.05), SIZE) == "turned"
    assert gate.doubt(TEXTURE, 100, keypoints(nose_x=-gate.max_turn - 0.05), SIZE) == "turned"
    assert gate.doubt(np.full((48, 48, 1), 120, np.uint8), 100, keypoints(), SIZE) == "blurred"


@pytest.mark.parametrize("degrees", [0, 30, 45, 90])
def test_motion_in_any_direction_is_a_blur(degrees: float):
    assert Gate().doubt(moved(TEXTURE, 21, degrees), 100, None, SIZE) == "blurred"


def test_sharpness_does_not_depend_on_contrast_or_brightness():
    faint = (TEXTURE.astype(np.float32) * 0.5 + 60).round().astype(np.uint8)
    assert sharpness(faint) == pytest.approx(sharpness(TEXTURE), rel=0.05)


def test_large_and_coloured_chips_are_judged_like_small_grey_ones():
    large = cv2.resize(TEXTURE[..., 0], (192, 192), interpolation=cv2.INTER_NEAREST)[..., np.newaxis]
    assert sharpness(large) == pytest.approx(sharpness(TEXTURE), rel=0.02)
    assert sharpness(np.repeat(TEXTURE, 3, axis=2)) == pytest.approx(sharpness(TEXTURE), rel=0.02)


def test_turning_is_measured_along_the_eyes_whatever_the_roll():
    angle = np.radians(40)
    matrix = np.array(((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))))
    tilted = ((((keypoints(0.4) * SIZE) - (160, 120)) @ matrix + (160, 120)) / SIZE).astype(np.float32)
    assert turn(keypoints(0.4), *SIZE) == pytest.approx(0.4, abs=1e-3)
    assert turn(tilted, *SIZE) == pytest.approx(0.4, abs=1e-3)


def test_eyes_in_one_place_are_no_error():
    assert turn(np.zeros((6, 2), np.float32), *SIZE) == 0


def track(**fields: object) -> Track:
    return msgspec.structs.replace(Track(1, Box(0, 0, 1, 1), 0.9, None, 1, 0, 1, 0), **fields)


def test_a_label_stands_a_while_after_the_last_good_look():
    scores = np.full(7, 1 / 7, np.float32)
    named = track(label="happy", confidence=0.9, scores=scores, scored_seq=1, scored_ns=0, led_ns=0)
    soon, late = unread(named, "blurred", 400_000_000, 0.5), unread(named, "blurred", 500_000_000, 0.5)
    assert (soon.label, soon.doubt, soon.scores is scores) == ("happy", "blurred", True)
    assert (late.label, late.doubt, late.scores, late.scored_ns, late.confidence) == (
        UNCERTAIN,
        "blurred",
        None,
        None,
        0,
    )


def test_who_was_never_read_is_uncertain_at_once():
    assert unread(track(), "small", 0, 0.5).label == UNCERTAIN


def pipeline(detector: FakeDetector, classifier: FakeClassifier, **settings: object) -> Pipeline:
    parts = {"policy": Policy(1), "gate": Gate(), "attention": Attention(interval_ms=0), **settings}
    return Pipeline(detector, classifier, Ticking(), **parts)  # type: ignore[arg-type]


def shot(seq: int, *, sharp: bool) -> Frame:
    """A frame of 25 a second, sharp all over or not at all."""
    pixels = np.random.default_rng(1).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    return Frame(seq, seq * 40_000_000, pixels if sharp else cv2.GaussianBlur(pixels, (0, 0), 30))


def test_a_blurred_frame_is_not_read_and_the_label_is_held_then_let_go_and_found_again():
    classifier = FakeClassifier()
    steps = pipeline(FakeDetector(), classifier, rule=ExpressionRule(min_hold_s=0.2))
    seen = [steps.step(shot(seq, sharp=seq < 3 or seq > 9)).tracks[0] for seq in range(1, 12)]
    assert [t.label for t in seen] == ["happy"] * 6 + [UNCERTAIN] * 3 + ["happy"] * 2
    assert [t.doubt for t in seen] == [None] * 2 + ["blurred"] * 7 + [None] * 2
    assert len(classifier.chips) == 4


def test_who_cannot_be_read_is_not_looked_at_again_before_a_reading_would_be_due():
    steps = pipeline(FakeDetector(), FakeClassifier(), attention=Attention(interval_ms=100))
    scenes = [steps.step(shot(seq, sharp=False)) for seq in range(1, 8)]
    assert [scene.frame.seq for scene in scenes if "chip" in scene.timings_ns] == [1, 4, 7]
    assert {scene.tracks[0].doubt for scene in scenes} == {"blurred"}


def test_without_the_gate_every_face_is_read():
    steps = pipeline(FakeDetector(), FakeClassifier(), gate=None)
    assert [t.label for t in steps.step(shot(1, sharp=False)).tracks] == ["happy"]


def test_a_small_face_takes_nobodys_turn_and_the_record_says_why_it_was_not_read():
    small = Face(Box(0.1, 0.1, 0.02, 0.02), 0.9)
    steps = pipeline(FakeDetector((small, face(0.5))), FakeClassifier(), attention=Attention(0, max_faces=1))
    scenes = [steps.step(shot(seq, sharp=True)) for seq in (1, 2, 3)]
    assert [scene.tracks[1].scored_seq for scene in scenes] == [1, 2, 3]
    record = scene_event(scenes[-1], "test", None)
    assert [(f.label, f.doubt, bool(f.scores)) for f in record.faces] == [
        (UNCERTAIN, "small", False),
        ("happy", None, True),
    ]


def test_a_tilted_head_is_cut_upright_by_the_pipeline():
    # white above the eyes, black below them, the whole tilted clockwise by 30°
    rows, columns = np.indices((240, 320))
    angle = np.radians(30)
    above = (rows - 120) * np.cos(angle) - (columns - 160) * np.sin(angle) < 0
    pixels = np.repeat(np.where(above, 255, 0).astype(np.uint8)[..., np.newaxis], 3, axis=2)
    eyes = np.array([(-20, 0), (20, 0)]) @ np.array(((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))))
    marks = (np.vstack([eyes, np.zeros((4, 2))]) + np.array((160, 120))) / SIZE
    tilted = Face(Box(110 / 320, 70 / 240, 100 / 320, 100 / 240), 0.9, marks.astype(np.float32))
    classifier = FakeClassifier()
    pipeline(FakeDetector((tilted,)), classifier, gate=None).step(Frame(1, 0, pixels))
    chip = classifier.chips[0][0, ..., 0]
    assert (chip[:22] == 255).all()
    assert (chip[26:] == 0).all()
