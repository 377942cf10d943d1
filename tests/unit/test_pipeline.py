"""One frame in, one scene out."""

import numpy as np
import pytest

from edge.attention import Attention
from edge.contract.chip import ChipSpec
from edge.pipeline import Pipeline
from edge.policy import Policy
from edge.smoothing import ExpressionRule
from edge.tracker import TrackerSettings
from edge.types import UNCERTAIN, EmotionScores, Frame, PixelFormat, Pixels
from tests.fakes import FakeClassifier, FakeDetector, Ticking, face, frame


def pipeline(detector: FakeDetector, classifier: FakeClassifier, **settings: object) -> Pipeline:
    return Pipeline(detector, classifier, Ticking(), **settings)  # type: ignore[arg-type]


def test_a_scene_names_the_faces_of_its_own_frame():
    shown = frame(7)
    scene = pipeline(FakeDetector(), FakeClassifier()).step(shown)
    assert scene.frame is shown
    assert [(t.id, t.label, t.scored_seq) for t in scene.tracks] == [(1, "happy", 7)]
    assert scene.labels == FakeClassifier.labels


def test_where_something_moves_the_detector_runs_on_every_fifth_frame_and_faces_stay_between():
    detector = FakeDetector()
    steps = pipeline(detector, FakeClassifier(), policy=Policy(5, 10_000))
    scenes = [steps.step(frame(seq, spot=seq)) for seq in range(1, 12)]
    assert [f.seq for f in detector.frames] == [1, 6, 11]
    assert all(len(scene.tracks) == 1 for scene in scenes)
    assert [scene.decision.reason for scene in scenes[:6]] == ["first", "roi", "roi", "roi", "roi", "interval"]
    assert scenes[4].tracks[0].seen_seq == 1


def test_an_expression_is_read_when_it_is_due_even_from_a_cached_roi():
    classifier = FakeClassifier()
    steps = pipeline(FakeDetector(), classifier)
    scenes = [steps.step(frame(seq)) for seq in range(1, 6)]
    assert [scene.tracks[0].scored_seq for scene in scenes] == [1, 1, 3, 3, 5]
    assert len(classifier.chips) == 3
    assert {scene.tracks[0].label for scene in scenes} == {"happy"}


def test_between_two_readings_nothing_is_cut_or_classified():
    steps = pipeline(FakeDetector(), FakeClassifier())
    timings = [set(steps.step(frame(seq)).timings_ns) for seq in (1, 2)]
    assert timings == [{"decide", "detect", "track", "chip", "classify"}, {"decide", "track"}]


@pytest.mark.parametrize("step_ns", [10_000_000, 33_333_333, 40_000_000, 200_000_000])
def test_scores_are_never_older_than_the_interval(step_ns: int):
    steps = pipeline(FakeDetector(), FakeClassifier(), attention=Attention(interval_ms=60))
    for seq in range(1, 40):
        (track,) = steps.step(frame(seq, t_ns=seq * step_ns)).tracks
        assert track.scored_ns is not None
        assert seq * step_ns - track.scored_ns < 60_000_000


def test_a_crowd_is_read_in_turn_the_largest_face_first():
    faces = (face(0.0, size=0.2), face(0.3, size=0.3), face(0.7, size=0.25))
    classifier = FakeClassifier()
    steps = pipeline(FakeDetector(faces), classifier, attention=Attention(interval_ms=0, max_faces=2))
    scenes = [steps.step(frame(seq)) for seq in range(1, 5)]
    assert [[track.scored_seq for track in scene.tracks] for scene in scenes] == [
        [None, 1, 1],
        [2, 2, 1],
        [2, 3, 3],
        [4, 4, 3],
    ]
    assert [chips.shape[0] for chips in classifier.chips] == [2, 2, 2, 2]


def test_faces_outside_the_picture_take_nobodys_turn():
    faces = (face(2.0), face(3.0), face(0.1), face(0.5))
    steps = pipeline(FakeDetector(faces), FakeClassifier(), attention=Attention(interval_ms=0, max_faces=2))
    assert [track.scored_seq for track in steps.step(frame()).tracks] == [None, None, 1, 1]


def test_of_several_faces_only_the_largest_is_shown_if_so_asked_and_the_others_are_still_followed():
    detector = FakeDetector(
        (face(0.0, size=0.2), face(0.5, size=0.3)),
        (face(0.0, size=0.4), face(0.5, size=0.3)),
        (face(0.5, size=0.3),),
    )
    classifier = FakeClassifier()
    parts = {"tracking": TrackerSettings(max_misses=0), "attention": Attention(interval_ms=0, faces="largest")}
    steps = pipeline(detector, classifier, policy=Policy(1), **parts)
    scenes = [steps.step(frame(seq)) for seq in range(1, 4)]
    assert [[(track.id, track.label) for track in scene.tracks] for scene in scenes] == [
        [(2, "happy")],
        [(1, "happy")],
        [(2, "happy")],
    ]
    assert scenes[2].tracks[0].age == 3
    assert [chips.shape[0] for chips in classifier.chips] == [1, 1, 1]


class Wavering(FakeClassifier):
    """Happy on one frame and, by as little, neutral on the next."""

    def classify(self, *chips: Pixels) -> tuple[EmotionScores, ...]:
        super().classify(*chips)
        self._scores = np.full(7, 0.01, np.float32)
        self._scores[[3, 6] if len(self.chips) % 2 else [6, 3]] = 0.5, 0.45
        return (self._scores,) * len(chips[0])


def test_a_label_does_not_waver_with_scores_that_do():
    def labels(rule: ExpressionRule) -> list[str | None]:
        steps = pipeline(FakeDetector(), Wavering(), rule=rule, attention=Attention(interval_ms=0))
        return [steps.step(frame(seq)).tracks[0].label for seq in range(1, 7)]

    assert labels(ExpressionRule(time_constant_s=0, hysteresis=0)) == ["happy", "neutral"] * 3
    assert labels(ExpressionRule(time_constant_s=0)) == ["happy"] * 6


def test_all_faces_of_a_frame_go_into_one_call():
    classifier = FakeClassifier()
    pipeline(FakeDetector((face(0.1), face(0.6))), classifier).step(frame())
    assert [chips.shape for chips in classifier.chips] == [(2, 48, 48, 1)]


def test_a_frame_without_faces_costs_no_classification():
    classifier = FakeClassifier()
    scene = pipeline(FakeDetector(()), classifier).step(frame())
    assert scene.tracks == ()
    assert classifier.chips == []
    assert set(scene.timings_ns) == {"decide", "detect", "track"}


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
    assert shown._bgr is None, "no colour picture is made for a grey chip"


def test_the_stages_that_ran_are_timed():
    scene = pipeline(FakeDetector(), FakeClassifier()).step(frame())
    assert set(scene.timings_ns) == {"decide", "detect", "track", "chip", "classify"}
    assert all(spent == 1_000_000 for spent in scene.timings_ns.values())


def test_the_same_frames_give_the_same_scenes():
    def run() -> list[object]:
        steps = pipeline(FakeDetector((face(0.1),), (face(0.15), face(0.6))), FakeClassifier())
        return [[(t.id, t.box, t.confidence) for t in steps.step(frame(n)).tracks] for n in range(1, 20)]

    assert run() == run()
