"""What a .tflite of each mode must look like to be exact and fast on the device."""

from dataclasses import dataclass

import numpy as np

from convert.graph import Graph, list_operators, read_graph
from edge import runtime
from edge.contract.card import InputSpec, Mode, Quantisation
from edge.errors import PermanentError

FORBIDDEN_OPS = frozenset({"QUANTIZE", "DEQUANTIZE", "BATCH_NORM"})
"""Signs of a conversion that is int8 in name only."""
WEIGHTS: dict[Mode, str] = {"float16": "float16", "dynamic": "int8", "float32": "float32"}
"""Weights of this dtype are in the file, or the mode has changed nothing."""
UNCALIBRATED: dict[Mode, str] = {
    "float16": "none; activations are floating point",
    "dynamic": "none; activations are quantised anew at each call",
    "float32": "none; nothing is quantised",
}


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """One end of the model: shape, dtype and affine parameters."""

    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the interpreter says of a file.

    Attributes:
        input: its input.
        output: its output.
        ops: names of its operators, in their order.
        batch: of the input as the file declares it; -1 if it is open, which `input.shape` shows as 1.
        inner_input: the int8 tensor behind a float32 input, if there is one.
        inner_output: the int8 tensor before a float32 output, if there is one.
        weights: dtypes of the constants.
        joins: operators that read two activations or more.
        loose_arithmetic: multiplications and additions with constants behind the first convolution.
    """

    input: TensorFacts
    output: TensorFacts
    ops: tuple[str, ...]
    batch: int = 1
    inner_input: TensorFacts | None = None
    inner_output: TensorFacts | None = None
    weights: tuple[str, ...] = ()
    joins: int = 0
    loose_arithmetic: int = 0


def facts(content: bytes, name: str) -> ModelFacts:
    """Read a model's ends and operators.

    Raises:
        PermanentError: no runtime can load it, or it has not exactly one input and one output.
    """
    interpreter = runtime.load(content, name).interpreter
    ends = []
    for what, details in (("input", interpreter.get_input_details()), ("output", interpreter.get_output_details())):
        if len(details) != 1:
            raise PermanentError(f"{name} has {len(details)} {what}s, expected one; it is a model of another task")
        tensor = details[0]
        scale, zero_point = tensor["quantization"]
        shape = tuple(int(n) for n in tensor["shape"])
        ends.append(TensorFacts(shape, np.dtype(tensor["dtype"]).name, float(scale), int(zero_point)))
    declared = interpreter.get_input_details()[0].get("shape_signature", ())
    ops = tuple(operator.name for operator in list_operators(interpreter))
    graph = read_graph(interpreter)
    behind = [op.outputs[0] for op in graph.operators if op.name == "QUANTIZE" and op.inputs == (graph.input,)]
    before = [op.inputs[0] for op in graph.operators if op.name == "DEQUANTIZE" and op.outputs == (graph.output,)]
    return ModelFacts(
        ends[0],
        ends[1],
        ops,
        batch=int(declared[0]) if len(declared) else ends[0].shape[0],
        inner_input=_inner(graph, behind, ends[0]),
        inner_output=_inner(graph, before, ends[1]),
        weights=graph.weight_dtypes(),
        joins=graph.joins(),
        loose_arithmetic=graph.loose_arithmetic(),
    )


def _inner(graph: Graph, numbers: list[int], end: TensorFacts) -> TensorFacts | None:
    if len(numbers) != 1:
        return None
    tensor = graph.tensors[numbers[0]]
    return TensorFacts(end.shape, tensor.dtype, tensor.scale, tensor.zero_point)


def problems(found: ModelFacts, mode: Mode = "int8") -> list[str]:
    """What is wrong with a model of that mode; empty if nothing is."""
    wrong = []
    end = "int8" if mode == "int8" else "float32"
    if found.input.dtype != end or found.output.dtype != end:
        wrong.append(f"input is {found.input.dtype} and output {found.output.dtype}, expected {end} for both")
    if found.input.shape[0] != 1:
        wrong.append(f"the batch is {found.input.shape[0]}, expected 1")
    elif found.batch != 1:
        wrong.append(
            f"the batch is {found.batch}, that is, open; expected 1: XNNPACK refuses an open one in tflite-runtime"
        )
    if mode == "int8":
        wrong += _inexact(found.input)
    elif mode == "int8-float-io":
        if found.inner_input is None or found.inner_output is None:
            wrong.append("no int8 tensor right behind the input and right before the output, expected one each")
        else:
            wrong += _inexact(found.inner_input)
    elif WEIGHTS[mode] not in found.weights:
        wrong.append(
            f"the constants are {', '.join(found.weights)}, expected {WEIGHTS[mode]} among them: nothing was "
            "quantised, as happens in small models, whose weights dynamic leaves alone below 1024 values; take another "
            "mode"
        )
    return wrong + _foreign_operators(found, mode)


def _inexact(tensor: TensorFacts) -> list[str]:
    if tensor.zero_point == -128 and np.isclose(tensor.scale, 1.0, atol=1e-6):
        return []
    return [
        f"the input quantises with scale {tensor.scale:g} and zero point {tensor.zero_point}, "
        "expected exactly 1 and -128: the calibration set must hold both 0 and 255, unscaled"
    ]


def _foreign_operators(found: ModelFacts, mode: Mode) -> list[str]:
    forbidden = set(FORBIDDEN_OPS)
    if mode == "float16":
        forbidden.discard("DEQUANTIZE")  # that is how its weights are unpacked
    if mode == "int8-float-io":
        forbidden -= {name for name in ("QUANTIZE", "DEQUANTIZE") if found.ops.count(name) == 1}  # its ends
    present = sorted(forbidden & set(found.ops))
    if not present:
        return []
    what = f"operators {', '.join(present)} are inside, expected "
    if mode == "int8-float-io":
        return [what + "one QUANTIZE and one DEQUANTIZE at the ends: part of the model is not int8"]
    return [what + ("none; part of the model is not int8" if mode == "int8" else f"none in a {mode} model")]


def contract(
    found: ModelFacts, calibration_chips: int, calibration: str, mode: Mode = "int8"
) -> tuple[InputSpec, Quantisation]:
    """The card's sections on input and quantisation, for a model without `problems`."""
    behind, before = found.inner_input or found.input, found.inner_output or found.output
    quantisation = Quantisation(
        mode=mode,
        input_scale=behind.scale,
        input_zero_point=behind.zero_point,
        output_scale=before.scale,
        output_zero_point=before.zero_point,
        calibration_chips=calibration_chips,
        calibration=calibration,
    )
    return InputSpec(dtype="int8" if mode == "int8" else "float32"), quantisation
