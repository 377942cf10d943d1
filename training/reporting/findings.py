"""Measures everything that a report says about a model: the headline, and what it hides."""

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.data.dataset import blank
from training.data.duplicates import duplicate_groups
from training.evaluate import Answers, Evaluation, Material, judge
from training.metrics import Scores, score
from training.reporting import analysis, ferplus
from training.robustness import Degraded, measure_robustness

DUPLICATE_CORRELATION = 0.985  # as recipes divide the data
MISTAKES = 40
FER2013_LOADERS = ("fer2013-csv", "icml-csv")
"""Loaders of the very file that FER+'s votes count the rows of."""


class Unseen(msgspec.Struct, frozen=True):
    """How the report's pictures relate to those learnt from.

    Attributes:
        learnt_from: splits that count as learnt from.
        correlation: pictures more alike than this are the same.
        seen: pictures of the report that occur there too.
    """

    learnt_from: tuple[str, ...]
    correlation: float
    seen: int


class ModelReport(msgspec.Struct, frozen=True):
    """All figures of a report.

    Attributes:
        evaluation: model, data and headline.
        views: scores by how they were got: `single` view, averaged with the mirror image (`flip`), and both without
            the pictures that occur in what was learnt from (`single_unseen`, `flip_unseen`; absent where every picture
            does).
        unseen: what that means here; None where the data have no other split.
        shares: true against named.
        rankings: ROC and precision–recall of each class.
        reliability: accuracy by confidence.
        coverage: accuracy by share of pictures answered.
        cuts: likewise, at thresholds of confidence.
        ferplus: agreement with FER+'s taggers; None without their votes.
        robustness: accuracy on spoilt pictures.
        mistakes: the surest.
    """

    evaluation: Evaluation
    views: dict[str, Scores]
    unseen: Unseen | None
    shares: tuple[analysis.ClassShare, ...]
    rankings: tuple[analysis.Ranking, ...]
    reliability: tuple[analysis.Bin, ...]
    coverage: analysis.Curve
    cuts: tuple[analysis.Cut, ...]
    ferplus: ferplus.Agreement | None
    robustness: tuple[Degraded, ...]
    mistakes: tuple[analysis.Mistake, ...]


def findings(answers: Answers, train_split: str = "Training", cache: Path | None = None) -> ModelReport:
    """Measure everything.

    Args:
        answers: of the model, the mirrored pictures asked about as well.
        train_split: what the model learnt from; all other splits where the data have none of that name.
        cache: directory for which pictures are alike.

    Raises:
        PermanentError: the votes beside the data are of other data.
    """
    part, probabilities = answers.material.part, answers.probabilities
    mistakes = analysis.worst_mistakes(probabilities, part, MISTAKES)
    known, unseen = _unseen(answers.material, train_split, cache)
    # other files may lie in that folder, too
    votes = ferplus.votes_beside(answers.material.path) if answers.material.loader in FER2013_LOADERS else None
    return ModelReport(
        evaluation=judge(answers),
        views=_views(answers, known),
        unseen=unseen,
        shares=analysis.class_shares(probabilities, part.labels, part.label_names),
        rankings=analysis.rankings(probabilities, part.labels, part.label_names),
        reliability=analysis.reliability(probabilities, part.labels),
        coverage=analysis.coverage_curve(probabilities, part.labels),
        cuts=analysis.cuts(probabilities, part.labels),
        ferplus=ferplus.agreement(votes, part, probabilities.argmax(axis=1)) if votes else None,
        robustness=measure_robustness(answers.asked(), part, probabilities),
        mistakes=mistakes,
    )


def _unseen(material: Material, train_split: str, cache: Path | None) -> tuple[NDArray[np.bool_], Unseen | None]:
    """Which pictures of the part do not occur in what was learnt from: bool (N,)."""
    splits = material.dataset.split_names()
    learnt_from = (train_split,) if train_split in splits else tuple(name for name in splits if name != material.split)
    if material.split in learnt_from or not learnt_from:
        return np.ones(len(material.part), np.bool_), None
    dataset = material.dataset
    groups = duplicate_groups(dataset.chips, DUPLICATE_CORRELATION, cache, dataset.key)
    # blank pictures are not learnt from
    learnt = np.isin(dataset.splits, learnt_from) & ~blank(dataset.chips)
    unseen = ~np.isin(groups[material.dataset.splits == material.split], groups[learnt])
    return unseen, Unseen(learnt_from, DUPLICATE_CORRELATION, int((~unseen).sum()))


def _views(answers: Answers, unseen: NDArray[np.bool_]) -> dict[str, Scores]:
    part = answers.material.part
    views = {}
    for name, probabilities in (("single", answers.single), ("flip", answers.averaged)):
        views[name] = score(probabilities, part.labels, part.label_names)
        if unseen.any():
            views[f"{name}_unseen"] = score(probabilities[unseen], part.labels[unseen], part.label_names)
    return views
