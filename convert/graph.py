"""The operators of a .tflite and how they hang together, as far as the runtimes tell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

ARITHMETIC = frozenset({"MUL", "ADD", "SUB", "DIV"})
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
    """A tensor's name, dtype and affine parameters (scale 0: not quantised, or one scale a channel)."""

    name: str
    dtype: str
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True)
class Graph:
    """All operators, in their order, and the tensors by number."""

    operators: tuple[Operator, ...]
    tensors: dict[int, Tensor]
    input: int
    output: int

    def constants(self) -> frozenset[int]:
        """Tensors that are the same for every chip: weights, and what is computed of them alone."""
        varying = {self.input}
        for operator in self.operators:
            if varying.intersection(operator.inputs):
                varying.update(operator.outputs)
        return frozenset(self.tensors.keys() - varying)

    def weight_dtypes(self) -> tuple[str, ...]:
        """Of all tensors that no operator writes, sorted."""
        written = {number for operator in self.operators for number in operator.outputs} | {self.input}
        return tuple(sorted({tensor.dtype for number, tensor in self.tensors.items() if number not in written}))

    def joins(self) -> int:
        """Operators that read two activations or more: skip connections, gates, and branches not merged."""
        constants = self.constants()
        return sum(len(set(operator.inputs) - constants) > 1 for operator in self.operators)

    def loose_arithmetic(self) -> int:
        """Multiplications and additions of one activation with constants, behind the first convolution.

        That is what a normalisation becomes which the converter could not fold into its neighbour. Before the first
        convolution they are the scaling of the input.
        """
        constants = self.constants()
        heavy = False
        count = 0
        for operator in self.operators:
            heavy = heavy or operator.name in HEAVY
            varying = set(operator.inputs) - constants
            count += heavy and operator.name in ARITHMETIC and len(varying) == 1 < len(operator.inputs)
        return count

    def activations(self) -> Iterator[tuple[Operator, int]]:
        """Each operator's output that depends on the chip, with its number."""
        constants = self.constants()
        for operator in self.operators:
            for number in operator.outputs:
                if number not in constants:
                    yield operator, number


def list_operators(interpreter: Any) -> tuple[Operator, ...]:
    """All of them in the order of the file, then the delegates that took some over, named `DELEGATE`."""
    # the only public listing the runtimes have; -1 stands for an input left out
    return tuple(
        Operator(op["op_name"], tuple(int(n) for n in op["inputs"] if n >= 0), tuple(int(n) for n in op["outputs"]))
        for op in interpreter._get_ops_details()
    )


def read_graph(interpreter: Any) -> Graph:
    """What an interpreter of LiteRT or tflite-runtime, tensors allocated, says of its model."""
    tensors = {}
    for details in interpreter.get_tensor_details():
        scale, zero_point = details["quantization"]
        dtype = np.dtype(details["dtype"]).name
        tensors[int(details["index"])] = Tensor(details["name"], dtype, float(scale), int(zero_point))
    operators = tuple(operator for operator in list_operators(interpreter) if operator.name != DELEGATE)
    ends = (int(interpreter.get_input_details()[0]["index"]), int(interpreter.get_output_details()[0]["index"]))
    return Graph(operators, tensors, *ends)
