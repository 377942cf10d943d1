"""The operators of a .tflite and how they hang together, as far as the runtimes tell."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.flatbuffer import refuse_custom_operators, refuse_dead_layers
from edge import runtime
from edge.errors import PermanentError

MULTIPLY = frozenset({"MUL", "DIV"})
AFFINE = MULTIPLY | {"ADD", "SUB"}
"""What a scaling, or a BatchNorm that was not folded, becomes."""

HEAVY = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})
DELEGATE = "DELEGATE"
"""Stands for the operators a delegate took over, which are listed as well."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One step: its name and the numbers of the tensors it reads and writes."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """What a tensor holds.

    Attributes:
        shape: as the file declares it; -1 where it is open.
        dtype: as NumPy calls it.
        scale: of `real = (stored - zero_point) * scale`; 0: not quantised, or one scale a channel.
        zero_point: likewise.
        name: in the file.
    """

    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int
    name: str = ""

    @property
    def size(self) -> int:
        """How many values it holds, for one chip."""
        return math.prod(abs(side) for side in self.shape)


@dataclass(frozen=True, slots=True)
class Graph:
    """All operators, in their order, those a delegate took over too, and the tensors by number."""

    operators: tuple[Operator, ...]
    tensors: dict[int, Tensor]
    input: int
    output: int
    delegates: tuple[Operator, ...] = ()

    def varying(self) -> frozenset[int]:
        """The tensors that depend on the chip."""
        found = {self.input}
        for operator in self.operators:
            if found.intersection(operator.inputs):
                found.update(operator.outputs)
        return frozenset(found)

    def weights(self) -> tuple[int, ...]:
        """The tensors that no operator writes, as they lie in the file."""
        written = {number for operator in self.operators for number in operator.outputs} | {self.input}
        return tuple(sorted(self.tensors.keys() - written))

    def kernels(self) -> tuple[int, ...]:
        """The weights of two and more dimensions that operators read."""
        read = {number for operator in self.operators for number in operator.inputs}
        return tuple(number for number in self.weights() if number in read and len(self.tensors[number].shape) >= 2)

    def stored_ends(self) -> tuple[Tensor, Tensor]:
        """Input and output, or what lies on the other side of their QUANTIZE and DEQUANTIZE."""
        start, end = self.input, self.output
        for each in self.operators:
            if each.name == "QUANTIZE" and each.inputs == (self.input,):
                start = each.outputs[0]
            if each.name == "DEQUANTIZE" and each.outputs == (self.output,):
                end = each.inputs[0]
        return self.tensors[start], self.tensors[end]

    def joins(self) -> int:
        """Operators that read two activations or more: skip connections, gates, and branches not merged."""
        varying = self.varying()
        return sum(len(varying.intersection(operator.inputs)) > 1 for operator in self.operators)

    def unfolded(self) -> tuple[tuple[int, Operator], ...]:
        """Operators that multiply by or add a constant, but for the scaling of the input, each with its position.

        The scaling is at most one MUL (or DIV) and one ADD (or SUB), and the first that happens to the input tensor.
        Whatever else has one operand that does not depend on the chip is a BatchNorm or a bias that was not folded;
        where both do it is a shortcut or a gate of the network.
        """
        varying = self.varying()
        left = []
        scaled, allowed = self.input, [MULTIPLY, AFFINE - MULTIPLY]
        for at, each in enumerate(self.operators):
            if each.name == "QUANTIZE" and scaled in each.inputs:
                scaled = each.outputs[0]
            if each.name not in AFFINE or set(each.inputs) <= varying or not varying.intersection(each.inputs):
                continue
            kind = next((names for names in allowed if each.name in names), None)
            if scaled in each.inputs and kind is not None:
                scaled, allowed = each.outputs[0], [names for names in allowed if names != kind]
            else:
                left.append((at, each))
        return tuple(left)

    def activations(self) -> Iterator[tuple[Operator, int]]:
        """Each operator's output that depends on the chip, with its number."""
        varying = self.varying()
        for operator in self.operators:
            for number in operator.outputs:
                if number in varying:
                    yield operator, number

    def left_outside(self) -> tuple[Operator, ...]:
        """The operators that no delegate took over."""
        inside = set()
        for delegate in self.delegates:
            wanted = set(delegate.outputs)
            for at, each in reversed(list(enumerate(self.operators))):
                if wanted.intersection(each.outputs):
                    inside.add(at)
                    wanted.update(set(each.inputs) - set(delegate.inputs))
        return tuple(each for at, each in enumerate(self.operators) if at not in inside)


def load_graph(content: bytes, name: str) -> tuple[runtime.Loaded, Graph]:
    """A file in the runtime that the device would choose here, and its graph.

    Raises:
        PermanentError: no runtime can load it, it has custom operators or a dead layer, or not exactly one input and
            one output.
    """
    try:
        loaded = runtime.load(content, name)
    except PermanentError:
        # a runtime names the first custom operator only, among other complaints, and no dead layer
        refuse_custom_operators(content, name)
        refuse_dead_layers(content, name, branches=True)
        raise
    return loaded, read_graph(loaded.interpreter, name)


def read_graph(interpreter: Any, name: str = "the model") -> Graph:
    """What an interpreter of LiteRT or tflite-runtime, tensors allocated, says of its model.

    Raises:
        PermanentError: it has not exactly one input and one output.
    """
    ends = []
    for what, details in (("input", interpreter.get_input_details()), ("output", interpreter.get_output_details())):
        if len(details) != 1:
            raise PermanentError(f"{name} has {len(details)} {what}s, expected one; it is a model of another task")
        ends.append(int(details[0]["index"]))
    tensors = {}
    for details in interpreter.get_tensor_details():
        scale, zero_point = details["quantization"]
        # an open batch shows as 1 in `shape`, and as -1 here only
        shape = tuple(int(side) for side in details.get("shape_signature", details["shape"]))
        dtype = np.dtype(details["dtype"]).name
        tensors[int(details["index"])] = Tensor(shape, dtype, float(scale), int(zero_point), details["name"])
    # the only public listing the runtimes have; -1 stands for an input left out
    listed = tuple(
        Operator(op["op_name"], tuple(int(n) for n in op["inputs"] if n >= 0), tuple(int(n) for n in op["outputs"]))
        for op in interpreter._get_ops_details()
    )
    operators = tuple(each for each in listed if each.name != DELEGATE)
    delegates = tuple(each for each in listed if each.name == DELEGATE)
    return Graph(operators, tensors, ends[0], ends[1], delegates)
