"""The network family of the shipped model."""

from typing import TYPE_CHECKING

from training.networks.layers import policy, scaled
from training.networks.settings import QaRepVgg

if TYPE_CHECKING:
    import keras


def build(settings: QaRepVgg, shape: tuple[int, int, int], classes: int, precision: str) -> "keras.Model":
    """The network as it is trained: raw (N, S, S, C) in 0..255 to logits (N, classes).

    Args:
        settings: widths and depths.
        shape: (S, S, C) of the chips.
        classes: number of labels.
        precision: "float32", or "bfloat16" to compute in that (weights, statistics and the last layer stay float32).
    """
    import keras  # noqa: PLC0415

    from training.networks.rep_block import RepBlock  # noqa: PLC0415

    dtype = policy(precision)
    pixels = keras.Input(shape, name="pixels")
    # -1..1: the midpoint of the int8 input (zero point -128 + 128) is the network's zero
    x = scaled(pixels, "symmetric", dtype)
    x = RepBlock(settings.stem, strides=2, dtype=dtype, name="stem")(x)
    for stage, (filters, depth) in enumerate(settings.stages, start=1):
        for block in range(depth):
            strides = 2 if stage > 1 and block == 0 else 1
            x = RepBlock(filters, strides=strides, dtype=dtype, name=f"stage{stage}_block{block + 1}")(x)
    # the faces are aligned, so where a feature lies tells something: no global pooling
    x = keras.layers.Flatten(dtype="float32", name="flatten")(x)
    x = keras.layers.Dropout(settings.dropout, dtype="float32", name="dropout")(x)
    logits = keras.layers.Dense(classes, dtype="float32", name="logits")(x)
    return keras.Model(pixels, logits, name="qarepvgg")


def fold(model: "keras.Model") -> "keras.Model":
    """The same function out of built-in float32 layers: Rescaling, Conv2D + ReLU for each block, Flatten, Dense."""
    import keras  # noqa: PLC0415

    from training.networks.rep_block import RepBlock  # noqa: PLC0415

    pixels = keras.Input(model.input_shape[1:], name="pixels")
    x = pixels
    weights = []
    for layer in model.layers:
        if isinstance(layer, RepBlock):
            convolution = keras.layers.Conv2D(
                layer.filters, 3, strides=layer.strides, padding="same", activation="relu", name=layer.name
            )
            x = convolution(x)
            weights.append((convolution, layer.folded()))
        elif isinstance(layer, keras.layers.Rescaling | keras.layers.Flatten | keras.layers.Dense):
            plain = type(layer).from_config({**layer.get_config(), "dtype": "float32"})
            x = plain(x)
            weights.append((plain, layer.get_weights()))
        elif not isinstance(layer, keras.layers.InputLayer | keras.layers.Dropout):
            raise TypeError(f"layer {layer.name} is a {type(layer).__name__}, which this family does not have")
    for layer, values in weights:
        layer.set_weights(values)
    return keras.Model(pixels, x, name=model.name)
