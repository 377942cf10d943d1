"""What a report says beyond the headline: how well classes are ranked, when to trust an answer, what is over-named."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Dataset
from training.metrics import Labels

Floats = NDArray[np.floating]

RELIABILITY_BINS = 15
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class Curve(msgspec.Struct, frozen=True):
    """Points of a line, from left to right."""

    x: tuple[float, ...]
    y: tuple[float, ...]


class Ranking(msgspec.Struct, frozen=True):
    """How well one class's probability tells its pictures from all others.

    Attributes:
        label: of the class.
        share: of the pictures, that truly are of it.
        roc_auc: area under `roc`; 0.5 by chance.
        average_precision: summary of `precision_recall`; `share` by chance.
        roc: false alarms (x) against hits (y), as shares.
        precision_recall: recall (x) against precision (y).
    """

    label: str
    share: float
    roc_auc: float
    average_precision: float
    roc: Curve
    precision_recall: Curve


class Bin(msgspec.Struct, frozen=True):
    """Answers of about the same confidence.

    Attributes:
        low: least confidence.
        high: greatest confidence.
        count: answers.
        confidence: their mean.
        accuracy: share of them that is right.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


class Cut(msgspec.Struct, frozen=True):
    """What holds if only answers of at least this confidence are given.

    Attributes:
        threshold: least confidence.
        coverage: share of the pictures that get an answer.
        accuracy: share of these answers that is right.
    """

    threshold: float
    coverage: float
    accuracy: float


class ClassShare(msgspec.Struct, frozen=True):
    """Whether a class is named too often.

    Attributes:
        label: of the class.
        true: share of the pictures that truly are of it.
        named: share that is named so.
        expected: its mean probability.
    """

    label: str
    true: float
    named: float
    expected: float


class Mistake(msgspec.Struct, frozen=True):
    """One picture that was named wrongly.

    Attributes:
        picture: its file or row in the source.
        row: of the picture in its source.
        truth: its label there.
        named: by the model.
        confidence: probability of what was named.
        truth_probability: of the label.
    """

    picture: str
    row: int
    truth: str
    named: str
    confidence: float
    truth_probability: float


def rankings(probabilities: Floats, labels: Labels, label_names: tuple[str, ...]) -> tuple[Ranking, ...]:
    """One against the rest, for each class that some but not all pictures are of."""
    from sklearn.metrics import (  # noqa: PLC0415
        average_precision_score,
        precision_recall_curve,
        roc_auc_score,
        roc_curve,
    )

    results = []
    for index, label in enumerate(label_names):
        truth, scores = labels == index, probabilities[:, index]
        if truth.all() or not truth.any():
            continue
        false_alarms, hits, _ = roc_curve(truth, scores)
        precision, recall, _ = precision_recall_curve(truth, scores)
        results.append(
            Ranking(
                label,
                float(truth.mean()),
                float(roc_auc_score(truth, scores)),
                float(average_precision_score(truth, scores)),
                _curve(false_alarms, hits),
                _curve(recall[::-1], precision[::-1]),
            )
        )
    return tuple(results)


def _curve(x: Floats, y: Floats, points: int = 250) -> Curve:
    """About `points` of them, evenly along the line: more are not seen, and make the file long."""
    along = np.concatenate([[0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    chosen = np.unique(np.searchsorted(along, np.linspace(0, along[-1], points)).clip(0, len(x) - 1))
    return Curve(tuple(np.round(x[chosen], 5).tolist()), tuple(np.round(y[chosen], 5).tolist()))


def reliability(probabilities: Floats, labels: Labels, bins: int = RELIABILITY_BINS) -> tuple[Bin, ...]:
    """Equally wide bins of confidence, those of the calibration error; empty ones are left out."""
    confidence, right = _sure_and_right(probabilities, labels)
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    results = []
    for index in np.unique(bin_of).tolist():
        members = bin_of == index
        results.append(
            Bin(
                index / bins,
                (index + 1) / bins,
                int(members.sum()),
                float(confidence[members].mean()),
                float(right[members].mean()),
            )
        )
    return tuple(results)


def coverage_curve(probabilities: Floats, labels: Labels) -> Curve:
    """Share of the pictures that get an answer (x) against the accuracy of these answers (y), surest first."""
    confidence, right = _sure_and_right(probabilities, labels)
    surest = np.argsort(-confidence, kind="stable")
    count = np.arange(1, len(right) + 1)
    return _curve(count / len(right), right[surest].cumsum() / count)


def cuts(probabilities: Floats, labels: Labels, thresholds: tuple[float, ...] = THRESHOLDS) -> tuple[Cut, ...]:
    """Coverage and accuracy at each threshold that any answer reaches."""
    confidence, right = _sure_and_right(probabilities, labels)
    results = []
    for threshold in thresholds:
        given = confidence >= threshold
        if given.any():
            results.append(Cut(threshold, float(given.mean()), float(right[given].mean())))
    return tuple(results)


def class_shares(probabilities: Floats, labels: Labels, label_names: tuple[str, ...]) -> tuple[ClassShare, ...]:
    """For each class, how often it is, is named, and is expected."""
    count = len(label_names)
    true, named = (np.bincount(each, minlength=count) / len(labels) for each in (labels, probabilities.argmax(axis=1)))
    return tuple(
        ClassShare(*each)
        for each in zip(label_names, true.tolist(), named.tolist(), probabilities.mean(axis=0).tolist(), strict=True)
    )


def worst_mistakes(probabilities: Floats, part: Dataset, most: int) -> tuple[Mistake, ...]:
    """The wrong answers that were given most surely, the surest first."""
    labels, label_names = part.labels, part.label_names
    named = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(named != labels)
    return tuple(
        Mistake(
            part.name_of(at),
            int(part.rows[at]),
            label_names[labels[at]],
            label_names[named[at]],
            float(confidence[at]),
            float(probabilities[at, labels[at]]),
        )
        for at in wrong[np.argsort(-confidence[wrong], kind="stable")][:most].tolist()
    )


def _sure_and_right(probabilities: Floats, labels: Labels) -> tuple[Floats, NDArray[np.bool_]]:
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
