"""How long one chip takes: all files in turn in one process, so that the figures compare."""

import time
from collections.abc import Mapping

import numpy as np

from edge.classifier import TfliteClassifier

ROUNDS, CALLS = 40, 10


def timed(classifiers: Mapping[str, TfliteClassifier], rounds: int = ROUNDS, calls: int = CALLS) -> dict[str, float]:
    """Milliseconds of one invoke of each, the median over rounds in which all take turns."""
    spent: dict[str, list[float]] = {name: [] for name in classifiers}
    for _ in range(rounds):
        for name, classifier in classifiers.items():
            start_ns = time.perf_counter_ns()
            for _ in range(calls):
                classifier.invoke()
            spent[name].append((time.perf_counter_ns() - start_ns) / calls / 1e6)
    return {name: float(np.median(values)) for name, values in spent.items()}
