"""What a folded network costs to run."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def macs(model: "keras.Model") -> int:
    """Multiply-accumulates for one chip, of the convolutions and dense layers of a folded model."""
    import keras  # noqa: PLC0415

    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            # every value of the kernel is used once for each position of the output
            positions = math.prod(layer.output.shape[1:-1])
            total += positions * math.prod(layer.kernel.shape)
    return total
