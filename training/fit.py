"""The training run, from data and recipe to a folded model with its report."""

import csv
import io
import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError, PermanentError
from training import artefacts, checkpoint, learner
from training.batches import batches, steps_per_epoch
from training.checkpoint import EpochRow, Identity, Progress
from training.data import load_data
from training.data.cache import sha256_of
from training.data.dataset import Dataset
from training.data.duplicates import duplicate_groups
from training.data.splits import Parts, divide
from training.files import write_whole
from training.journal import Journal
from training.learner import Weights
from training.metrics import negative_log_likelihood, softmax
from training.recipe import DataSettings, Recipe
from training.report import Report, write_report
from training.schedule import learning_rate, since_best
from training.soft_labels import SoftLabels, read

if TYPE_CHECKING:
    import keras

CHECKPOINT = "checkpoint.npz"
BEST = "best.npz"
"""Where earlier versions kept the best weights; the checkpoint holds them now."""

MODEL = artefacts.MODEL
HISTORY = artefacts.HISTORY
RECIPE = "recipe.json"

STATISTICS_BATCHES = 40
"""From which the normalisations' statistics of the averaged weights are estimated."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run.

    Attributes:
        recipe: what to do.
        data: path of the data.
        out: directory that everything is written to.
        cache: directory for what depends on the data alone.
        seed: of weights, order, augmentation and dropout.
        resume: go on from the checkpoint in `out`, if there is one.
        max_minutes: stop after that long, with a checkpoint; None for no limit.
    """

    recipe: Recipe
    data: Path
    out: Path
    cache: Path | None
    seed: int = 1
    resume: bool = False
    max_minutes: float | None = None


def fit(run: Run, clock: Callable[[], float] = time.monotonic) -> Report | None:
    """Train until the schedule's end, or until the time is up.

    Args:
        run: what to do, with what, where.
        clock: seconds, never going back.

    Returns:
        The report that was written, or None if the time was up first.

    Raises:
        ConfigError: `out` holds another run, or the recipe does not fit the data.
        PermanentError: the data cannot be read, or the loss is no longer finite.
    """
    source = prepare(run)
    return fit_parts(run, source.parts, source.sha256, clock)


def prepare(run: Run) -> "Source":
    """Read and divide the data of a run.

    Raises:
        ConfigError: `out` holds another run, or the recipe does not fit the data.
        PermanentError: the data cannot be read.
    """
    _check_out(run)
    return load(run.recipe.data, run.data, run.cache)


