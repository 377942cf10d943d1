"""What the interpreter says of a file, held against its card: both ends, operators, weights, delegation."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.finding import Finding, close, equal
from convert.graph import DELEGATE, Operator, list_operators
from edge import runtime
from edge.contract.card import InputSpec, Mode, ModelCard
from edge.errors import PermanentError

AFFINE = frozenset({"MUL", "DIV", "ADD", "SUB"})
"""What a scaling, or a BatchNorm that was not folded, becomes."""

MULTIPLY = frozenset({"MUL", "DIV"})

STORED: tuple[Mode, ...] = ("int8", "int8-float-io")
"""Modes whose activations are int8."""


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """A loaded file.

    Attributes:
        runtime: the interpreter's name and version.
        xnnpack: whether it said that it uses XNNPACK.
        input: the interpreter's details of the input tensor.
        output: likewise.
        operators: in the order of the file, those that run in the delegate too.
        delegates: what the runtime put in their place.
        tensors: the interpreter's details of all tensors, by index.
        weights: constant tensors of two and more dimensions, by name.
    """

    runtime: str
    xnnpack: bool
    input: Mapping[str, Any]
    output: Mapping[str, Any]
    operators: tuple[Operator, ...]
    delegates: tuple[Operator, ...]
    tensors: Mapping[int, Mapping[str, Any]]
    weights: Mapping[str, NDArray[Any]]

    def varying(self) -> set[int]:
        """The tensors that depend on the picture."""
        found = {int(self.input["index"])}
        for each in self.operators:
            if found & set(each.inputs):
                found |= set(each.outputs)
        return found


def read_structure(content: bytes, name: str) -> Structure:
    """Look into a file.

    Raises:
        PermanentError: no runtime can load it, it has custom operators, or not exactly one input and one output.
    """
    refuse_custom_operators(content, name)
    loaded = runtime.load(content, name)
    interpreter: Any = loaded.interpreter
    ends = []
    for what, details in (("input", interpreter.get_input_details()), ("output", interpreter.get_output_details())):
        if len(details) != 1:
            raise PermanentError(f"{name} has {len(details)} {what}s, expected one; it is a model of another task")
        ends.append(details[0])
    listed = list_operators(interpreter)
    operators = tuple(each for each in listed if each.name != DELEGATE)
    computed = {index for each in operators for index in each.outputs} | {ends[0]["index"]}
    constant = {index for each in operators for index in each.inputs} - computed
    tensors = {int(tensor["index"]): tensor for tensor in interpreter.get_tensor_details()}
    weights = {
        tensor["name"]: interpreter.get_tensor(index)
        for index, tensor in tensors.items()
        if index in constant and len(tensor["shape"]) >= 2
    }
    delegates = tuple(each for each in listed if each.name == DELEGATE)
    return Structure(loaded.runtime, loaded.xnnpack, ends[0], ends[1], operators, delegates, tensors, weights)


def refuse_custom_operators(content: bytes, name: str) -> None:
    """Name the custom and Flex operators of a file; a runtime names the first only, among other complaints.

    Raises:
        PermanentError: there are some.
    """
    try:
        from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415
    except ImportError:  # without LiteRT the runtime's own words have to do
        return
    if content[4:8] != b"TFL3":
        return
    model = schema.Model.GetRootAs(content)
    codes = [model.OperatorCodes(at).CustomCode() for at in range(model.OperatorCodesLength())]
    custom = sorted({code.decode(errors="replace") for code in codes if code})
    if custom:
        raise PermanentError(
            f"{name} has the custom operator{'s' if len(custom) > 1 else ''} {', '.join(custom)}, expected TFLite's "
            "built-in ones only: the device has no others; replace the layer and convert again"
        )


def check_structure(found: Structure, card: ModelCard) -> Iterator[Finding]:
    """All findings on the file's structure."""
    yield from _ends(found, card)
    names = Counter(each.name for each in found.operators)
    listed = ", ".join(f"{count} {name}" for name, count in sorted(names.items()))
    mode = card.quantisation.mode
    between = set(_conversions(found, mode))
    inside = any(each.name in ("QUANTIZE", "DEQUANTIZE") and each not in between for each in found.operators)
    expected = {
        "int8-float-io": "one QUANTIZE behind the input and one DEQUANTIZE before the output, none inside",
        "float16": "no QUANTIZE, and DEQUANTIZE of weights only",
    }
    yield Finding("operators", not inside, listed, expected.get(mode, "no QUANTIZE or DEQUANTIZE inside"))
    left = unfolded(found)
    yield Finding(
        "BatchNorm",
        not left,
        ", ".join(f"{each.name} by a constant, operator {at}" for at, each in left) or "all of it folded",
        "no MUL, DIV, ADD or SUB by a constant but the scaling at the input",
    )
    lost = [name for name, values in found.weights.items() if (values == values.flat[0]).all()]
    yield Finding(
        "weights",
        bool(found.weights) and not lost,
        f"one value throughout in {', '.join(lost)}" if lost else f"{len(found.weights)} kernels, each of many values",
        "some, and none of one value throughout",
    )
    if mode in STORED:
        yield _delegation(found)


