"""Whether a converted file is as good as it should be, measured on pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from convert.finding import Finding, close
from edge.contract.card import ModelCard
from edge.errors import ConfigError, PermanentError
from training.compare import RESAMPLES, SEED, Comparison, Difference, mcnemar, weigh
from training.evaluate import Answers
from training.metrics import Scores, score

MIN_AGREEMENT = 0.9
"""Share of pictures that both name alike. Quantising the shipped model changes 1.5 % of its answers: a file that
changes a tenth, however many of them rightly, is another model."""

MAX_MOVED = 0.03
"""Probability that goes from one class to another, mean over the pictures (total variation). Quantising a model moves
0.011 to 0.014; two models calibrated on noise moved 0.02 to 0.07, though their accuracy hardly fell."""

MAX_ECE_RISE = 0.02
"""Of the expected calibration error; quantising a model changes 0.0005 to 0.005."""

LEAST_SPREAD = 0.1
"""Between the 5 % least and the 5 % greatest probabilities of the class where they lie farthest apart: less is nearly
the same answer to all pictures. The shipped model has 0.9."""

ROUNDING = 0.5e-4
"""Of the figures on a card, which have four places; plus what floating point adds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be lost, in points (hundredths).

    Attributes:
        accuracy_drop: of the accuracy, as measured.
        recall_drop: of a class's recall and of macro-F1, as far as it is sure: lower end of the 95 % interval.
    """

    accuracy_drop: float = 0.5
    recall_drop: float = 1.0


class RecallDrop(msgspec.Struct, frozen=True):
    """One class, the float model against the file.

    Attributes:
        label: its name.
        pictures: that truly are of it.
        before: recall of the float model.
        after: recall of the file.
        drop: before - after.
        interval: 95 % bootstrap interval of the drop, the class's pictures resampled.
        p_value: McNemar's exact test, two-sided.
    """

    label: str
    pictures: int
    before: float
    after: float
    drop: float
    interval: tuple[float, float]
    p_value: float


def scores_of(answers: Answers) -> Scores:
    """The figures of these answers.

    Raises:
        PermanentError: some are not numbers.
    """
    broken = int((~np.isfinite(answers.probabilities)).any(axis=1).sum())
    if broken:
        raise PermanentError(
            f"{answers.name} answers {broken} of {len(answers.probabilities)} pictures with NaN, expected "
            "probabilities; its weights are broken, train or convert it again"
        )
    part = answers.material.part
    return score(answers.probabilities, part.labels, part.label_names)


def check_spread(answers: Answers) -> Finding:
    """Whether the answers depend on the pictures."""
    low, high = np.quantile(answers.probabilities, (0.05, 0.95), axis=0)
    spread = float((high - low).max())
    shares = np.bincount(answers.probabilities.argmax(axis=1)) / len(answers.probabilities)
    name = answers.material.part.label_names[int(shares.argmax())]
    return Finding(
        "answers differ",
        spread >= LEAST_SPREAD,
        f"probabilities {spread:.2f} apart, {shares.max():.0%} of the pictures named {name}",
        f"at least {LEAST_SPREAD:g} apart: not nearly the same answer to all pictures",
    )


def check_card(found: Scores, card: ModelCard, split: str, data_sha256: str) -> Iterator[Finding]:
    """Whether the file measures as its card says.

    Raises:
        ConfigError: the card has no figures of this split, or they are of other data.
        PermanentError: they are not as `python -m convert quantize` writes them.
    """
    if not has_figures(card, split, data_sha256):
        known = ", ".join(card.figures) or "no split"
        raise ConfigError(
            f"the card has figures of {known} of data with SHA-256 {card.data.get('sha256')}, asked for was {split} of "
            f"data with {data_sha256}; give those data, or the float model with --against"
        )
    said = card.figures[split].get(card.quantisation.mode, {})
    reason = f" ± 0.00005, the card's figure on {split}"
    try:
        for name in ("accuracy", "macro_f1", "ece"):
            what = f"{name.replace('_', '-')} by the card"
            yield close(what, getattr(found, name), float(said[name]), ROUNDING + 1e-9, reason)
        gaps = {each.label: (each.recall, float(said["recall"][each.label])) for each in found.per_class}
    except (KeyError, TypeError, ValueError) as error:
        raise PermanentError(
            f"the card's figures of {split} are not complete ({error}); make the file again with "
            "`python -m convert quantize`"
        ) from error
    worst = max(gaps, key=lambda label: abs(gaps[label][0] - gaps[label][1]))
    yield close(f"recall by the card, farthest off: {worst}", *gaps[worst], ROUNDING + 1e-9, reason)


def has_figures(card: ModelCard, split: str, data_sha256: str) -> bool:
    """Whether the card says how the file did on these pictures."""
    return split in card.figures and card.data.get("sha256") == data_sha256


def check_against(
    before: Answers, after: Answers, scores: tuple[Scores, Scores], limits: Limits
) -> tuple[Comparison, tuple[RecallDrop, ...], list[Finding]]:
    """Hold the file's answers against those of the float model, picture by picture.

    Args:
        before: of the float model.
        after: of the file, about the same pictures.
        scores: of both.
        limits: how much may be lost.

    Raises:
        ConfigError: a class has no picture.
    """
    comparison: Comparison = weigh(before, after)
    drops = recall_drops(before, after)
    findings = [
        Finding(
            "agreement",
            comparison.agreement >= MIN_AGREEMENT,
            f"{comparison.agreement:.2%} of {comparison.n} pictures named as the float model does",
            f"at least {MIN_AGREEMENT:.0%}",
        ),
        _moved(before, after),
        _accuracy(comparison, scores[1], limits),
        _macro_f1(comparison.macro_f1, limits),
        *(_recall(each, limits) for each in drops),
        _ece(*scores),
    ]
    return comparison, drops, findings


def recall_drops(before: Answers, after: Answers) -> tuple[RecallDrop, ...]:
    """What each class lost.

    Raises:
        ConfigError: a class has no picture.
    """
    part = before.material.part
    right = [answers.probabilities.argmax(axis=1) == part.labels for answers in (before, after)]
    random = np.random.default_rng(SEED)
    drops = []
    for number, label in enumerate(part.label_names):
        truly = part.labels == number
        if not truly.any():
            raise ConfigError(
                f"{before.material.path}: the split {before.material.split!r} has no picture of {label}, so that its "
                "recall cannot be compared; give a split with all classes"
            )
        drops.append(_drop(label, right[0][truly], right[1][truly], random))
    return tuple(drops)


def _drop(label: str, before: NDArray[Any], after: NDArray[Any], random: np.random.Generator) -> RecallDrop:
    """Drawing the counts of lost, gained and kept pictures is the same as drawing pictures, and cheaper."""
    n, lost, gained = len(before), int((before & ~after).sum()), int((after & ~before).sum())
    drawn = random.multinomial(n, np.array([lost, gained, n - lost - gained]) / n, RESAMPLES)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / n, (0.025, 0.975)).tolist()
    one, other = float(before.mean()), float(after.mean())
    return RecallDrop(label, n, one, other, (lost - gained) / n, (low, high), mcnemar(lost, gained))


def _moved(before: Answers, after: Answers) -> Finding:
    moved = float(np.abs(after.probabilities - before.probabilities).sum(axis=1).mean() / 2)
    limit = f"at most {MAX_MOVED:g}: the same confidence, not only the same names"
    return Finding("probabilities", moved <= MAX_MOVED, f"{moved:.4f} of them moved to another class", limit)


def _accuracy(comparison: Comparison, scores: Scores, limits: Limits) -> Finding:
    low, high = scores.accuracy_interval
    return Finding(
        "accuracy",
        -comparison.accuracy.difference * 100 <= limits.accuracy_drop + 1e-9,
        f"{scores.accuracy:.4f} (95 % interval {low:.4f} to {high:.4f}), {_change(comparison.accuracy)}, "
        f"{comparison.only_a} pictures lost and {comparison.only_b} gained, p = {comparison.p_value:.2g} (McNemar)",
        f"a drop of at most {limits.accuracy_drop:g} points",
    )


def _macro_f1(difference: Difference, limits: Limits) -> Finding:
    passed = -difference.interval[1] * 100 <= limits.recall_drop
    return Finding("macro-F1", passed, f"{difference.b:.4f}, {_change(difference)}", _sure(limits))


def _recall(drop: RecallDrop, limits: Limits) -> Finding:
    low, high = drop.interval
    change = Difference(drop.before, drop.after, -drop.drop, (-high, -low))
    return Finding(
        f"recall of {drop.label}",
        low * 100 <= limits.recall_drop,
        f"{drop.after:.4f} of {drop.pictures} pictures, {_change(change)}, p = {drop.p_value:.2g} (McNemar)",
        _sure(limits),
    )


def _ece(before: Scores, after: Scores) -> Finding:
    found = f"{after.ece:.4f}, float {before.ece:.4f}"
    return Finding("ECE", after.ece - before.ece <= MAX_ECE_RISE, found, f"a rise of at most {MAX_ECE_RISE:g}")


def _change(difference: Difference) -> str:
    # a sum with 0 is never -0
    points, low, high = (value * 100 + 0.0 for value in (difference.difference, *difference.interval))
    return f"float {difference.a:.4f}: {points:+.2f} points (95 % interval {low:+.2f} to {high:+.2f})"


def _sure(limits: Limits) -> str:
    return f"no drop that is more than {limits.recall_drop:g} points for sure (95 % interval)"