def fit_parts(run: Run, parts: Parts, digest: str, clock: Callable[[], float] = time.monotonic) -> Report | None:
    """As `fit`, on data that was divided already.

    Args:
        run: as for `fit`; its recipe's `data` is not used.
        parts: what to learn from, to select on and to report on.
        digest: tells these parts from others; a run is only continued on the same.
        clock: seconds, never going back.
    """
    _check_out(run)
    stored, recipe = run.out / CHECKPOINT, run.recipe
    per_epoch = steps_per_epoch(len(parts.train), recipe.optimiser.batch)
    if not per_epoch or not len(parts.holdout):
        raise ConfigError(
            f"{len(parts.train)} pictures to train on and {len(parts.holdout)} held out; expected at least one batch "
            f"of {recipe.optimiser.batch} and one held out: take more data, a smaller batch or a larger holdout_share"
        )
    soft_labels, soft_digest = _soft_labels(recipe, parts)
    resolved = msgspec.json.encode(recipe)
    initial = Path(recipe.initial.checkpoint) if recipe.initial else None
    initial_digest = sha256_of(initial) if initial and initial.is_file() else ""
    identity = Identity(msgspec.json.decode(resolved), run.seed, digest, soft_digest, initial_digest)
    run.out.mkdir(parents=True, exist_ok=True)
    write_whole(run.out / RECIPE, msgspec.json.format(resolved, indent=2))

    model = learner.build(recipe, len(parts.train.label_names), run.seed, parts.train.chips.shape[1:])
    progress, best = Progress(identity, 0, 0.0), None
    if stored.exists():
        progress, best = checkpoint.restore(stored, model, identity)
        if best is None and recipe.optimiser.keep == "best" and _evaluations(progress.history):
            best = learner.read_weights(run.out / BEST, model)
    elif initial:
        checkpoint.begin_with(initial, model)
    with Journal(run.out, recipe.optimiser.epochs, per_epoch, progress.step) as journal:
        journal.say(_summary(run, parts, model, per_epoch, progress))
        progress, best = _train(run, parts, soft_labels, model, progress, best, journal, clock)
        early = _stopped_early(recipe, progress.history)
        if early:
            journal.say(f"stopped after epoch {len(progress.history)}: the hold-out has not improved for long enough")
        elif progress.step < per_epoch * recipe.optimiser.epochs:
            journal.say(f"stopped after step {progress.step}: the time is up; go on with --resume")
            return None
        weights = _to_export(run, parts, model, best)
        plain, fold_error = learner.folded(recipe, model, parts.holdout.chips[:64], weights)
        artefacts.write_model(plain, run.out)
        report = write_report(run.out, identity, parts, plain, fold_error, progress)
        artefacts.write_evaluation(report, run.out)
        journal.say(f"{recipe.name}: {report.headline()}; wrote {run.out / MODEL}")
    return report


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A file or folder of pictures, read and divided.

    Attributes:
        dataset: all of it.
        parts: what to learn from, to select on and to report on.
        train_groups: int64 (len(parts.train),), equal for duplicates.
    """

    dataset: Dataset
    parts: Parts
    train_groups: NDArray[np.int64]

    @property
    def sha256(self) -> str:
        """Of the file or folder."""
        return self.dataset.sha256


def load(settings: DataSettings, data: Path, cache: Path | None) -> Source:
    """Read `data` as a recipe says.

    Raises:
        ConfigError: no such loader or split.
        PermanentError: the data cannot be read.
    """
    dataset = load_data(settings.loader, data, cache, settings.options)
    for split in (settings.train_split, settings.report_split):
        if split not in dataset.split_names():
            raise ConfigError(f"{data}: no split {split!r}; it has {', '.join(dataset.split_names())}")
    groups = duplicate_groups(dataset.chips, settings.duplicate_correlation, cache, dataset.key)
    parts = divide(dataset, groups, settings.train_split, settings.report_split, settings.holdout_share)
    return Source(dataset, parts, groups[np.isin(dataset.rows, parts.train.rows)])


def _check_out(run: Run) -> None:
    if (run.out / CHECKPOINT).exists() and not run.resume:
        raise ConfigError(f"{run.out} holds a run already; continue it with --resume or give another --out")


def _soft_labels(recipe: Recipe, parts: Parts) -> tuple[SoftLabels | None, str]:
    """The teacher's answers for the training part, and the SHA-256 of their file."""
    if recipe.soft_labels is None:
        return None, ""
    path = Path(recipe.soft_labels.path)
    return read(path, parts.train, recipe.augment), sha256_of(path)


def _evaluations(history: tuple[EpochRow, ...]) -> list[float]:
    return [row.holdout_nll for row in history if row.holdout_nll is not None]


def _stopped_early(recipe: Recipe, history: tuple[EpochRow, ...]) -> bool:
    patience = recipe.optimiser.stop_patience
    return bool(patience) and since_best(_evaluations(history)) >= patience


