"""The networks that most courses and repositories begin with: convolution blocks, pooling, one hidden dense layer."""

from typing import TYPE_CHECKING, Any

from training.networks.layers import policy, scaled
from training.networks.settings import StackedCnn

if TYPE_CHECKING:
    import keras


def build(settings: StackedCnn, shape: tuple[int, int, int], classes: int, precision: str) -> "keras.Model":
    """The network as it is trained: raw (N, S, S, C) in 0..255 to logits (N, classes).

    A normalisation stands before its activation (Ioffe & Szegedy 2015), where it folds into the convolution; behind
    it, as some write it, it would stay on the device as two passes over the activations.

    Args:
        settings: the recipe's.
        shape: (S, S, C) of the chips.
        classes: number of labels.
        precision: "float32", or "bfloat16" to compute in that.
    """
    import keras  # noqa: PLC0415

    dtype = policy(precision)
    pixels = keras.Input(shape, name="pixels")
    x = scaled(pixels, settings.scaling, dtype)
    drop = keras.layers.SpatialDropout2D if settings.spatial else keras.layers.Dropout
    for block, filters in enumerate(settings.filters, start=1):
        for number in range(1, settings.convolutions + 1):
            name = f"block{block}_conv{number}"
            convolution = keras.layers.Conv2D(
                filters,
                3,
                padding=settings.padding,
                use_bias=not settings.normalised,
                kernel_initializer="he_normal",
                dtype=dtype,
                name=name,
            )
            x = _activated(convolution(x), settings, dtype, name)
        x = keras.layers.MaxPooling2D(2, dtype=dtype, name=f"block{block}_pool")(x)
        x = drop(settings.block_dropout, dtype=dtype, name=f"block{block}_dropout")(x)
    x = keras.layers.Flatten(dtype=dtype, name="flatten")(x)
    dense = keras.layers.Dense(
        settings.dense, use_bias=not settings.normalised, kernel_initializer="he_normal", dtype=dtype, name="dense"
    )
    x = _activated(dense(x), settings, dtype, "dense")
    x = keras.layers.Dropout(settings.dropout, dtype="float32", name="dropout")(x)
    logits = keras.layers.Dense(classes, dtype="float32", name="logits")(x)
    return keras.Model(pixels, logits, name="stacked_cnn")


def _activated(x: Any, settings: StackedCnn, dtype: str, name: str) -> Any:
    import keras  # noqa: PLC0415

    from training.networks.normalization import BatchNormalization  # noqa: PLC0415

    if settings.normalised:
        x = BatchNormalization(dtype=dtype, name=f"{name}_norm")(x)
    if settings.activation == "leaky-relu":
        return keras.layers.LeakyReLU(negative_slope=0.1, dtype=dtype, name=f"{name}_leaky")(x)
    return keras.layers.ReLU(dtype=dtype, name=f"{name}_relu")(x)
