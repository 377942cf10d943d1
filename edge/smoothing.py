"""Scores and labels over time: one frame's answer jitters, a face's expression does not."""

import math
from dataclasses import dataclass

import numpy as np

from edge.types import UNCERTAIN, EmotionScores, Track, read_only


@dataclass(frozen=True, slots=True)
class ExpressionRule:
    """How scores become a label.

    Attributes:
        threshold: confidence below which a face is `uncertain`, 0..1.
        time_constant_s: of the smoothing over time.
        hysteresis: probability by which another class must lead, or the label's own fall below the threshold, for the
            label to change at once; 0: it always does.
        min_hold_s: a label whose class is led by less than that changes once it has been led for so long.
    """

    threshold: float = 0.45
    time_constant_s: float = 0.25
    hysteresis: float = 0.08
    min_hold_s: float = 0.5


def smooth(before: EmotionScores | None, now: EmotionScores, dt_s: float, time_constant_s: float) -> EmotionScores:
    """Exponential moving average whose speed does not depend on the frame rate.

    weight = 1 - exp(-dt / time constant): the exact solution of a first-order low-pass for a step input.

    Args:
        before: smoothed scores so far (C,), None at the start.
        now: this frame's scores (C,).
        dt_s: seconds since `before`.
        time_constant_s: after this long 63 % of a change show; 0: no smoothing.
    """
    if before is None or time_constant_s <= 0:
        return now
    weight = np.float32(1 - math.exp(-max(dt_s, 0.0) / time_constant_s))
    scores: EmotionScores = before + weight * (now - before)
    read_only(scores)
    return scores


def name(
    track: Track, scores: EmotionScores, t_ns: int, labels: tuple[str, ...], rule: ExpressionRule
) -> tuple[str, float, int]:
    """The expression to show for a face, how probable it is, and when it was last the likeliest.

    What counts is time, not frames. A label stands as long as its own probability stays within the hysteresis of what
    it would take to be named anew: the threshold, or the likeliest class if that is above. Then, or once another class
    has been the likeliest for the minimum hold, the scores alone decide. `UNCERTAIN` gives way to whatever reaches the
    threshold.

    Args:
        track: the face as it was before these scores.
        scores: smoothed probabilities (C,).
        t_ns: time of their frame.
        labels: class names in their order.
        rule: see there.

    Returns:
        Label, probability of its class (of the likeliest, if `UNCERTAIN`), and the track's next `led_ns`.
    """
    best = int(scores.argmax())
    confidence = float(scores[best])
    label = labels[best] if confidence >= rule.threshold else UNCERTAIN
    if label == track.label or track.label is None or track.label == UNCERTAIN or track.led_ns is None:
        return label, confidence, t_ns
    shown = labels.index(track.label)
    own = float(scores[shown])
    if own <= max(confidence, rule.threshold) - rule.hysteresis:
        return label, confidence, t_ns
    if shown == best:
        return track.label, own, t_ns
    if (t_ns - track.led_ns) / 1e9 < rule.min_hold_s:
        return track.label, own, track.led_ns
    return label, confidence, t_ns
