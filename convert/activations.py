"""How well int8 suits the activations: ranges against what nearly all values need."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convert.graph import Graph, Tensor, read_graph
from edge.native_log import native_stderr
from edge.types import Pixels

USUAL_SHARE = 0.999
REPORTED = 5
SAME_VALUES = frozenset({"RESHAPE", "QUANTIZE", "DEQUANTIZE", "TRANSPOSE"})
"""Operators whose output has the values of their input: no range of their own."""

CONVERTERS_NAME = "StatefulPartitionedCall"
"""What TensorFlow's converter calls the output, whatever the model calls it."""


@dataclass(frozen=True, slots=True)
class ActivationRange:
    """One activation tensor.

    Attributes:
        tensor: its name, shortened.
        operator: that writes it.
        low: least value it can hold.
        high: greatest value it can hold.
        usual: 99.9 % of its values on the calibration chips are not further from zero than this.
        ratio: how many times further the range reaches; each doubling is a bit that hardly any value uses.
    """

    tensor: str
    operator: str
    low: float
    high: float
    usual: float
    ratio: float


def worst_activations(content: bytes, chips: Pixels, count: int = REPORTED) -> tuple[ActivationRange, ...]:
    """The `count` activations that quantise worst, worst first; else as `activation_ranges`."""
    return tuple(sorted(activation_ranges(content, chips), key=lambda each: -each.ratio)[:count])


def activation_ranges(content: bytes, chips: Pixels) -> tuple[ActivationRange, ...]:
    """All int8 activations that are not zero on every chip, in the order of the file.

    Args:
        content: a .tflite with int8 activations whose input is float32 (0..255) or exact int8 (0..255 as -128..127).
        chips: uint8 (M, S, S, C) it was calibrated on.
    """
    graph, wanted, counts = count_values(content, chips)
    # what is zero on every chip has no values that a range could suit
    alive = {number: name for number, name in wanted.items() if _largest(graph.tensors[number], counts[number]) > 0}
    return tuple(_range(graph.tensors[number], operator, counts[number]) for number, operator in alive.items())


def count_values(content: bytes, chips: Pixels) -> tuple[Graph, dict[int, str], dict[int, NDArray[np.int64]]]:
    """How often each int8 activation holds each of the 256 values.

    Args:
        content: as for `activation_ranges`.
        chips: uint8 (M, S, S, C).

    Returns:
        The graph; by tensor, in the order of the file, the operator that writes it; and the counts (256,), likewise, in
        the order of the values' bits.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType  # noqa: PLC0415

    with native_stderr():
        # XNNPACK keeps no tensor between its operators, so that there would be nothing to read
        interpreter = Interpreter(
            model_content=content,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
    graph = read_graph(interpreter)
    wanted = {
        number: operator.name
        for operator, number in graph.activations()
        if operator.name not in SAME_VALUES and graph.tensors[number].dtype == "int8" and graph.tensors[number].scale
    }
    counts: dict[int, NDArray[np.int64]] = {number: np.zeros(256, np.int64) for number in wanted}
    as_stored = graph.tensors[graph.input].dtype == "int8"
    for chip in chips:
        stored = (chip ^ np.uint8(0x80)).view(np.int8) if as_stored else chip.astype(np.float32)
        interpreter.set_tensor(graph.input, stored[np.newaxis])
        interpreter.invoke()
        for number in wanted:
            # counted by their bits, as `_range` reads them
            counts[number] += np.bincount(interpreter.get_tensor(number).ravel().view(np.uint8), minlength=256)
    return graph, wanted, counts


def _magnitudes(tensor: Tensor) -> NDArray[np.float64]:
    """|real| of each of the 256 stored values, in the order of their bits."""
    stored = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.float64)
    magnitudes: NDArray[np.float64] = np.abs((stored - tensor.zero_point) * tensor.scale)
    return magnitudes


def _largest(tensor: Tensor, counts: NDArray[np.int64]) -> float:
    return float(_magnitudes(tensor)[counts > 0].max(initial=0))


def _range(tensor: Tensor, operator: str, counts: NDArray[np.int64]) -> ActivationRange:
    magnitudes = _magnitudes(tensor)
    order = np.argsort(magnitudes, kind="stable")
    reached = int(np.searchsorted(np.cumsum(counts[order]), USUAL_SHARE * counts.sum()))
    # a tensor that is zero nearly everywhere still has one step
    usual = max(float(magnitudes[order][reached]), tensor.scale)
    low, high = ((end - tensor.zero_point) * tensor.scale for end in (-128, 127))
    return ActivationRange(short_name(tensor.name), operator, low, high, usual, float(magnitudes.max()) / usual)


def short_name(name: str) -> str:
    """The first of a fused tensor's names, without the wrapping model's, which counts the models of the process."""
    if name.startswith(CONVERTERS_NAME):
        return "output"
    parts = name.partition(";")[0].split("/")
    return "/".join(parts[1:] if len(parts) > 1 and parts[0].startswith("functional") else parts)
