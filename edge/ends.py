"""The two ends of a TFLite model: what they must be for an expression model, for its card, and for its contract."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from edge.contract.card import Golden, ModelCard
from edge.contract.terms import Contract
from edge.errors import PermanentError
from edge.runtime import Interpreter

DTYPES = ("int8", "uint8", "float32")


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """Input or output tensor of a model.

    Attributes:
        index: in the interpreter.
        shape: with the batch, which is 1.
        dtype: int8, uint8 or float32.
        scale: `real = (stored - zero_point) * scale`; 0 where it is not quantised.
        zero_point: likewise.
    """

    index: int
    shape: tuple[int, ...]
    dtype: "np.dtype[Any]"
    scale: float
    zero_point: int

    def text(self) -> str:
        """Dtype and shape, for messages."""
        return f"{self.dtype.name} {self.shape}"


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Both, as far as every expression model has them: one chip (1, S, S, 1 or 3) in, one (1, classes) out."""

    input: End
    output: End

    @property
    def size(self) -> int:
        """Side of the chip in px."""
        return self.input.shape[1]

    @property
    def channels(self) -> Literal[1, 3]:
        """Of the chip."""
        return 3 if self.input.shape[3] == 3 else 1

    @property
    def classes(self) -> int:
        """How many numbers it answers with."""
        return self.output.shape[1]


def read_ends(name: str, interpreter: Interpreter) -> Ends:
    """Input and output of a model.

    Raises:
        PermanentError: this is a model of another kind.
    """
    inputs = [_end(details) for details in interpreter.get_input_details()]
    outputs = [_end(details) for details in interpreter.get_output_details()]
    wrong = []
    if len(inputs) != 1 or not _is_chip(inputs[0]):
        wrong.append(
            f"takes {_listed(inputs)}, expected one square chip (1, size, size, 1 or 3) of {', '.join(DTYPES)}"
        )
    if len(outputs) != 1 or not _is_answer(outputs[0]):
        wrong.append(f"gives {_listed(outputs)}, expected one (1, classes) of {', '.join(DTYPES)}")
    if not wrong:
        wrong = [
            f"has an {which} of {end.dtype.name} without a scale, expected one"
            for which, end in (("input", inputs[0]), ("output", outputs[0]))
            if end.dtype.itemsize == 1 and not end.scale > 0
        ]
    if wrong:
        raise PermanentError(
            f"{name} is not a model that names the expression on a face: it {' and '.join(wrong)}; give another file"
        )
    return Ends(inputs[0], outputs[0])


def _end(details: dict[str, Any]) -> End:
    scale, zero_point = details["quantization"]
    shape = tuple(int(n) for n in details["shape"])
    return End(int(details["index"]), shape, np.dtype(details["dtype"]), float(scale), int(zero_point))


def _is_chip(end: End) -> bool:
    shape = end.shape
    square = len(shape) == 4 and shape[0] == 1 and shape[1] == shape[2] and shape[3] in (1, 3)
    return square and end.dtype.name in DTYPES


def _is_answer(end: End) -> bool:
    return len(end.shape) == 2 and end.shape[0] == 1 and end.shape[1] >= 2 and end.dtype.name in DTYPES


def _listed(ends: list[End]) -> str:
    return f"{len(ends)} ({'; '.join(end.text() for end in ends)})" if len(ends) != 1 else ends[0].text()


def check_contract(name: str, contract: Contract, ends: Ends) -> None:
    """Compare what the configuration says with the tensors.

    Raises:
        PermanentError: they contradict each other.
    """
    chip = contract.chip
    refuse(
        name,
        "contract in the configuration",
        [
            ("input shape", ends.input.shape, (1, chip.size, chip.size, chip.channels)),
            ("number of outputs", ends.classes, len(contract.labels)),
        ],
        "correct the contract, or give another model",
    )


def check_card(name: str, card: ModelCard, golden: Golden, ends: Ends) -> None:
    """Compare a card with the tensors and the golden chips.

    Raises:
        PermanentError: they contradict each other.
    """
    chip, quantisation = card.chip, card.quantisation
    expected_shape = (1, chip.size, chip.size, chip.channels)
    floats = quantisation.mode != "int8"
    pairs: list[tuple[str, object, object]] = [
        ("input shape", ends.input.shape, expected_shape),
        ("input dtype", ends.input.dtype.name, card.input.dtype),
        ("number of outputs", ends.classes, len(card.labels)),
        ("golden chips' shape", golden.chips.shape[1:], expected_shape[1:]),
        ("golden outputs' shape", golden.outputs.shape, (len(golden.chips), len(card.labels))),
        ("golden outputs' dtype", golden.outputs.dtype.name, ends.output.dtype.name),
        (f"input of a {quantisation.mode} model being float32", card.input.dtype == "float32", floats),
        (f"output of a {quantisation.mode} model being float32", ends.output.dtype == np.float32, floats),
    ]
    if not floats:
        for which, end, said_zero_point, said_scale in (
            ("input", ends.input, quantisation.input_zero_point, quantisation.input_scale),
            ("output", ends.output, quantisation.output_zero_point, quantisation.output_scale),
        ):
            pairs.append((f"{which} zero point", end.zero_point, said_zero_point))
            pairs.append((f"{which} scale", round(end.scale, 7), round(said_scale, 7)))
    refuse(name, "card", pairs, "convert it again")


def refuse(name: str, source: str, pairs: list[tuple[str, object, object]], remedy: str) -> None:
    """Raise if anything was found otherwise than it was said.

    Args:
        name: of the model.
        source: who said it.
        pairs: what, as found, as said.
        remedy: what to do.

    Raises:
        PermanentError: found and said differ.
    """
    wrong = [f"{what} is {found}, its {source} says {said}" for what, found, said in pairs if found != said]
    if wrong:
        raise PermanentError(f"{name} is not the model its {source} describes: {'; '.join(wrong)}; {remedy}")
