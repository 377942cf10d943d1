"""What a .tflite must look like to be exact and fast on the device."""

from dataclasses import dataclass

import numpy as np

from edge import runtime
from edge.contract.card import InputSpec, Quantisation
from edge.errors import PermanentError

FORBIDDEN_OPS = frozenset({"QUANTIZE", "DEQUANTIZE", "BATCH_NORM"})
"""Signs of a conversion that is int8 in name only."""


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """One end of the model: shape, dtype and affine parameters."""

    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the interpreter says of a file."""

    input: TensorFacts
    output: TensorFacts
    ops: tuple[str, ...]


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
    # the only public listing of operators the runtimes have
    ops = tuple(op["op_name"] for op in interpreter._get_ops_details())  # type: ignore[attr-defined]
    return ModelFacts(ends[0], ends[1], ops)


def problems(found: ModelFacts) -> list[str]:
    """What is wrong with an int8 model; empty if nothing is."""
    wrong = []
    if found.input.dtype != "int8" or found.output.dtype != "int8":
        wrong.append(f"input is {found.input.dtype} and output {found.output.dtype}, expected int8 for both")
    if found.input.shape[0] != 1:
        wrong.append(f"the batch is {found.input.shape[0]}, expected 1")
    if found.input.zero_point != -128 or not np.isclose(found.input.scale, 1.0, atol=1e-6):
        wrong.append(
            f"the input quantises with scale {found.input.scale:g} and zero point {found.input.zero_point}, "
            "expected exactly 1 and -128: the calibration set must hold both 0 and 255, unscaled"
        )
    forbidden = sorted(FORBIDDEN_OPS & set(found.ops))
    if forbidden:
        wrong.append(f"operators {', '.join(forbidden)} are inside, expected none: part of the model is not int8")
    return wrong


def contract(found: ModelFacts, calibration_chips: int, calibration: str) -> tuple[InputSpec, Quantisation]:
    """The card's sections on input and quantisation."""
    quantisation = Quantisation(
        mode="int8",
        input_scale=found.input.scale,
        input_zero_point=found.input.zero_point,
        output_scale=found.output.scale,
        output_zero_point=found.output.zero_point,
        calibration_chips=calibration_chips,
        calibration=calibration,
    )
    return InputSpec(dtype="int8"), quantisation