def _train(
    run: Run,
    parts: Parts,
    soft_labels: SoftLabels | None,
    model: "keras.Model",
    progress: Progress,
    best: Weights | None,
    journal: Journal,
    clock: Callable[[], float],
) -> tuple[Progress, Weights | None]:
    recipe, stored = run.recipe, run.out / CHECKPOINT
    per_epoch = steps_per_epoch(len(parts.train), recipe.optimiser.batch)
    started = epoch_started = clock()
    limit_s = float("inf") if run.max_minutes is None else run.max_minutes * 60
    step, history = progress.step, progress.history
    loss_sum, accuracy_sum = progress.loss_sum, progress.accuracy_sum
    if _stopped_early(recipe, history):
        return progress, best
    for chips, targets, weights in batches(parts.train, recipe, run.seed, progress.step, soft_labels):
        rate = learning_rate(recipe.optimiser, step, per_epoch, _evaluations(history))
        model.optimizer.learning_rate = rate
        model.reset_metrics()  # so that the results are this batch's
        learner.seed_dropouts(run.seed, step)
        results = model.train_on_batch(chips, targets, weights, return_dict=True)
        step += 1
        loss_sum += float(results["loss"])
        accuracy_sum += float(results["accuracy"])
        if not math.isfinite(loss_sum):
            raise PermanentError(
                f"the loss is not finite after step {step}; expected a finite number: lower optimiser.learning_rate"
            )
        done = (step - 1) % per_epoch + 1
        journal.step(step, loss_sum / done)
        ended = done == per_epoch
        if ended:
            means = loss_sum / per_epoch, accuracy_sum / per_epoch
            row = EpochRow(step // per_epoch, step, rate, *means, clock() - epoch_started)
            if row.epoch % recipe.evaluate_every == 0 or row.epoch == recipe.optimiser.epochs:
                row, best = _evaluated(row, run, model, parts, min(_evaluations(history), default=math.inf), best)
            history = (*history, row)
            journal.epoch(row)
            loss_sum = accuracy_sum = 0.0
            epoch_started = clock()
        elapsed = clock() - started
        if ended or elapsed > limit_s:
            progress = Progress(progress.identity, step, progress.seconds + elapsed, history, loss_sum, accuracy_sum)
            started, limit_s = started + elapsed, limit_s - elapsed
            checkpoint.save(stored, model, progress, best)
            write_whole(run.out / HISTORY, _history_csv(history).encode())
        if limit_s < 0 or (ended and _stopped_early(recipe, history)):
            break
    return progress, best


def _for_statistics(run: Run, parts: Parts) -> Iterator[NDArray[np.float32]]:
    first_views = batches(parts.train, run.recipe, run.seed, first_step=0)
    return (chips for chips, *_ in itertools.islice(first_views, STATISTICS_BATCHES))


def _evaluated(
    row: EpochRow, run: Run, model: "keras.Model", parts: Parts, least_nll: float, best: Weights | None
) -> tuple[EpochRow, Weights | None]:
    """The row with the hold-out's figures, and the best weights so far (None unless the recipe keeps them)."""
    with learner.averaged(model, _for_statistics(run, parts)):
        logits = learner.logits_of(model, parts.holdout.chips)
        weights = learner.weights_of(model) if run.recipe.optimiser.keep == "best" else None
    probabilities = softmax(logits)
    nll = negative_log_likelihood(probabilities, parts.holdout.labels)
    accuracy = float((probabilities.argmax(axis=1) == parts.holdout.labels).mean())
    row = msgspec.structs.replace(row, holdout_accuracy=accuracy, holdout_nll=nll)
    return row, weights if nll < least_nll else best


def _to_export(run: Run, parts: Parts, model: "keras.Model", best: Weights | None) -> Weights:
    if run.recipe.optimiser.keep == "best":
        if best is None:
            raise PermanentError(
                "no evaluation of this run has a finite negative log-likelihood on the hold-out, so none is the best; "
                'expected one at least: lower optimiser.learning_rate, or take optimiser.keep = "last"'
            )
        return best
    with learner.averaged(model, _for_statistics(run, parts)):
        return learner.weights_of(model)


def _summary(run: Run, parts: Parts, model: "keras.Model", per_epoch: int, progress: Progress) -> str:
    begin = f"from step {progress.step}" if progress.step else "from the start"
    return (
        f"{run.recipe.name}, seed {run.seed}, {begin}: {len(parts.train)} pictures to train on, "
        f"{len(parts.holdout)} held out, {len(parts.report)} to report on, {len(parts.blank_rows)} blank left out; "
        f"{run.recipe.optimiser.epochs} epochs of {per_epoch} steps; {model.count_params()} parameters unfolded"
    )


def _history_csv(history: tuple[EpochRow, ...]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EpochRow.__struct_fields__)
    writer.writerows(msgspec.structs.astuple(row) for row in history)
    return text.getvalue()
