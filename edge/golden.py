"""Replays the chips a model carries: the proof that this file answers here as it did where it was made."""

from dataclasses import dataclass

import numpy as np

from edge.classifier import TfliteClassifier
from edge.errors import PermanentError

MAX_STEPS = 1
"""On LiteRT, where the answers were made: XNNPACK is bit-identical on x86 and arm64."""
MAX_STEPS_ELSEWHERE = 8
"""tflite-runtime 2.14 runs int8 on TFLite's built-in kernels, whose rounding adds up over ten layers:
4 of 256 steps were measured. Damaged weights were 19 off."""
MAX_FLOAT = 1e-3
"""Of the outputs of float32 and float16 models: kernels were 5e-6 apart at logits up to 3."""
MAX_DYNAMIC_SHARE = 0.02
"""Of the range of a dynamic model's golden outputs: each chip is quantised anew, and kernels round that differently.
0.3 % was measured between XNNPACK and the built-in kernels; 8 of 256 steps, as above, are 3 %."""


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
    steps = MAX_STEPS if classifier.runtime.startswith("ai-edge-litert") else MAX_STEPS_ELSEWHERE
    if golden.outputs.dtype != np.float32:
        return Replay(len(found), worst, steps, flipped)
    quantisation = classifier.card.quantisation
    if quantisation.mode == "int8-float-io":
        # its outputs are whole steps; in float32 they are so but for the last digit
        return Replay(len(found), round(worst / quantisation.output_scale, 3), steps, flipped)
    limit = MAX_DYNAMIC_SHARE * float(np.ptp(expected)) if quantisation.mode == "dynamic" else MAX_FLOAT
    return Replay(len(found), worst, limit, flipped)
