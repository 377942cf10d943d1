"""Reads `.h5` models of Keras 2, whose layers were written down with words that Keras 3 no longer knows."""

import inspect
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError, PermanentError

if TYPE_CHECKING:
    import keras

RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}, "InputLayer": {"batch_input_shape": "batch_shape"}}


def load_h5(path: Path) -> "keras.Model":
    """The model in a Keras 2 (or 3) `.h5` file, not compiled: its metrics, losses and optimiser are not looked at.

    Raises:
        ConfigError: no such file, or it holds weights without a model.
        PermanentError: it has layers that Keras 3 cannot build (lambdas, classes of its author's).
    """
    import h5py  # noqa: PLC0415
    import keras  # noqa: PLC0415

    try:
        with h5py.File(path) as file:
            stored = file.attrs.get("model_config")
    except OSError as error:
        raise ConfigError(f"{path}: cannot read it as an .h5 model ({error}); give another file") from error
    if stored is None:
        raise ConfigError(
            f"{path} holds weights without an architecture; expected a whole model, saved with `model.save`"
        )
    config = _modern(json.loads(stored if isinstance(stored, str) else stored.decode()))
    with tempfile.TemporaryDirectory(prefix="emotion-edge-") as folder:
        copy = Path(folder) / "model.h5"
        copy.write_bytes(path.read_bytes())
        with h5py.File(copy, "r+") as file:
            file.attrs["model_config"] = json.dumps(config)
        try:
            return keras.models.load_model(copy, compile=False)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PermanentError(
                f"{path}: Keras {keras.__version__} cannot build this model ({str(error).splitlines()[0]}); expected "
                "built-in layers only"
            ) from error


def _modern(node: Any) -> Any:
    """The configuration with every layer's arguments as Keras 3 takes them; what it does not take is left out."""
    if isinstance(node, list):
        return [_modern(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _modern(value) for key, value in node.items()}
    if isinstance(node.get("class_name"), str) and isinstance(node.get("config"), dict):
        node["config"] = _arguments(node["class_name"], node["config"])
    return node


def _arguments(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    import keras  # noqa: PLC0415

    layer = getattr(keras.layers, kind, None)
    if layer is None or not isinstance(layer, type):
        return config
    renamed = {RENAMED.get(kind, {}).get(name, name): value for name, value in config.items()}
    if kind == "BatchNormalization" and isinstance(renamed.get("axis"), list):
        (renamed["axis"],) = renamed["axis"]
    known = {"name", "trainable", "dtype", "batch_shape", "batch_input_shape", "layers", "build_input_shape"}
    known |= inspect.signature(layer.__init__).parameters.keys()
    return {name: value for name, value in renamed.items() if name in known}
