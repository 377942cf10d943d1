"""The input's scaling as int8 does it without loss."""

from typing import Any


def scaling_as_convolution(model: Any) -> Any:
    """A Keras model with its leading Rescaling as a convolution of one pixel; the same function.

    A Rescaling becomes a multiplication and an addition, each with an int8 result of its own. The range of the product
    spans half as much again as its values need, so that some 170 of the 256 grey levels are left. A convolution has
    its sum in int32 and rounds once: a pixel's grey level stays what it is.

    Args:
        model: Keras model of one input and one output.

    Returns:
        `model` itself where it does not begin with a Rescaling by one factor and one offset.
    """
    import keras  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    first = next((layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling)), None)
    if first is None or first.input is not model.inputs[0] or np.ndim(first.scale) or np.ndim(first.offset):
        return model
    try:
        rest = keras.Model(first.output, model.outputs[0], name=model.name)
    except ValueError:  # the pixels go elsewhere, too
        return model
    channels = model.input_shape[-1]
    convolution = keras.layers.Conv2D(channels, 1, dtype="float32", name="scale")
    pixels = keras.Input(model.input_shape[1:])
    scaled = keras.Model(pixels, rest(convolution(pixels)))
    convolution.set_weights([np.eye(channels)[np.newaxis, np.newaxis] * first.scale, np.full(channels, first.offset)])
    return scaled
