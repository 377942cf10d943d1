"""Soft labels from teachers that never saw the pictures they answer for.

The pictures to learn from are dealt into folds, duplicates together. For each fold a teacher is trained on all the
others and asked about this one, in the very views that a student will see (Beyer et al. 2022, "Knowledge distillation:
A good teacher is patient and consistent"). A teacher's memory of its own training pictures thus never becomes a label.
"""

import dataclasses
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError
from training import artefacts
from training.data.dataset import Dataset
from training.data.splits import folds
from training.fit import Run, fit_parts, load
from training.metrics import negative_log_likelihood
from training.predictors import load_predictor
from training.recipe import Recipe
from training.soft_labels import ask, write

SOFT_LABELS = "soft_labels.npz"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is to be taught, by whom.

    Attributes:
        run: of the teachers: recipe, data, seed, limits; each goes into its own folder in `run.out`, and goes on from
            its checkpoint there if there is one.
        student: whose data and views the answers are for.
        folds: parts that the pictures are dealt into, and teachers.
        views: of each picture; the student sees them in turn, one an epoch.
    """

    run: Run
    student: Recipe
    folds: int = 5
    views: int = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """How good the answers are.

    Attributes:
        path: of the file.
        pictures: answered for.
        accuracy: of the answers to the first view, by the pictures' own labels.
        nll: likewise, negative log-likelihood in nats.
    """

    path: Path
    pictures: int
    accuracy: float
    nll: float


def teach(lesson: Lesson, clock: Callable[[], float] = time.monotonic) -> Outcome | None:
    """Train the teachers one after the other, and keep their answers in `SOFT_LABELS` in the lesson's folder.

    Returns:
        How good the answers are, or None if the time was up first.

    Raises:
        ConfigError: fewer than two folds, no view, or what `fit` raises it for.
        PermanentError: as `fit`.
    """
    if lesson.folds < 2 or lesson.views < 1:
        raise ConfigError(f"{lesson.folds} folds and {lesson.views} views; expected at least two folds and one view")
    run, student = lesson.run, lesson.student
    source = load(student.data, run.data, run.cache)
    train = source.parts.train
    fold_of = folds(source.train_groups, train.rows, lesson.folds)
    answers = np.empty((lesson.views, len(train), len(train.label_names)), np.float16)
    end_s = None if run.max_minutes is None else clock() + 60 * run.max_minutes
    for fold in range(lesson.folds):
        mine = fold_of == fold
        left = None if end_s is None else max(0.0, (end_s - clock()) / 60)
        one = dataclasses.replace(run, out=run.out / f"fold-{fold}", resume=True, max_minutes=left)
        parts = dataclasses.replace(source.parts, train=train.take(~mine), holdout=train.take(mine))
        if fit_parts(one, parts, f"{_digest(lesson, source.sha256)}, fold {fold} of {lesson.folds}", clock) is None:
            return None
        teacher = load_predictor(one.out / artefacts.MODEL).ordered(train.label_names)
        answers[:, mine] = ask(parts.holdout, teacher.probabilities, student.augment, run.seed, lesson.views)
    path = run.out / SOFT_LABELS
    write(path, train, answers, student.augment, run.seed)
    return _outcome(path, train, answers)


def _digest(lesson: Lesson, sha256: str) -> str:
    """Tells the data of one lesson from another's: the folds follow from how the student reads and divides them."""
    data = lesson.student.data
    if data == lesson.run.recipe.data:
        return sha256  # the teachers' recipe, which a run is known by, says the rest
    return f"{sha256}, read as {hashlib.sha256(msgspec.json.encode(data, order='sorted')).hexdigest()}"


def _outcome(path: Path, train: Dataset, answers: NDArray[np.float16]) -> Outcome:
    first = answers[0].astype(np.float64)
    accuracy = float((first.argmax(axis=1) == train.labels).mean())
    return Outcome(path, len(train), accuracy, negative_log_likelihood(first, train.labels))
