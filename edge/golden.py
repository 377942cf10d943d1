"""Replays the chips a model carries: the proof that this file answers here as it did where it was made."""

from dataclasses import dataclass

import numpy as np

from edge.classifier import TfliteClassifier

MAX_STEPS = 1
"""XNNPACK gave bit-identical answers on x86 and arm64; TFLite's built-in kernels differ by one step."""
MAX_FLOAT = 1e-3


@dataclass(frozen=True, slots=True)
class Replay:
    """How the golden chips went.

    Attributes:
        chips: how many.
        worst: largest difference of an output, in quantisation steps (or as float).
        limit: largest difference allowed.
        flipped: chips whose likeliest class changed.
    """

    chips: int
    worst: float
    limit: float
    flipped: int

    @property
    def passed(self) -> bool:
        """Whether the model answers as it should."""
        return self.worst <= self.limit

    def text(self) -> str:
        """One line for people."""
        verdict = "answers as when it was made" if self.passed else "does NOT answer as when it was made"
        return (
            f"{verdict}: {self.chips} golden chips, worst difference {self.worst:g} (limit {self.limit:g}), "
            f"{self.flipped} changed class"
        )


def replay(classifier: TfliteClassifier) -> Replay:
    """Run the golden chips through the production adapter and compare."""
    golden = classifier.golden
    found = np.stack([classifier.raw(chip) for chip in golden.chips]).astype(np.float64)
    expected = golden.outputs.astype(np.float64)
    flipped = int((found.argmax(1) != expected.argmax(1)).sum())
    limit = MAX_FLOAT if golden.outputs.dtype == np.float32 else MAX_STEPS
    return Replay(len(found), float(np.abs(found - expected).max()), limit, flipped)
