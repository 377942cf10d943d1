"""Which pictures a step sees, and how they look: a function of seed and step alone."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.augment import augment
from training.data.dataset import Dataset
from training.randomness import bits
from training.recipe import Recipe
from training.soft_labels import SoftLabels

_ORDER_STREAM = 2
_MIXUP_STREAM = 3

_COPY = 1 << 32
"""Added to the row of a picture's second view in one epoch, so that it looks different."""

Batch = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32] | None]


def steps_per_epoch(count: int, batch: int) -> int:
    """Whole batches in `count` pictures; the rest of a pass is left out, others each time."""
    return count // batch


def epoch_order(rows: NDArray[np.int64], epoch: int, seed: int) -> NDArray[np.int64]:
    """A permutation of the positions in `rows` (N,), another one each epoch."""
    return np.argsort(bits(seed, rows, epoch, 1, _ORDER_STREAM)[:, 0], kind="stable")


def balanced_order(
    rows: NDArray[np.int64], labels: NDArray[np.int64], epoch: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions in `rows` (M,), every class equally often, and keys (M,) that tell repeated pictures apart; M ≥ N.

    Small classes are repeated in whole rounds, so that no picture comes twice before all have come once.
    """
    classes = np.unique(labels)
    each = -(-len(rows) // len(classes))
    picks, keys = [], []
    for label in classes:
        members = np.flatnonzero(labels == label)
        members = members[epoch_order(rows[members], epoch, seed)]
        turn = np.arange(each)
        picks.append(members[turn % len(members)])
        keys.append(rows[picks[-1]] + turn // len(members) * _COPY)
    chosen, key = np.concatenate(picks), np.concatenate(keys)
    order = epoch_order(key, epoch, seed)
    return chosen[order], key[order]


def class_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """float32 (classes,) inverse to each class's share; their mean over the pictures is 1, absent classes have 0."""
    counts = np.bincount(labels, minlength=classes)
    present = np.count_nonzero(counts)
    return np.where(counts > 0, len(labels) / (present * np.maximum(counts, 1)), 0).astype(np.float32)


def batches(
    train: Dataset, recipe: Recipe, seed: int, first_step: int, soft_labels: SoftLabels | None = None
) -> Iterator[Batch]:
    """All batches from `first_step` to the end of the run.

    Yields:
        chips float32 (B, S, S, C) in 0..255, targets float32 (B, classes) that sum to 1 (one-hot without mixup and
        soft labels), and weights float32 (B,) of the loss, or None.
    """
    settings = recipe.optimiser
    size = settings.batch
    per_epoch = steps_per_epoch(len(train), size)
    one_hot = np.eye(len(train.label_names), dtype=np.float32)
    weight_of = class_weights(train.labels, len(train.label_names)) if settings.balance == "weights" else None
    replayed = soft_labels is not None and soft_labels.views_seed is not None
    for epoch in range(first_step // per_epoch, settings.epochs):
        if settings.balance == "sampling":
            order, keys = balanced_order(train.rows, train.labels, epoch, seed)
        else:
            order = epoch_order(train.rows, epoch, seed)
            keys = train.rows[order]
        view, view_seed = epoch, seed
        if replayed:
            view, view_seed, keys = epoch % len(soft_labels.probabilities), soft_labels.views_seed, train.rows[order]
        start = first_step - epoch * per_epoch if epoch == first_step // per_epoch else 0
        for step in range(start, per_epoch):
            part = slice(step * size, (step + 1) * size)
            chosen = order[part]
            chips = augment(train.chips[chosen], keys[part], view, view_seed, recipe.augment).astype(np.float32)
            targets = one_hot[train.labels[chosen]]
            if soft_labels is not None and recipe.soft_labels is not None:
                softened, known = soft_labels.targets(chosen, epoch)
                share = recipe.soft_labels.weight * known[:, None].astype(np.float32)
                targets = targets * (1 - share) + softened * share
            weights = None if weight_of is None else weight_of[train.labels[chosen]]
            if settings.mixup:
                chips, targets, weights = _mixed((chips, targets, weights), settings.mixup, seed, epoch, step)
            yield chips, targets, weights


def _mixed(batch: Batch, alpha: float, seed: int, epoch: int, step: int) -> Batch:
    """Each picture with its neighbour in the batch (Zhang et al. 2018, "mixup"), by a share of its own."""
    chips, targets, weights = batch
    random = np.random.default_rng([seed, _MIXUP_STREAM, epoch, step])
    share = random.beta(alpha, alpha, len(chips)).astype(np.float32)

    def blend(values: NDArray[np.float32]) -> NDArray[np.float32]:
        own = share.reshape(-1, *[1] * (values.ndim - 1))
        return own * values + (1 - own) * np.roll(values, 1, axis=0)

    return blend(chips), blend(targets), None if weights is None else blend(weights)
