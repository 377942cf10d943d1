"""mini-Xception (Arriaga, Valdenegro-Toro, Plöger 2017, "Real-time Convolutional Neural Networks for Emotion and
Gender Classification", arXiv:1710.07557): the usual small network for live expressions.
"""

from typing import TYPE_CHECKING, Any

from training.networks.layers import policy, scaled
from training.networks.settings import MiniXception

if TYPE_CHECKING:
    import keras


def build(settings: MiniXception, shape: tuple[int, int, int], classes: int, precision: str) -> "keras.Model":
    """The network as it is trained: raw (N, S, S, C) in 0..255 to logits (N, classes).

    As in the paper there is no dense layer: a last convolution has one channel for each class, and their means are the
    logits. The paper's 64-px input may be any size; its softmax is left to whoever asks.

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
    for number in (1, 2):
        name = f"stem{number}"
        x = keras.layers.Conv2D(settings.stem, 3, use_bias=False, dtype=dtype, name=name)(x)
        x = _relu(_norm(x, dtype, name), dtype, name)
    for number, filters in enumerate(settings.modules, start=1):
        x = _module(x, filters, dtype, f"module{number}")
    x = keras.layers.Conv2D(classes, 3, padding="same", dtype="float32", name="class_maps")(x)
    logits = keras.layers.GlobalAveragePooling2D(dtype="float32", name="logits")(x)
    return keras.Model(pixels, logits, name="mini_xception")


def _module(x: Any, filters: int, dtype: str, name: str) -> Any:
    """Two separable convolutions and a pooling, beside a 1×1 convolution of stride 2; their sum."""
    import keras  # noqa: PLC0415

    shortcut = keras.layers.Conv2D(
        filters, 1, strides=2, padding="same", use_bias=False, dtype=dtype, name=f"{name}_shortcut"
    )(x)
    shortcut = _norm(shortcut, dtype, f"{name}_shortcut")
    x = _relu(_separable(x, filters, dtype, f"{name}_first"), dtype, f"{name}_first")
    x = _separable(x, filters, dtype, f"{name}_second")
    x = keras.layers.MaxPooling2D(3, strides=2, padding="same", dtype=dtype, name=f"{name}_pool")(x)
    return keras.layers.Add(dtype=dtype, name=f"{name}_sum")([x, shortcut])


def _separable(x: Any, filters: int, dtype: str, name: str) -> Any:
    import keras  # noqa: PLC0415

    x = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False, dtype=dtype, name=f"{name}_depthwise")(x)
    x = keras.layers.Conv2D(filters, 1, use_bias=False, dtype=dtype, name=f"{name}_pointwise")(x)
    return _norm(x, dtype, name)


def _norm(x: Any, dtype: str, name: str) -> Any:
    from training.networks.normalization import BatchNormalization  # noqa: PLC0415

    return BatchNormalization(dtype=dtype, name=f"{name}_norm")(x)


def _relu(x: Any, dtype: str, name: str) -> Any:
    import keras  # noqa: PLC0415

    return keras.layers.ReLU(dtype=dtype, name=f"{name}_relu")(x)
