"""Shows that a .tflite is what its card says, and still answers as when it was made."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from convert.inspection import facts, problems
from edge.classifier import TfliteClassifier
from edge.contract.card import read_model
from edge.golden import replay


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    passed: bool
    found: str


def verify(path: Path) -> list[Finding]:
    """Everything that can be checked without data.

    Raises:
        PermanentError: it cannot even be loaded, or contradicts its card.
    """
    found = facts(read_model(path), path.name)
    wrong = problems(found)
    ops = ", ".join(f"{count} {name}" for name, count in sorted(Counter(found.ops).items()))
    classifier = TfliteClassifier(path)
    golden = replay(classifier)
    return [
        Finding("quantisation", not wrong, "; ".join(wrong) or f"int8 in and out; {ops}"),
        Finding("card", True, f"{classifier.card.name}, {', '.join(classifier.labels)}; agrees with the tensors"),
        Finding(f"golden chips ({classifier.runtime})", golden.passed, golden.text()),
    ]
