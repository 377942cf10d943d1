"""How good are these probabilities? The figures every report quotes, and the temperature that calibrates them."""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Labels = NDArray[np.int64]

_SMALLEST = 1e-12  # keeps the logarithm finite where an int8 model says exactly 0


class ClassScores(msgspec.Struct, frozen=True):
    """One class: precision, recall and F1 in [0, 1]; support = pictures that truly are of it."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


class Scores(msgspec.Struct, frozen=True):
    """Figures over n pictures.

    Attributes:
        n: pictures.
        accuracy: share named rightly.
        accuracy_interval: Wilson's 95 % interval of it.
        macro_f1: unweighted mean of the classes' F1.
        nll: mean negative log-likelihood of the truth, in nats.
        ece: expected calibration error, 15 equally wide bins of confidence (Guo et al. 2017).
        per_class: in the order of the labels.
        confusion: [truth][named] counts.
    """

    n: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    nll: float
    ece: float
    per_class: tuple[ClassScores, ...]
    confusion: tuple[tuple[int, ...], ...]


def score(probabilities: Floats, labels: Labels, label_names: tuple[str, ...]) -> Scores:
    """All figures at once.

    Args:
        probabilities: (N, C), each row sums to 1; N > 0.
        labels: int64 (N,), the truth.
        label_names: C names.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support  # noqa: PLC0415

    named = probabilities.argmax(axis=1)
    classes = np.arange(len(label_names))
    table = precision_recall_fscore_support(labels, named, labels=classes, zero_division=0)
    right = int((named == labels).sum())
    return Scores(
        n=len(labels),
        accuracy=right / len(labels),
        accuracy_interval=wilson_interval(right, len(labels)),
        macro_f1=float(table[2].mean()),
        nll=negative_log_likelihood(probabilities, labels),
        ece=expected_calibration_error(probabilities, labels),
        per_class=tuple(
            ClassScores(name, float(precision), float(recall), float(f1), int(support))
            for name, precision, recall, f1, support in zip(label_names, *table, strict=True)
        ),
        confusion=tuple(tuple(row) for row in confusion_matrix(labels, named, labels=classes).tolist()),
    )


def wilson_interval(right: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval for `right` of `n` (Wilson 1927); `z` for 95 %."""
    share, z2 = right / n, z * z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def negative_log_likelihood(probabilities: Floats, labels: Labels) -> float:
    """Mean over the pictures, in nats."""
    truth = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(truth, _SMALLEST)).mean())


def expected_calibration_error(probabilities: Floats, labels: Labels, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equally wide bins of confidence, weighted by their pictures."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gap = np.bincount(bin_of, weights=right - confidence.astype(np.float64), minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def softmax(logits: Floats, temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities (N, C) of logits (N, C) divided by `temperature`."""
    scaled = logits.astype(np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """The temperature in 0.05..20 of the least negative log-likelihood (Guo et al. 2017).

    The likelihood has one maximum in 1/T, so golden-section search over log T finds it.
    """
    low, high = math.log(0.05), math.log(20.0)
    golden = (math.sqrt(5) - 1) / 2

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(softmax(logits, math.exp(log_temperature)), labels)

    left, right = high - golden * (high - low), low + golden * (high - low)
    loss_left, loss_right = loss(left), loss(right)
    while high - low > 1e-4:
        if loss_left < loss_right:
            high, right, loss_right = right, left, loss_left
            left = high - golden * (high - low)
            loss_left = loss(left)
        else:
            low, left, loss_left = left, right, loss_right
            right = low + golden * (high - low)
            loss_right = loss(right)
    return math.exp((low + high) / 2)


def paired_difference(
    one: NDArray[np.bool_], other: NDArray[np.bool_], z: float = 1.959964
) -> tuple[float, tuple[float, float]]:
    """Difference of two accuracies on the same pictures, `one` less `other`, with its 95 % interval.

    The variance is that of a paired difference of shares (Agresti, "Categorical Data Analysis", 2013, section 11.1.1).

    Args:
        one: bool (N,), which pictures the first names rightly.
        other: bool (N,), likewise.
        z: for 95 %.
    """
    n = len(one)
    gain, loss = int((one & ~other).sum()), int((other & ~one).sum())
    difference = (gain - loss) / n
    reach = z * math.sqrt(max(0.0, gain + loss - (gain - loss) ** 2 / n)) / n
    return difference, (difference - reach, difference + reach)
