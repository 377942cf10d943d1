"""One frame in, one scene out."""

import numpy as np
import pytest

from edge.contract.chip import ChipSpec
from edge.pipeline import ExpressionRule, Pipeline
from edge.policy import Policy
from edge.types import UNCERTAIN, Frame, PixelFormat
from tests.fakes import FakeClassifier, FakeDetector, Ticking, face, frame


def pipeline(detector: FakeDetector, classifier: FakeClassifier, **settings: object) -> Pipeline:
    return Pipeline(detector, classifier, Ticking(), **settings)  # type: ignore[arg-type]


def test_a_scene_names_the_faces_of_its_own_frame():
    shown = frame(7)
    scene = pipeline(FakeDetector(), FakeClassifier()).step(shown)
    assert scene.frame is shown
    assert [(t.id, t.label, t.scored_seq) for t in scene.tracks] == [(1, "happy", 7)]
    assert scene.labels == FakeClassifier.labels


def test_the_detector_runs_on_every_fifth_frame_and_faces_stay_between():
    detector = FakeDetector()
    steps = pipeline(detector, FakeClassifier(), policy=Policy(5, 10_000))
    scenes = [steps.step(frame(seq)) for seq in range(1, 12)]
    assert [f.seq for f in detector.frames] == [1, 6, 11]
    assert all(len(scene.tracks) == 1 for scene in scenes)
    assert [scene.decision.reason for scene in scenes[:6]] == ["first", "roi", "roi", "roi", "roi", "interval"]
    assert scenes[4].tracks[0].seen_seq == 1


def test_an_expression_is_read_on_every_frame_even_from_a_cached_roi():
    classifier = FakeClassifier()
    steps = pipeline(FakeDetector(), classifier)
    scenes = [steps.step(frame(seq)) for seq in range(1, 5)]
    assert [scene.tracks[0].scored_seq for scene in scenes] == [1, 2, 3, 4]
    assert len(classifier.chips) == 4


def test_all_faces_of_a_frame_go_into_one_call():
    classifier = FakeClassifier()
    pipeline(FakeDetector((face(0.1), face(0.6))), classifier).step(frame())
    assert [chips.shape for chips in classifier.chips] == [(2, 48, 48, 1)]


def test_a_frame_without_faces_costs_no_classification():
    classifier = FakeClassifier()
    scene = pipeline(FakeDetector(()), classifier).step(frame())
    assert scene.tracks == ()
    assert classifier.chips == []
    assert set(scene.timings_ns) == {"detect", "track"}


def test_low_confidence_is_called_uncertain():
    rule = ExpressionRule(threshold=0.5)
    scene = pipeline(FakeDetector(), FakeClassifier(0.4), rule=rule).step(frame())
    assert scene.tracks[0].label == UNCERTAIN
    assert scene.tracks[0].confidence == pytest.approx(0.4)


class TwoViews(FakeClassifier):
    """Wants a wide grey chip and a narrow one in colour."""

    views = (ChipSpec(24, 1, margin=2.0), ChipSpec(32, 3, margin=0.5))


def test_each_face_is_cut_once_for_each_view_of_the_classifier():
    classifier = TwoViews()
    scene = pipeline(FakeDetector((face(0.1), face(0.6))), classifier).step(frame())
    assert [chips.shape for chips in classifier.chips] == [(2, 24, 24, 1), (2, 32, 32, 3)]
    assert [track.label for track in scene.tracks] == ["happy", "happy"]
    np.testing.assert_array_equal(classifier.chips[1][0, 0, 0], (80, 100, 120), "red first")


def test_a_face_that_one_view_does_not_show_is_not_classified():
    classifier = TwoViews()
    scene = pipeline(FakeDetector((face(-0.28),)), classifier).step(frame())
    assert scene.tracks[0].label is None
    assert classifier.chips == []


def test_a_face_wholly_outside_the_picture_is_followed_but_not_classified():
    classifier = FakeClassifier()
    scene = pipeline(FakeDetector((face(2.0),)), classifier).step(frame())
    assert scene.tracks[0].label is None
    assert classifier.chips == []


def test_a_face_at_the_border_is_classified():
    scene = pipeline(FakeDetector((face(-0.15),)), FakeClassifier()).step(frame())
    assert scene.tracks[0].label == "happy"


def test_a_grey_plane_is_used_as_it_is():
    planes = np.random.default_rng(0).integers(0, 256, (96, 64), dtype=np.uint8)
    classifier = FakeClassifier()
    shown = Frame(1, 0, planes, PixelFormat.I420)
    pipeline(FakeDetector((face(0, 0, 0.75),)), classifier).step(shown)
    np.testing.assert_array_equal(classifier.chips[0][0, ..., 0], planes[:48, :48])
    assert shown._bgr == [], "no colour picture is made for a grey chip"


def test_the_stages_that_ran_are_timed():
    scene = pipeline(FakeDetector(), FakeClassifier()).step(frame())
    assert set(scene.timings_ns) == {"detect", "track", "chip", "classify"}
    assert all(spent == 1_000_000 for spent in scene.timings_ns.values())


def test_the_same_frames_give_the_same_scenes():
    def run() -> list[object]:
        steps = pipeline(FakeDetector((face(0.1),), (face(0.15), face(0.6))), FakeClassifier())
        return [[(t.id, t.box, t.confidence) for t in steps.step(frame(n)).tracks] for n in range(1, 20)]

    assert run() == run()
