"""The graph of a file held against its card: both ends, operators, weights."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from convert.delegation import check_delegation
from convert.finding import Finding, close, equal
from convert.graph import Graph, Operator
from edge.contract.card import InputSpec, Mode, ModelCard
from edge.runtime import Loaded

STORED: tuple[Mode, ...] = ("int8", "int8-float-io")
"""Modes whose activations are int8."""

WEIGHTS: dict[Mode, str] = {
    "int8": "int8",
    "int8-float-io": "int8",
    "float16": "float16",
    "dynamic": "int8",
    "float32": "float32",
}
"""Weights of this dtype are in the file, or the mode has changed nothing."""


def check_structure(graph: Graph, loaded: Loaded, card: ModelCard) -> Iterator[Finding]:
    """All findings on the file's structure."""
    yield from check_exact(graph, card)
    left = graph.unfolded()
    yield Finding(
        "BatchNorm",
        not left,
        ", ".join(f"{each.name} by a constant, operator {at}" for at, each in left) or "all of it folded",
        "no MUL, DIV, ADD or SUB by a constant but the scaling at the input: each takes a step of its own and one more "
        "rounding; a BatchNorm right behind a convolution, before its activation, is folded",
    )
    yield _kernels(graph, loaded)
    if card.quantisation.mode in STORED:
        settings = card.recipe.get("settings")
        yield check_delegation(graph, loaded, ours=isinstance(settings, dict) and "network" in settings)


def check_exact(graph: Graph, card: ModelCard) -> Iterator[Finding]:
    """What a file of the card's mode must be, or it is so in name only."""
    yield from _ends(graph, card)
    mode = card.quantisation.mode
    names = Counter(each.name for each in graph.operators)
    listed = ", ".join(f"{count} {name}" for name, count in sorted(names.items()))
    between = set(_conversions(graph, mode))
    inside = any(each.name in ("QUANTIZE", "DEQUANTIZE") and each not in between for each in graph.operators)
    expected = {
        "int8-float-io": "one QUANTIZE behind the input and one DEQUANTIZE before the output, none inside",
        "float16": "no QUANTIZE, and DEQUANTIZE of weights only",
    }
    yield Finding("operators", not inside, listed, expected.get(mode, "no QUANTIZE or DEQUANTIZE inside"))
    dtypes = sorted({graph.tensors[number].dtype for number in graph.weights()})
    hint = "; dynamic leaves weights of fewer than 1024 values alone, take another mode" if mode == "dynamic" else ""
    stored = f"{WEIGHTS[mode]} among them: else nothing was quantised{hint}"
    yield Finding("stored weights", WEIGHTS[mode] in dtypes, ", ".join(dtypes), stored)


def _conversions(graph: Graph, mode: Mode) -> Iterator[Operator]:
    """The QUANTIZE and DEQUANTIZE that a mode is made of."""
    varying = graph.varying()
    for each in graph.operators:
        starts = each.name == "QUANTIZE" and graph.input in each.inputs
        ends = each.name == "DEQUANTIZE" and graph.output in each.outputs
        unpacks = each.name == "DEQUANTIZE" and not varying.intersection(each.inputs)
        if (mode == "int8-float-io" and (starts or ends)) or (mode == "float16" and unpacks):
            yield each


def _ends(graph: Graph, card: ModelCard) -> Iterator[Finding]:
    size, channels, mode = card.chip.size, card.chip.channels, card.quantisation.mode
    shapes = {"input": (1, size, size, channels), "output": (1, len(card.labels))}
    scale, zero_point = _exact_input(card.input)
    said = card.quantisation
    why = ", so that a pixel less 128 is its int8 value: the calibration chips must hold both 0 and 255, unscaled"
    parameters = {
        "input": (scale, zero_point, why),
        "output": (said.output_scale, said.output_zero_point, ", as its card says"),
    }
    numbers = (graph.input, graph.output)
    for (end, (scale, zero_point, reason)), number, stored in zip(
        parameters.items(), numbers, graph.stored_ends(), strict=True
    ):
        tensor = graph.tensors[number]
        yield equal(f"{end} dtype", tensor.dtype, "int8" if mode == "int8" else "float32")
        batch = ", one chip at a time, by its card; XNNPACK refuses an open batch (-1) in tflite-runtime"
        yield equal(f"{end} shape", tensor.shape, shapes[end], batch)
        if mode in STORED:
            yield close(f"{end} scale", stored.scale, scale, 1e-5 * scale, reason)
            yield equal(f"{end} zero point", stored.zero_point, zero_point, reason)


def _exact_input(spec: InputSpec) -> tuple[float, int]:
    """Scale and zero point under which each of 0..255 is one int8 value: `real = (pixel - 128 - zero) * scale`."""
    return spec.scale, round(-128 - spec.offset / spec.scale)


def _kernels(graph: Graph, loaded: Loaded) -> Finding:
    kernels = graph.kernels()
    lost, broken = [], []
    for number in kernels:
        kernel = loaded.interpreter.get_tensor(number)
        if not np.isfinite(kernel).all():
            broken.append(graph.tensors[number].name)
        elif kernel.size > 1 and (kernel == kernel.flat[0]).all():
            lost.append(graph.tensors[number].name)
    faults = [f"one value throughout in {', '.join(lost)}"] if lost else []
    faults += [f"NaN or infinite values in {', '.join(broken)}"] if broken else []
    return Finding(
        "weights",
        bool(kernels) and not faults,
        "; ".join(faults) or f"{len(kernels)} kernels, each of many values",
        "some, all numbers, and none of one value throughout",
    )
