"""The model with its optimiser: built from a recipe, evaluated and exported with its averaged weights."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge.errors import PermanentError
from training.data.dataset import CHIP_SIDE_PX
from training.networks import FAMILIES
from training.recipe import Recipe

if TYPE_CHECKING:
    import keras

MOST_FOLD_ERROR = 1e-3
"""Logits of the folded model may differ by this much from those of the trained one."""


def build(recipe: Recipe, classes: int, seed: int) -> "keras.Model":
    """The compiled model, its weights drawn from `seed`, its optimiser's slots created."""
    import keras  # noqa: PLC0415

    keras.utils.set_random_seed(seed)
    settings = recipe.optimiser
    model = FAMILIES[type(recipe.network)].build(recipe.network, CHIP_SIDE_PX, classes, settings.precision)
    optimiser = keras.optimizers.SGD(
        settings.learning_rate,
        momentum=settings.momentum,
        nesterov=settings.momentum > 0,
        weight_decay=settings.weight_decay,
        use_ema=True,
        ema_momentum=settings.average,
    )
    optimiser.exclude_from_weight_decay(var_list=[v for v in model.trainable_variables if len(v.shape) < 2])
    optimiser.build(model.trainable_variables)
    model.compile(
        optimiser,
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=settings.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=False,  # XLA doubles the time of a step on a CPU
    )
    return model


def state(model: "keras.Model") -> list["keras.Variable"]:
    """All that changes in the model while it is trained: weights, statistics, the dropouts' random state."""
    seeds = [layer.seed_generator.state for layer in model.layers if hasattr(layer, "seed_generator")]
    return [*model.weights, *seeds]


@contextmanager
def averaged(model: "keras.Model", pictures: Iterable[NDArray[np.float32]]) -> Iterator[None]:
    """Inside, the model has the running mean of its weights; after it, all is as it was.

    The normalisations' moving statistics belong to the weights being trained, not to their mean, so they are
    estimated anew ("precise BN", Wu & Johnson 2021, "Rethinking 'Batch' in BatchNorm"). While the learning rate is
    high this is worth several points; at the end of the schedule, when the weights stand still, almost nothing.

    Args:
        model: compiled, its optimiser with an average.
        pictures: batches float32 (B, S, S, 1) like those it is trained on, for the statistics.
    """
    import keras  # noqa: PLC0415

    before = [keras.ops.convert_to_numpy(variable).copy() for variable in state(model)]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    _estimate_statistics(model, pictures)
    try:
        yield
    finally:
        for variable, value in zip(state(model), before, strict=True):
            variable.assign(value)


def _estimate_statistics(model: "keras.Model", pictures: Iterable[NDArray[np.float32]]) -> None:
    import keras  # noqa: PLC0415

    inner = (layer for outer in model.layers for layer in (outer, *getattr(outer, "norms", ())))
    norms = [layer for layer in inner if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    try:
        for count, batch in enumerate(pictures):
            for norm in norms:
                norm.momentum = count / (count + 1)  # makes the moving mean the mean of all batches so far
            model(batch, training=True)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def logits_of(model: "keras.Model", chips: NDArray[np.uint8], batch: int = 256) -> NDArray[np.float32]:
    """float32 (N, classes) for chips uint8 (N, S, S, 1)."""
    parts = [
        np.asarray(model.predict_on_batch(chips[at : at + batch].astype(np.float32)), np.float32)
        for at in range(0, len(chips), batch)
    ]
    return np.concatenate(parts) if parts else np.empty((0, model.output_shape[-1]), np.float32)


def folded(recipe: Recipe, model: "keras.Model", chips: NDArray[np.uint8]) -> tuple["keras.Model", float]:
    """The model as it is exported, and how far its logits are from the trained model's (both in float32).

    Args:
        recipe: that `model` was built from.
        model: with the weights to export.
        chips: uint8 (N, S, S, 1) to compare on.

    Raises:
        PermanentError: they differ by more than `MOST_FOLD_ERROR`, which no rounding explains.
    """
    family = FAMILIES[type(recipe.network)]
    twin = family.build(recipe.network, CHIP_SIDE_PX, model.output_shape[-1], "float32")
    twin.set_weights(model.get_weights())
    plain = family.fold(twin)
    error = float(np.abs(logits_of(twin, chips) - logits_of(plain, chips)).max())
    if not error <= MOST_FOLD_ERROR:
        raise PermanentError(
            f"folding changed the logits by {error:.2g}, expected at most {MOST_FOLD_ERROR:.0e}: fold() does not "
            f"mirror the layers of {type(recipe.network).__name__}, or the weights are not finite"
        )
    return plain, error
