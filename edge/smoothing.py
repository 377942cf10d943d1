"""Scores over time: one frame's answer jitters, a face's expression does not."""

import math

import numpy as np

from edge.types import UNCERTAIN, EmotionScores, read_only


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


def name(scores: EmotionScores, labels: tuple[str, ...], threshold: float) -> tuple[str, float]:
    """The expression to show, `UNCERTAIN` below the threshold, and the likeliest class's probability."""
    best = int(scores.argmax())
    confidence = float(scores[best])
    return (labels[best] if confidence >= threshold else UNCERTAIN), confidence
