"""The model with its optimiser: built from a recipe, evaluated and exported with its averaged weights."""

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError, PermanentError
from training.data.selection import Chips
from training.networks import FAMILIES, ChipShape
from training.randomness import bits
from training.recipe import Recipe

if TYPE_CHECKING:
    import keras

MOST_FOLD_ERROR = 1e-3
"""Logits of the folded model may differ by this share of the greatest one (at least of 1) from the trained model's."""

_DROPOUT_STREAM = 4

Weights: TypeAlias = list[NDArray[Any]]
"""All of a model's weights, in its order."""

GREY_48: ChipShape = (48, 48, 1)
"""FER2013's pictures, and the shipped model's chips."""


def build(recipe: Recipe, classes: int, seed: int, shape: ChipShape = GREY_48) -> "keras.Model":
    """The compiled model, its weights drawn from `seed`, its optimiser's slots created.

    Raises:
        ConfigError: the recipe's network does not fit chips of that shape.
    """
    import keras  # noqa: PLC0415

    keras.utils.set_random_seed(seed)
    settings = recipe.optimiser
    try:
        model = FAMILIES[type(recipe.network)].build(recipe.network, shape, classes, settings.precision)
    except ValueError as error:
        raise ConfigError(
            f"the network of recipe {recipe.name} does not fit chips of {shape} ({str(error).splitlines()[0]}); take "
            "larger chips or fewer blocks"
        ) from error
    shared = {"weight_decay": settings.weight_decay, "use_ema": True, "ema_momentum": settings.average}
    if settings.method == "adamw":
        optimiser = keras.optimizers.AdamW(settings.learning_rate, beta_1=settings.momentum, **shared)
    else:
        optimiser = keras.optimizers.SGD(
            settings.learning_rate, momentum=settings.momentum, nesterov=settings.momentum > 0, **shared
        )
    optimiser.exclude_from_weight_decay(var_list=[v for v in model.trainable_variables if len(v.shape) < 2])
    optimiser.build(model.trainable_variables)
    model.compile(
        optimiser,
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=settings.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=compiles(),
    )
    return model


def compiles() -> bool:
    """Whether Keras compiles a whole step (`jit_compile`): what is fast with the backend in use.

    - JAX: yes. Uncompiled it hands over each operation by itself, without fusing any; on a CPU a step of the compact
      recipe then takes 1.8 times as long.
    - TensorFlow: no. On a CPU, XLA doubles the time of a step.
    - PyTorch: no, as Keras itself chooses. `torch.compile` needs a C++ compiler on the machine, and the costliest part
      that it would fuse, the normalisation, is a fused kernel already.
    """
    import keras  # noqa: PLC0415

    return keras.backend.backend() == "jax"


def seed_dropouts(seed: int, step: int) -> None:
    """Make what is dropped in a step a function of seed and step, where the layers' own random states do not.

    Under PyTorch, Keras' dropouts draw from the library's one generator, which no checkpoint holds: without this a run
    that was stopped would go on with other draws than one that was not.

    Args:
        seed: of the run.
        step: of the whole run, from 0.
    """
    import keras  # noqa: PLC0415

    if keras.backend.backend() != "torch":
        return
    import torch  # noqa: PLC0415

    torch.manual_seed(int(bits(seed, np.array([step], np.int64), 0, 1, _DROPOUT_STREAM)[0, 0]))


PIXELS_AT_ONCE = 256 * 48 * 48
"""Values in one batch of `logits_of`: a first layer of 64 channels then takes 150 MB, whatever the chips' size."""


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
        pictures: batches float32 (B, S, S, C) like those it is trained on, for the statistics.
    """
    import keras  # noqa: PLC0415

    before = [keras.ops.convert_to_numpy(variable).copy() for variable in state(model)]
    try:
        # all that changes the model is in here: a picture that cannot be read must not leave it half averaged
        model.optimizer.finalize_variable_values(model.trainable_variables)
        for variable in model.trainable_variables:
            # under JAX it shares the mean's memory now, which the next compiled call would take away from both
            variable.assign(keras.ops.convert_to_numpy(variable))
        _estimate_statistics(model, pictures)
        yield
    finally:
        for variable, value in zip(state(model), before, strict=True):
            variable.assign(value)


def _estimate_statistics(model: "keras.Model", pictures: Iterable[NDArray[np.float32]]) -> None:
    import keras  # noqa: PLC0415

    inner = (layer for outer in model.layers for layer in (outer, *getattr(outer, "norms", ())))
    norms = [layer for layer in inner if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    seed_dropouts(seed=0, step=0)  # so that a finished run that is exported again gives the same
    try:
        for count, batch in enumerate(pictures):
            for norm in norms:
                norm.momentum = count / (count + 1)  # makes the moving mean the mean of all batches so far
            model(batch, training=True)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def logits_of(model: "keras.Model", chips: Chips) -> NDArray[np.float32]:
    """float32 (N, classes) for chips uint8 (N, S, S, C), a few of them in memory at a time."""
    batch = max(1, PIXELS_AT_ONCE // max(1, chips[0].size)) if len(chips) else 1
    parts = [
        np.asarray(model.predict_on_batch(chips[at : at + batch].astype(np.float32)), np.float32)
        for at in range(0, len(chips), batch)
    ]
    return np.concatenate(parts) if parts else np.empty((0, model.output_shape[-1]), np.float32)


def weights_of(model: "keras.Model") -> Weights:
    """The weights as they are now, copied: some backends' arrays change with the model."""
    return [np.array(value) for value in model.get_weights()]


def read_weights(path: Path, model: "keras.Model") -> Weights:
    """The best weights of a run of an earlier version, which kept them in a file of their own.

    Raises:
        PermanentError: the file is missing, damaged or of another network.
    """
    remedy = "put the file back, or train anew with another --out"
    try:
        with np.load(path, allow_pickle=False) as stored:
            weights = [stored[name] for name in sorted(stored.files)]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise PermanentError(
            f"{path}: cannot read the best weights ({error}); expected them there, since the checkpoint beside it "
            f"holds none: {remedy}"
        ) from error
    found, expected = ([tuple(value.shape) for value in values] for values in (weights, model.weights))
    if found != expected:
        raise PermanentError(f"{path}: its {len(found)} arrays do not fit the network's {len(expected)}; {remedy}")
    return weights


def folded(
    recipe: Recipe, model: "keras.Model", chips: NDArray[np.uint8], weights: Weights | None = None
) -> tuple["keras.Model", float]:
    """The model as it is exported, and how far its logits are from the trained model's (both in float32).

    Args:
        recipe: that `model` was built from.
        model: that was trained; left as it is.
        chips: uint8 (N, S, S, C) to compare on.
        weights: to export; default: those that `model` has.

    Raises:
        PermanentError: they differ by more than `MOST_FOLD_ERROR`, which no rounding explains.
    """
    family = FAMILIES[type(recipe.network)]
    twin = family.build(recipe.network, model.input_shape[1:], model.output_shape[-1], "float32")
    twin.set_weights(model.get_weights() if weights is None else weights)
    plain = family.fold(twin)
    logits = logits_of(twin, chips)
    error, most = float(np.abs(logits - logits_of(plain, chips)).max()), MOST_FOLD_ERROR * max(1, np.abs(logits).max())
    if not error <= most:
        raise PermanentError(
            f"folding changed the logits by {error:.2g}, expected at most {most:.2g}: fold() does not mirror "
            f"the layers of {type(recipe.network).__name__}, or the weights are not finite"
        )
    return plain, error
