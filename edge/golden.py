"""Replays the chips a model carries: the proof that this file answers here as it did where it was made."""

from dataclasses import dataclass

import numpy as np

from edge.classifier import TfliteClassifier

MAX_STEPS = 1
"""On LiteRT, where the answers were made: XNNPACK is bit-identical on x86 and arm64."""
MAX_STEPS_ELSEWHERE = 8
"""tflite-runtime 2.14 runs int8 on TFLite's built-in kernels, whose rounding adds up over ten layers:
4 of 256 steps were measured. Damaged weights were 19 off."""
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
    if golden.outputs.dtype == np.float32:
        limit: float = MAX_FLOAT
    else:
        limit = MAX_STEPS if classifier.runtime.startswith("ai-edge-litert") else MAX_STEPS_ELSEWHERE
    return Replay(len(found), float(np.abs(found - expected).max()), limit, flipped)
