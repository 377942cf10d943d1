"""How far the weights of each kernel reach, channel by channel: what one scale a channel has to span."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from convert.activations import short_name
from convert.graph import HEAVY, Graph, read_graph
from edge import runtime

CHANNEL_AXIS = {"DEPTHWISE_CONV_2D": 3}
"""Of the output channels in the kernel; 0 for all other operators."""


class KernelRange(msgspec.Struct, frozen=True):
    """The largest |weight| of each output channel of one kernel.

    Attributes:
        tensor: name of what the operator writes, shortened.
        operator: that uses the kernel.
        shape: of the kernel.
        dtype: it is stored as.
        least: of the channels' largest |weight|.
        median: likewise.
        greatest: likewise; over `least` it says what one scale for all channels would cost.
    """

    tensor: str
    operator: str
    shape: tuple[int, ...]
    dtype: str
    least: float
    median: float
    greatest: float


def kernel_ranges(content: bytes, name: str) -> tuple[KernelRange, ...]:
    """Those of all kernels, in the order of the file.

    Args:
        content: of a .tflite.
        name: for messages.

    Raises:
        PermanentError: no runtime can load it.
    """
    interpreter: Any = runtime.load(content, name).interpreter
    graph = read_graph(interpreter)
    details = {int(each["index"]): each for each in interpreter.get_tensor_details()}
    found = []
    for operator in graph.operators:
        if operator.name not in HEAVY:
            continue
        number = _stored(graph, operator.inputs[1])
        values = _real(interpreter.get_tensor(number), details[number])
        axis = CHANNEL_AXIS.get(operator.name, 0)
        reach = np.abs(values).max(axis=tuple(each for each in range(values.ndim) if each != axis))
        found.append(
            KernelRange(
                short_name(graph.tensors[operator.outputs[0]].name),
                operator.name,
                tuple(int(side) for side in values.shape),
                graph.tensors[number].dtype,
                float(reach.min()),
                float(np.median(reach)),
                float(reach.max()),
            )
        )
    return tuple(found)


def _stored(graph: Graph, number: int) -> int:
    """The tensor as it lies in the file: float16 kernels are unpacked by a DEQUANTIZE."""
    unpacked = (each.inputs[0] for each in graph.operators if each.name == "DEQUANTIZE" and number in each.outputs)
    return next(unpacked, number)


def _real(stored: NDArray[Any], details: dict[str, Any]) -> NDArray[np.float64]:
    values = stored.astype(np.float64)
    parameters = details["quantization_parameters"]
    scales = np.asarray(parameters["scales"], np.float64)
    if not scales.size:
        return values
    shape = [1] * values.ndim
    shape[int(parameters["quantized_dimension"])] = -1
    zero_points = np.asarray(parameters["zero_points"], np.float64)
    real: NDArray[np.float64] = (values - zero_points.reshape(shape)) * scales.reshape(shape)
    return real
