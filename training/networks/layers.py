"""What several families begin and end with."""

from typing import TYPE_CHECKING, Any

from training.networks.settings import Scaling

if TYPE_CHECKING:
    import keras


def policy(precision: str) -> str:
    """Keras' dtype policy for a recipe's precision; weights and statistics are float32 under both."""
    return "mixed_bfloat16" if precision == "bfloat16" else "float32"


def scaled(pixels: Any, scaling: Scaling, dtype: str) -> Any:
    """Pixels 0..255 in the range that the network learns on: always the first layer, so that no one else scales."""
    import keras  # noqa: PLC0415

    factor, offset = (1 / 127.5, -1.0) if scaling == "symmetric" else (1 / 255, 0.0)
    return keras.layers.Rescaling(factor, offset=offset, dtype=dtype, name="scale")(pixels)


def plain(model: "keras.Model") -> "keras.Model":
    """The same function out of Keras' own layers in float32, for networks without a training-only structure.

    Normalisations stay: the conversion folds each into the convolution or dense layer before it.
    """
    import keras  # noqa: PLC0415

    from training.networks.normalization import BatchNormalization  # noqa: PLC0415

    def own(layer: "keras.Layer") -> "keras.Layer":
        kind = keras.layers.BatchNormalization if isinstance(layer, BatchNormalization) else type(layer)
        return kind.from_config({**layer.get_config(), "dtype": "float32"})

    copy = keras.models.clone_model(model, clone_function=own)
    copy.set_weights(model.get_weights())
    return copy
