"""Reads the model to convert: `.keras`, `.h5` of Keras 2 or 3, or a SavedModel directory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from convert.golden import golden_chips
from edge.errors import ConfigError, PermanentError
from training import learner
from training.keras_files import load_model, output_kind

SIGNATURE = "serving_default"
"""What `model.export` and Keras 2's `model.save` call the function that answers."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A model ready to be converted.

    Attributes:
        model: Keras model, float (N, S, S, C) in and (N, classes) out.
        output: what it gives.
        normalisations: BatchNormalization layers in it; None where the file does not say, as a SavedModel.
    """

    model: Any
    output: Literal["logits", "probabilities"]
    normalisations: int | None


def load_source(path: Path) -> Source:
    """Read a model.

    Raises:
        ConfigError: there is none, or it does not map one picture to one vector.
        PermanentError: an old .h5 has layers that cannot be built, or weights are not numbers.
    """
    import keras  # noqa: PLC0415  # slow, and only needed where a model is really converted

    if path.is_dir():
        model = _saved_model(path)
        return Source(model, _measured_kind(model), None)
    model = load_model(path)
    norms = sum(isinstance(layer, keras.layers.BatchNormalization) for layer in model._flatten_layers())
    return Source(model, output_kind(model), norms)


def _saved_model(path: Path) -> Any:
    """A SavedModel's answering function as a Keras model of one layer."""
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    try:
        signatures = tf.saved_model.load(str(path)).signatures
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} is a directory, but not a SavedModel ({str(error).splitlines()[0]}); give what "
            "`model.export(directory)` wrote, or a .keras or .h5 file"
        ) from error
    if SIGNATURE not in signatures:
        found = ", ".join(signatures) or "none"
        raise ConfigError(
            f"{path} has the signatures: {found}; expected {SIGNATURE}; write it with `model.export(directory)`"
        )
    inputs = list(signatures[SIGNATURE].structured_input_signature[1].values())
    outputs = list(signatures[SIGNATURE].structured_outputs.values())
    shapes = [tuple(spec.shape) if spec.shape.rank is not None else () for spec in (*inputs, *outputs)]
    if len(inputs) != 1 or len(outputs) != 1 or [len(shape) for shape in shapes] != [4, 2] or None in shapes[0][1:]:
        raise ConfigError(
            f"{path} maps {shapes[: len(inputs)]} to {shapes[len(inputs) :]}; expected one input (N, S, S, C) of a "
            "fixed size and one output (N, classes)"
        )
    if shapes[0][0] is not None or inputs[0].dtype != tf.float32:
        raise ConfigError(
            f"{path} takes {inputs[0].dtype.name} {shapes[0]}; expected float32 and an open batch (None), so that it "
            "can be measured and converted; export it so"
        )
    chips = keras.Input(shapes[0][1:])
    (answers,) = keras.layers.TFSMLayer(str(path), call_endpoint=SIGNATURE)(chips).values()
    return keras.Model(chips, answers)


def _measured_kind(model: Any) -> Literal["logits", "probabilities"]:
    """What a model gives whose layers cannot be looked at: probabilities lie in [0, 1] and sum to 1.

    Raises:
        PermanentError: its answers are not numbers.
    """
    answers = learner.logits_of(model, golden_chips(model.input_shape[1], model.input_shape[3]))
    if not np.isfinite(answers).all():
        raise PermanentError("the SavedModel answers NaN, expected numbers; its weights are broken: export it again")
    sums_to_one = np.allclose(answers.sum(axis=1), 1, atol=1e-3)
    return "probabilities" if sums_to_one and answers.min() >= 0 else "logits"
