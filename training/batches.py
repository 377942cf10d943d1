"""Which pictures a step sees, and how they look: a function of seed and step alone."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.augment import augment
from training.data.dataset import Dataset
from training.randomness import bits
from training.recipe import Recipe

_ORDER_STREAM = 2

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


def steps_per_epoch(count: int, batch: int) -> int:
    """Whole batches in `count` pictures; the rest of a pass is left out, others each time."""
    return count // batch


def epoch_order(rows: NDArray[np.int64], epoch: int, seed: int) -> NDArray[np.int64]:
    """A permutation of the positions in `rows` (N,), another one each epoch."""
    return np.argsort(bits(seed, rows, epoch, 1, _ORDER_STREAM)[:, 0], kind="stable")


def batches(train: Dataset, recipe: Recipe, seed: int, first_step: int) -> Iterator[Batch]:
    """All batches from `first_step` to the end of the run.

    Yields:
        chips float32 (B, 48, 48, 1) in 0..255 and targets float32 (B, classes), one-hot.
    """
    size = recipe.optimiser.batch
    per_epoch = steps_per_epoch(len(train), size)
    one_hot = np.eye(len(train.label_names), dtype=np.float32)
    for epoch in range(first_step // per_epoch, recipe.optimiser.epochs):
        order = epoch_order(train.rows, epoch, seed)
        start = first_step - epoch * per_epoch if epoch == first_step // per_epoch else 0
        for step in range(start, per_epoch):
            chosen = order[step * size : (step + 1) * size]
            chips = augment(train.chips[chosen], train.rows[chosen], epoch, seed, recipe.augment)
            yield chips.astype(np.float32), one_hot[train.labels[chosen]]
