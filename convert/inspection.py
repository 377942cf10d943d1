"""What there is to say of a .tflite in its report, and what its card says of the ends."""

from dataclasses import dataclass

from convert.graph import Graph, Tensor
from edge.contract.card import InputSpec, Mode, Quantisation

UNCALIBRATED: dict[Mode, str] = {
    "float16": "none; activations are floating point",
    "dynamic": "none; activations are quantised anew at each call",
    "float32": "none; nothing is quantised",
}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A graph in short.

    Attributes:
        input: its input.
        output: its output.
        stored_input: the tensor behind the input's QUANTIZE; without one, the input.
        stored_output: the tensor before the output's DEQUANTIZE; without one, the output.
        ops: names of its operators, in their order.
        weights: dtypes of the constants.
        joins: operators that read two activations or more.
        unfolded: operators that multiply by or add a constant, behind the scaling of the input.
    """

    input: Tensor
    output: Tensor
    stored_input: Tensor
    stored_output: Tensor
    ops: tuple[str, ...]
    weights: tuple[str, ...] = ()
    joins: int = 0
    unfolded: int = 0


def facts(graph: Graph) -> ModelFacts:
    """What the report says of it."""
    return ModelFacts(
        graph.tensors[graph.input],
        graph.tensors[graph.output],
        *graph.stored_ends(),
        ops=tuple(operator.name for operator in graph.operators),
        weights=tuple(sorted({graph.tensors[number].dtype for number in graph.weights()})),
        joins=graph.joins(),
        unfolded=len(graph.unfolded()),
    )


def contract(
    found: ModelFacts, calibration_chips: int, calibration: str, mode: Mode = "int8"
) -> tuple[InputSpec, Quantisation]:
    """The card's sections on input and quantisation."""
    quantisation = Quantisation(
        mode=mode,
        input_scale=found.stored_input.scale,
        input_zero_point=found.stored_input.zero_point,
        output_scale=found.stored_output.scale,
        output_zero_point=found.stored_output.zero_point,
        calibration_chips=calibration_chips,
        calibration=calibration,
    )
    return InputSpec(dtype="int8" if mode == "int8" else "float32"), quantisation
