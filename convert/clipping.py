"""Whether the ranges that the activations were given are wide enough for the pictures: what is beyond is cut off."""

import numpy as np
from numpy.typing import NDArray

from convert.activations import count_values, short_name
from convert.finding import Finding
from convert.graph import HEAVY, Graph, Tensor
from edge.types import Pixels

MOST_CLIPPED = 0.01
"""Share of the values of an activation that lie at the end of its range. Six networks have 0.0033 and less on pictures
that they were not calibrated on; calibrated on noise one has 0.05 to 0.08, though its accuracy hardly falls."""

PICTURES = 300
"""Looked at; all layers of each have to be kept, which XNNPACK does not do."""

RELU6 = 6.0
"""Where this activation ends whatever goes in: what lies at that end was not cut off by the quantisation."""


def check_clipping(content: bytes, chips: Pixels, calibrated_on: int) -> Finding:
    """Whether an activation lies at the end of its range too often.

    Args:
        content: of an int8 .tflite whose input is exact (0..255 as -128..127), or float32 and raw.
        chips: uint8 (N, S, S, C) of real pictures.
        calibrated_on: how many chips; of as many others like them one will reach each end or go beyond it.
    """
    some = chips[np.linspace(0, len(chips) - 1, min(PICTURES, len(chips))).round().astype(np.int64)]
    graph, operators, counts = count_values(content, some)
    shares = {
        number: _share(graph.tensors[number], counts[number])
        for number, operator in operators.items()
        if operator in HEAVY and not _scaling(graph, number)
    }
    worst = max(shares, key=lambda number: shares[number], default=None)
    limit = MOST_CLIPPED + (2 / calibrated_on if calibrated_on else 0)
    found = "no activation" if worst is None else f"{shares[worst]:.2%} of {short_name(graph.tensors[worst].name)}"
    return Finding(
        "clipping",
        worst is None or shares[worst] <= limit,
        f"{found} at the end of its range, of {len(some)} pictures",
        f"at most {limit:.1%} of each: calibration chips that are like the pictures",
    )


def _share(tensor: Tensor, counts: NDArray[np.int64]) -> float:
    """Of the values at an end that is no end of the activation function: not at 0, nor at 6."""
    low, high = ((end - tensor.zero_point) * tensor.scale for end in (-128, 127))
    clipped = counts[128] if low < 0 else 0
    if abs(high - RELU6) > tensor.scale and high > 0:
        clipped += counts[127]
    return float(clipped / max(counts.sum(), 1))


def _scaling(graph: Graph, number: int) -> bool:
    """Whether the tensor is the scaled input, as far as its shape tells: black and white are its ends."""
    stored = {each.outputs[0] for each in graph.operators if each.name == "QUANTIZE" and graph.input in each.inputs}
    same_shape = graph.tensors[number].shape == graph.tensors[graph.input].shape
    return same_shape and any(
        number in each.outputs and (stored | {graph.input}).intersection(each.inputs) for each in graph.operators
    )