def _conversions(found: Structure, mode: Mode) -> Iterator[Operator]:
    """The QUANTIZE and DEQUANTIZE that a mode is made of."""
    varying = found.varying()
    for each in found.operators:
        starts = each.name == "QUANTIZE" and found.input["index"] in each.inputs
        ends = each.name == "DEQUANTIZE" and found.output["index"] in each.outputs
        unpacks = each.name == "DEQUANTIZE" and not varying & set(each.inputs)
        if (mode == "int8-float-io" and (starts or ends)) or (mode == "float16" and unpacks):
            yield each


def _ends(found: Structure, card: ModelCard) -> Iterator[Finding]:
    size, channels, mode = card.chip.size, card.chip.channels, card.quantisation.mode
    shapes = {"input": (1, size, size, channels), "output": (1, len(card.labels))}
    scale, zero_point = _exact_input(card.input)
    said = card.quantisation
    parameters = {
        "input": (scale, zero_point, ", so that a pixel less 128 is its int8 value"),
        "output": (said.output_scale, said.output_zero_point, ", as its card says"),
    }
    for end, tensor in (("input", found.input), ("output", found.output)):
        yield equal(f"{end} dtype", np.dtype(tensor["dtype"]).name, "int8" if mode == "int8" else "float32")
        # an open batch shows as 1 in `shape`, and as -1 here only
        signature = tensor.get("shape_signature", tensor["shape"])
        yield equal(f"{end} shape", tuple(int(n) for n in signature), shapes[end], ", one chip at a time, by its card")
        if mode in STORED:
            found_scale, found_zero = _stored(found, end, tensor)["quantization"]
            expected_scale, expected_zero, reason = parameters[end]
            yield close(f"{end} scale", float(found_scale), expected_scale, 1e-5 * expected_scale, reason)
            yield equal(f"{end} zero point", int(found_zero), expected_zero, reason)


def _stored(found: Structure, end: str, tensor: Mapping[str, Any]) -> Mapping[str, Any]:
    """The int8 tensor of an end: itself, or the one on the other side of its QUANTIZE or DEQUANTIZE."""
    for each in found.operators:
        if end == "input" and each.name == "QUANTIZE" and tensor["index"] in each.inputs:
            return found.tensors[each.outputs[0]]
        if end == "output" and each.name == "DEQUANTIZE" and tensor["index"] in each.outputs:
            return found.tensors[each.inputs[0]]
    return tensor


def _exact_input(spec: InputSpec) -> tuple[float, int]:
    """Scale and zero point under which each of 0..255 is one int8 value: `real = (pixel - 128 - zero) * scale`."""
    return spec.scale, round(-128 - spec.offset / spec.scale)


def unfolded(found: Structure) -> list[tuple[int, Operator]]:
    """Operators that multiply by or add a constant, but for the scaling of the input, each with its position.

    The scaling is at most one MUL (or DIV) and one ADD (or SUB), and the first that happens to the input tensor.
    Whatever else has one operand that does not depend on the picture is a BatchNorm or a bias that was not folded;
    where both do it is a shortcut or a gate of the network.
    """
    varying = found.varying()
    left = []
    scaled, allowed = int(found.input["index"]), [MULTIPLY, AFFINE - MULTIPLY]
    for at, each in enumerate(found.operators):
        if each.name == "QUANTIZE" and scaled in each.inputs:
            scaled = each.outputs[0]
        if each.name not in AFFINE or set(each.inputs) <= varying or not varying & set(each.inputs):
            continue
        kind = next((names for names in allowed if each.name in names), None)
        if scaled in each.inputs and kind is not None:
            scaled, allowed = each.outputs[0], [names for names in allowed if names != kind]
        else:
            left.append((at, each))
    return left


def _delegation(found: Structure) -> Finding:
    """One delegate that takes the model's input and nothing else that is computed, and gives its output, does all."""
    computed = {index for each in found.operators for index in each.outputs}
    start, end = int(found.input["index"]), int(found.output["index"])
    whole = [
        each
        for each in found.delegates
        if start in each.inputs and not computed & set(each.inputs) and end in each.outputs
    ]
    if not found.xnnpack:
        said = f"{found.runtime} without XNNPACK"
    elif not found.delegates:
        said = "no operator in XNNPACK"
    elif not whole or len(found.delegates) > 1:
        said = f"XNNPACK in {len(found.delegates)} part(s) of the graph, other operators beside them"
    else:
        said = f"all {len(found.operators)} operators in XNNPACK"
    passed = found.xnnpack and len(found.delegates) == 1 and bool(whole)
    return Finding("delegation", passed, said, "all operators in XNNPACK, in one piece")
