"""The settings reach the core."""

import msgspec
import numpy as np

from edge.config import Config, ExpressionConfig
from edge.effort import Effort
from edge.parts import build_pipeline
from edge.pipeline import Pipeline
from edge.types import UNCERTAIN, EmotionScores, Pixels
from tests.fakes import FakeClassifier, FakeDetector, face, frame

CROWD = tuple(face(0.15 * number, size=0.14) for number in range(6))


class Changing(FakeClassifier):
    """Happy at first, then neutral by a hair."""

    def classify(self, *chips: Pixels) -> tuple[EmotionScores, ...]:
        super().classify(*chips)
        scores = np.full(7, 0.01, np.float32)
        scores[[3, 6]] = (0.6, 0.35) if len(self.chips) == 1 else (0.46, 0.49)
        return (scores,) * len(chips[0])


def pipeline(
    expression: ExpressionConfig, *, stills: bool = False, faces: int = 6, quality_gate: bool = False
) -> Pipeline:
    """On frames of one colour, in which there is nothing to read, if anybody asked."""
    config = Config(expression=msgspec.structs.replace(expression, quality_gate=quality_gate))
    return build_pipeline(config, FakeDetector(CROWD[:faces]), Changing(), stills=stills)  # type: ignore[arg-type]


def labels(core: Pipeline, frames: int = 2) -> list[str | None]:
    """The first face's, on frames of 25 a second."""
    return [core.step(frame(seq)).tracks[0].label for seq in range(1, frames + 1)]


def test_how_often_and_how_many_faces_are_read_is_as_configured():
    core = pipeline(ExpressionConfig(interval_ms=100, max_faces=5))
    read = [[track.scored_seq for track in core.step(frame(seq)).tracks] for seq in (1, 2, 3)]
    assert read == [[1, 1, 1, 1, 1, None], [1, 1, 1, 1, 1, 2], [1, 1, 1, 1, 1, 2]]


def test_only_the_largest_face_is_shown_if_so_configured():
    assert len(pipeline(ExpressionConfig(faces="largest")).step(frame()).tracks) == 1
    assert len(pipeline(ExpressionConfig()).step(frame()).tracks) == 6


def test_how_long_a_label_stays_is_as_configured():
    at_once = ExpressionConfig(interval_ms=0, max_faces=6, smoothing_s=0, hysteresis=0)
    assert labels(pipeline(at_once)) == ["happy", "neutral"]
    held = msgspec.structs.replace(at_once, hysteresis=0.1)
    assert labels(pipeline(held)) == ["happy", "happy"]
    shortly = msgspec.structs.replace(held, min_hold_s=0.08)
    assert labels(pipeline(shortly), 3) == ["happy", "happy", "neutral"]


def test_of_pictures_every_face_is_read_and_named_by_that_picture_alone():
    core = pipeline(ExpressionConfig(), stills=True)
    first, second = (core.step(frame(seq)).tracks for seq in (1, 2))
    assert [(track.scored_seq, track.label) for track in first] == [(1, "happy")] * 6
    assert [(track.scored_seq, track.label) for track in second] == [(2, "neutral")] * 6
    assert second[0].confidence == np.float32(0.49)


def test_faces_that_cannot_be_read_are_left_unread_if_so_configured():
    def doubts(min_read_px: int) -> set[tuple[str | None, str | None]]:
        core = pipeline(ExpressionConfig(min_read_px=min_read_px), quality_gate=True)
        return {(track.label, track.doubt) for track in core.step(frame()).tracks}

    assert doubts(12) == {(UNCERTAIN, "small")}
    assert doubts(0) == {(UNCERTAIN, "blurred")}
    assert ExpressionConfig().quality_gate


def test_the_threshold_holds_for_pictures_too():
    assert labels(pipeline(ExpressionConfig(threshold=0.55), stills=True)) == ["happy", UNCERTAIN]


def test_of_pictures_each_is_searched_however_little_may_be_spent():
    core = pipeline(ExpressionConfig(), stills=True)
    core.effort = Effort(search_every=8.0)
    assert all(core.step(frame(seq)).decision.detect for seq in range(1, 5))
