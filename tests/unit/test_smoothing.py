"""Scores and labels over time."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from msgspec.structs import replace

from edge.smoothing import ExpressionRule, name, smooth
from edge.types import UNCERTAIN, Box, EmotionScores, Track

A = np.array([1, 0], np.float32)
B = np.array([0, 1], np.float32)
LABELS = ("happy", "sad", "fear")
RULE = ExpressionRule(threshold=0.5, hysteresis=0.1, min_hold_s=0.5)

Trace = Callable[[float], EmotionScores]
"""Seconds → probabilities (3,)."""


def run(steps: int, seconds: float) -> np.ndarray:
    scores = A
    for _ in range(steps):
        scores = smooth(scores, B, seconds / steps, 0.25)
    return scores


def new_face() -> Track:
    return Track(1, Box(0.3, 0.3, 0.2, 0.2), 0.9, None, 1, 0, 1, 0)


def course(trace: Trace, fps: float, seconds: float, rule: ExpressionRule) -> list[tuple[float, str]]:
    """When which label came up, as a pipeline would go about it."""
    track = new_face()
    shown: list[tuple[float, str]] = []
    for index in range(int(seconds * fps) + 1):
        t_s = index / fps
        scores = smooth(track.scores, trace(t_s), 1 / fps, rule.time_constant_s)
        label, confidence, led_ns = name(track, scores, round(t_s * 1e9), LABELS, rule)
        track = replace(track, scores=scores, label=label, confidence=confidence, led_ns=led_ns)
        if not shown or shown[-1][1] != label:
            shown.append((t_s, label))
    return shown


def unsmoothed(rule: ExpressionRule) -> ExpressionRule:
    return ExpressionRule(rule.threshold, 0.0, rule.hysteresis, rule.min_hold_s)


def steps(*levels: tuple[float, tuple[float, float, float]]) -> Trace:
    """From each of these seconds on, these probabilities."""

    def trace(t_s: float) -> EmotionScores:
        return np.array([scores for start_s, scores in levels if t_s >= start_s - 1e-9][-1], np.float32)

    return trace


def test_the_first_scores_are_taken_as_they_are():
    assert smooth(None, A, 0, 0.25) is A


def test_no_time_constant_means_no_smoothing():
    assert smooth(A, B, 0.03, 0) is B


def test_after_one_time_constant_63_percent_of_a_change_show():
    assert smooth(A, B, 0.25, 0.25)[1] == pytest.approx(0.632, abs=1e-3)


def test_five_and_thirty_frames_a_second_give_the_same_course():
    np.testing.assert_allclose(run(5, 1.0), run(30, 1.0), atol=1e-5)


def test_smoothed_scores_still_sum_to_one_and_cannot_be_written_to():
    scores = smooth(A, B, 0.1, 0.25)
    assert scores.sum() == pytest.approx(1)
    assert not scores.flags.writeable


def test_below_the_threshold_a_new_face_is_uncertain_and_as_likely_as_its_likeliest_class():
    sure, unsure = np.array([0.6, 0.4, 0], np.float32), np.array([0.45, 0.4, 0.15], np.float32)
    assert name(new_face(), sure, 7, LABELS, RULE) == ("happy", pytest.approx(0.6), 7)
    assert name(new_face(), unsure, 7, LABELS, RULE) == (UNCERTAIN, pytest.approx(0.45), 7)


def test_a_class_that_leads_by_less_than_the_hysteresis_changes_nothing_yet():
    trace = steps((0, (0.6, 0.4, 0)), (1, (0.46, 0.54, 0)), (1.4, (0.6, 0.4, 0)))
    assert course(trace, 10, 3, unsmoothed(RULE)) == [(0, "happy")]


def test_the_confidence_is_that_of_the_class_shown_not_of_the_one_that_leads():
    happy = replace(new_face(), label="happy", led_ns=0)
    led = np.array([0.46, 0.54, 0], np.float32)
    assert name(happy, led, 100_000_000, LABELS, RULE) == ("happy", pytest.approx(0.46), 0)


def test_a_class_that_leads_by_the_hysteresis_changes_the_label_at_once():
    trace = steps((0, (0.6, 0.4, 0)), (1, (0.44, 0.56, 0)))
    assert course(trace, 10, 2, unsmoothed(RULE)) == [(0, "happy"), (1, "sad")]


@pytest.mark.parametrize("fps", [5, 10, 30])
def test_a_small_lead_counts_once_it_has_lasted_for_the_minimum_hold(fps: int):
    trace = steps((0, (0.52, 0.48, 0)), (1, (0.48, 0.52, 0)))
    (_, first), (changed_s, then) = course(trace, fps, 3, unsmoothed(RULE))
    assert (first, then) == ("happy", "sad")
    assert 1.5 - 1 / fps <= changed_s <= 1.5 + 1 / fps


def test_a_small_lead_that_comes_and_goes_never_counts():
    trace = steps(*((i * 0.3, (0.52, 0.48, 0) if i % 2 == 0 else (0.48, 0.52, 0)) for i in range(20)))
    assert course(trace, 10, 5.9, unsmoothed(RULE)) == [(0, "happy")]


def test_two_rivals_that_lead_in_turn_are_no_refuge_for_a_label_that_leads_no_more():
    rivals = itertools.cycle([(0.44, 0.5, 0.06), (0.44, 0.06, 0.5)])
    trace = steps((0, (0.6, 0.2, 0.2)), *((1 + i * 0.2, next(rivals)) for i in range(10)))
    assert course(trace, 10, 3, unsmoothed(RULE))[1][0] == pytest.approx(1.4)


def test_uncertain_begins_below_the_threshold_less_the_hysteresis_and_ends_at_the_threshold():
    around = ((0, 0.51), (1, 0.42), (2, 0.39), (3, 0.48), (4, 0.51), (5, 0.41))
    trace = steps(*((t_s, (p, 0.3, 0.7 - p)) for t_s, p in around))
    assert course(trace, 10, 6, unsmoothed(RULE)) == [(0, "happy"), (2, UNCERTAIN), (4, "happy")]


def test_a_label_below_the_threshold_is_given_up_once_another_class_has_led_long_enough():
    trace = steps((0, (0.52, 0.3, 0.18)), (1, (0.43, 0.3, 0.27)), (3, (0.43, 0.45, 0.12)))
    assert course(trace, 10, 5, unsmoothed(RULE)) == [(0, "happy"), (pytest.approx(3.4), UNCERTAIN)]


def test_without_hysteresis_the_scores_alone_decide():
    rule = ExpressionRule(0.5, 0.0, 0.0, 5.0)
    trace = steps((0, (0.6, 0.4, 0)), (1, (0.49, 0.51, 0)), (2, (0.49, 0.31, 0.2)))
    assert course(trace, 10, 3, rule) == [(0, "happy"), (1, "sad"), (2, UNCERTAIN)]


@pytest.mark.parametrize("fps", [5, 10, 30])
@pytest.mark.parametrize("surely", [0.95, 0.75, 0.6])
def test_a_true_change_from_happy_to_sad_shows_within_a_third_of_a_second_and_a_frame(fps: int, surely: float):
    rest = 1 - surely
    trace = steps((0, (surely, 0.3 * rest, 0.7 * rest)), (2, (0.3 * rest, surely, 0.7 * rest)))
    shown = course(trace, fps, 5, ExpressionRule())
    assert shown[-1][1] == "sad"
    assert 0 <= shown[-1][0] - 2 <= 1 / 3 + 1 / fps


def random_trace(seed: int) -> Trace:
    """Expressions that stay for 1 to 2.5 s and change within 0.2 to 0.8 s, the last change over before 9.3 s."""
    random = np.random.default_rng(seed)
    knots = [(0.0, random.dirichlet((0.4,) * 3))]
    while knots[-1][0] < 6:
        t_s = knots[-1][0] + random.uniform(1.0, 2.5)
        knots += [(t_s, knots[-1][1]), (t_s + random.uniform(0.2, 0.8), random.dirichlet((0.4,) * 3))]
    times, levels = [t_s for t_s, _ in knots], np.array([scores for _, scores in knots])
    return lambda t_s: np.array([np.interp(t_s, times, level) for level in levels.T], np.float32)


def is_well_posed(trace: Trace, seconds: float, shown: list[tuple[float, str]], slow_s: float) -> bool:
    """Whether every label lasts for two slow frames, and no change is a matter of two hundredths."""
    times = [t_s for t_s, _ in shown] + [seconds]
    if min(b - a for a, b in itertools.pairwise(times)) < 2 * slow_s:
        return False
    base = ExpressionRule()
    nudged = [(base.threshold + d, base.hysteresis + e) for d, e in ((0.02, 0), (-0.02, 0), (0, 0.02), (0, -0.02))]
    return all(
        [label for _, label in course(trace, 30, seconds, ExpressionRule(threshold, hysteresis=hysteresis))]
        == [label for _, label in shown]
        for threshold, hysteresis in nudged
    )


def test_five_and_thirty_frames_a_second_give_the_same_labels_within_a_slow_frame():
    seconds, slow_s, changes = 10.0, 1 / 5, 0
    for seed in range(80):
        trace = random_trace(seed)
        fast = course(trace, 30, seconds, ExpressionRule())
        if not is_well_posed(trace, seconds, fast, slow_s):
            continue
        slow = course(trace, 5, seconds, ExpressionRule())
        assert [label for _, label in slow] == [label for _, label in fast], seed
        for (fast_s, _), (changed_s, _) in zip(fast, slow, strict=True):
            assert abs(changed_s - fast_s) <= slow_s + 1e-9, seed
        changes += len(fast) - 1
    assert changes > 50, "traces that say something"
