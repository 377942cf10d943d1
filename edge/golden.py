"""Replays the chips a model carries: the proof that this file answers here as it did where it was made."""

import math
from dataclasses import dataclass

import numpy as np

from edge.classifier import TfliteClassifier
from edge.errors import PermanentError

MAX_STEPS = 1
"""Of int8 models. XNNPACK is bit-identical on x86 and arm64 under LiteRT, where the answers were made; under
tflite-runtime 2.14 9 of 2016 chips were one step off. On the built-in kernels of any runtime rounding adds up over ten
layers, to 7 steps on golden chips and 11 on faces: those are refused."""
MAX_FLOAT = 1e-3
"""Of the outputs of float32 and float16 models: kernels were 5e-6 apart at logits up to 3."""
MAX_DYNAMIC_SHARE = 0.02
"""Of the range of a dynamic model's golden outputs: each chip is quantised anew, and kernels round that differently.
0.3 % was measured between XNNPACK and the built-in kernels."""


@dataclass(frozen=True, slots=True)
class Replay:
    """How the golden chips went.

    Attributes:
        chips: how many.
        worst: largest difference of an output, in quantisation steps (of float16, dynamic and float32 models as float).
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
        if math.isnan(self.worst):
            return f"does NOT answer as when it was made: {self.chips} golden chips, with values that are no numbers"
        verdict = "answers as when it was made" if self.passed else "does NOT answer as when it was made"
        return (
            f"{verdict}: {self.chips} golden chips, worst difference {self.worst:.4g} (limit {self.limit:.4g}), "
            f"{self.flipped} changed class"
        )


def replay(classifier: TfliteClassifier) -> Replay:
    """Run the golden chips through the production adapter and compare.

    Raises:
        PermanentError: the runtime cannot run the model at all.
    """
    golden = classifier.golden
    try:
        found = np.stack([classifier.raw(chip) for chip in golden.chips]).astype(np.float64)
    except (RuntimeError, ValueError) as error:
        raise PermanentError(
            f"the model {classifier.card.name} was loaded but cannot be run ({error}); the file is damaged: fetch or "
            "convert it again"
        ) from error
    expected = golden.outputs.astype(np.float64)
    flipped = int((found.argmax(1) != expected.argmax(1)).sum())
    worst = float(np.abs(found - expected).max())
    if golden.outputs.dtype != np.float32:
        return Replay(len(found), worst, MAX_STEPS, flipped)
    quantisation = classifier.card.quantisation
    if quantisation.mode == "int8-float-io":
        # its outputs are whole steps; in float32 they are so but for the last digit
        return Replay(len(found), round(worst / quantisation.output_scale, 3), MAX_STEPS, flipped)
    limit = MAX_DYNAMIC_SHARE * float(np.ptp(expected)) if quantisation.mode == "dynamic" else MAX_FLOAT
    return Replay(len(found), worst, limit, flipped)
