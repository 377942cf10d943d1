"""Opens Keras models, of this project and of others, and says what they give."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from edge.errors import ConfigError, PermanentError
from training.legacy_h5 import load_h5

if TYPE_CHECKING:
    import keras


def load_model(path: Path) -> "keras.Model":
    """A `.keras` file or an `.h5` of Keras 2 or 3, without its optimiser, losses and metrics.

    Raises:
        ConfigError: there is none, or it is no model of one picture in and one vector out.
        PermanentError: it has layers that cannot be built, or weights that are not numbers.
    """
    import keras  # noqa: PLC0415  # slow, and only needed where a model is really there

    _refuse_unreadable(path)
    if path.suffix in (".h5", ".hdf5"):
        model = load_h5(path)
    else:
        try:
            model = keras.models.load_model(path, compile=False)
        except (ValueError, OSError, TypeError, KeyError) as error:
            raise ConfigError(f"{path} is not a Keras model that this version reads: {error}") from error
    _refuse_other_tasks(path, model)
    broken = [each.path for each in model.weights if not np.isfinite(keras.ops.convert_to_numpy(each)).all()]
    if broken:
        raise PermanentError(
            f"{path}: NaN or infinite weights in {', '.join(broken)}, expected finite ones; its training failed, take "
            "another"
        )
    return model


def output_kind(model: "keras.Model") -> Literal["logits", "probabilities"]:
    """What the model's last layer gives, read off its structure."""
    last = _last_layer(model)
    return "probabilities" if last is not None and _is_softmax(last) else "logits"


def _refuse_unreadable(path: Path) -> None:
    if path.is_dir():
        raise ConfigError(f"{path} is a directory; expected a Keras model file, .keras or .h5")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no model {path}: no such file; expected a Keras model, .keras or .h5, as "
            "`python -m training fit` writes"
        ) from error
    except OSError as error:
        raise ConfigError(f"cannot read the model {path}: {error.strerror}; check its permissions") from error
    if empty:
        raise ConfigError(f"{path} is empty; expected a Keras model, .keras or .h5: copy it again")


def _refuse_other_tasks(path: Path, model: "keras.Model") -> None:
    # a model that was never called has neither
    inputs, outputs = (getattr(model, ends, None) or [] for ends in ("inputs", "outputs"))
    taken, given = ([tuple(end.shape) for end in ends] for ends in (inputs, outputs))
    if [len(shape) for shape in taken] != [4] or [len(shape) for shape in given] != [2]:
        told = " to ".join(", ".join(map(str, shapes)) or "nothing that it knows of" for shapes in (taken, given))
        raise ConfigError(
            f"{path} maps {told}; expected one input (N, S, S, C), a picture, and one output (N, classes)"
        )
    (_, height, width, channels), (_, classes) = taken[0], given[0]
    if height != width or height is None or channels not in (1, 3):
        raise ConfigError(f"{path} takes pictures {taken[0][1:]}; expected square ones of a fixed size, grey or RGB")
    if classes is None or classes < 2:
        raise ConfigError(f"{path} gives {classes} value for a picture; expected one for each of two classes or more")


def _last_layer(model: "keras.Model") -> "keras.Layer | None":
    import keras  # noqa: PLC0415

    last = model.layers[-1] if model.layers else None
    return _last_layer(last) if isinstance(last, keras.Model) else last


def _is_softmax(layer: "keras.Layer") -> bool:
    import keras  # noqa: PLC0415

    return isinstance(layer, keras.layers.Softmax) or getattr(layer, "activation", None) is keras.activations.softmax
