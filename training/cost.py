"""What an exported network costs to run."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def macs(model: "keras.Model") -> int:
    """Multiply-accumulates for one chip, of the convolutions and dense layers of an exported model.

    Normalisations count nothing: they are folded on the device. Models inside the model are counted.
    """
    import keras  # noqa: PLC0415

    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += macs(layer)
            continue
        # every value of a kernel is used once for each position of the output
        kernels = (
            [layer.depthwise_kernel, layer.pointwise_kernel]
            if isinstance(layer, keras.layers.SeparableConv2D)
            else [layer.kernel]
            if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D | keras.layers.Dense)
            else []
        )
        positions = math.prod(layer.output.shape[1:-1]) if kernels else 0
        total += positions * sum(math.prod(kernel.shape) for kernel in kernels)
    return total
