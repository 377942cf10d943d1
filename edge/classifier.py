"""Runs the expression model. All that has to do with quantisation stays in here."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge import runtime
from edge.contract.card import Golden, ModelCard, read_card, read_model
from edge.errors import PermanentError
from edge.types import EmotionScores, Pixels, read_only

SHIPPED = Path(__file__).parent / "models" / "emotion-int8.tflite"
"""The model that comes with the program."""


class TfliteClassifier:
    """A `Classifier` on a TFLite file that carries its card. Not safe for two threads at once.

    Attributes:
        card: the contract the file was loaded under.
        golden: chips with known outputs, from the file.
        labels: class names, in the order of the scores.
        runtime: the interpreter's name and version.
        xnnpack: whether it uses XNNPACK.
        rejected_runtimes: why each better runtime was not taken.
    """

    def __init__(self, path: Path = SHIPPED, threads: int = 1) -> None:
        """Load and check a model.

        Raises:
            PermanentError: the file is no model, has no card, or is not what its card says.
        """
        content = read_model(path)
        loaded = runtime.load(content, str(path), threads)
        self.card, self.golden = read_card(content, str(path))
        self.labels = self.card.labels
        self.runtime = loaded.runtime
        self.xnnpack = loaded.xnnpack
        self.rejected_runtimes = loaded.rejected
        self._interpreter = loaded.interpreter
        self._input = loaded.interpreter.get_input_details()[0]
        self._output = loaded.interpreter.get_output_details()[0]
        _check(path.name, self.card, self.golden, self._input, self._output)
        self._weight_of = self._weight_table()
        self._table = _input_table(self.card, self._input)
        # the usual int8 case: pixel - 128, which is one flipped bit
        self._flip = bool(
            self._table.dtype == np.int8 and np.array_equal(self._table, np.arange(-128, 128, dtype=np.int8))
        )

    def classify(self, chips: Pixels) -> tuple[EmotionScores, ...]:
        """Calibrated probabilities for each of `chips`, uint8 (N, S, S, C), 0..255."""
        return tuple(self._probabilities(self.raw(chip)) for chip in chips)

    def raw(self, chip: Pixels) -> NDArray[Any]:
        """The output tensor (classes,) in its own dtype, for one chip uint8 (S, S, C)."""
        stored = (chip ^ np.uint8(0x80)).view(np.int8) if self._flip else self._table[chip]
        self._interpreter.set_tensor(self._input["index"], stored[np.newaxis])
        self._interpreter.invoke()
        result: NDArray[Any] = self._interpreter.get_tensor(self._output["index"])[0]
        return result

    def invoke(self) -> None:
        """The bare native call, on whatever the input holds: what a chip costs at least (for benchmarks)."""
        self._interpreter.invoke()

    def real(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Output values as float32: `(stored - zero_point) * scale`."""
        scale, zero_point = self._output["quantization"]
        values: NDArray[np.float32] = stored.astype(np.float32)
        if scale:
            values = (values - np.float32(zero_point)) * np.float32(scale)
        return values

    def _probabilities(self, stored: NDArray[Any]) -> EmotionScores:
        weights = self._weights(self.real(stored)) if self._weight_of is None else self._weight_of[stored]
        scores: EmotionScores = (weights / np.add.reduce(weights)).astype(np.float32)
        read_only(scores)
        return scores

    def _weights(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """What the probabilities are proportional to; logits are divided by the temperature (Guo et al. 2017)."""
        weights = values.astype(np.float64)
        if self.card.output == "logits":
            weights = np.exp((weights - weights.max()) / self.card.temperature)
        return weights

    def _weight_table(self) -> NDArray[np.float64] | None:
        """The weight of each of the 256 values that an 8-bit output can have; None for other outputs."""
        dtype = np.dtype(self._output["dtype"])
        if dtype.itemsize != 1:
            return None
        # in the order of their bits, so that a negative value counts from the end, as NumPy's indices do
        return self._weights(self.real(np.arange(256, dtype=np.uint8).view(dtype)))


def _input_table(card: ModelCard, tensor: dict[str, Any]) -> NDArray[Any]:
    """What each pixel value 0..255 is stored as in the input tensor, shape (256,)."""
    real = np.arange(256, dtype=np.float64) * card.input.scale + card.input.offset
    dtype = np.dtype(tensor["dtype"])
    if dtype == np.float32:
        return real.astype(np.float32)
    scale, zero_point = tensor["quantization"]
    limits = np.iinfo(dtype)
    stored: NDArray[Any] = np.clip(np.rint(real / scale) + zero_point, limits.min, limits.max).astype(dtype)
    return stored


def _check(
    name: str, card: ModelCard, golden: Golden, input_tensor: dict[str, Any], output_tensor: dict[str, Any]
) -> None:
    chip = card.chip
    quantisation = card.quantisation
    expected_shape = (1, chip.size, chip.size, chip.channels)
    floats = quantisation.mode != "int8"
    output_dtype = np.dtype(output_tensor["dtype"])
    pairs: list[tuple[str, object, object]] = [
        ("input shape", tuple(int(n) for n in input_tensor["shape"]), expected_shape),
        ("input dtype", np.dtype(input_tensor["dtype"]).name, card.input.dtype),
        ("number of outputs", int(np.prod(output_tensor["shape"])), len(card.labels)),
        ("golden chips' shape", golden.chips.shape[1:], expected_shape[1:]),
        ("golden outputs' shape", golden.outputs.shape, (len(golden.chips), len(card.labels))),
        ("golden outputs' dtype", golden.outputs.dtype.name, output_dtype.name),
        (f"input of a {quantisation.mode} model being float32", card.input.dtype == "float32", floats),
        (f"output of a {quantisation.mode} model being float32", output_dtype == np.float32, floats),
    ]
    if not floats:
        ends = (
            ("input", input_tensor, quantisation.input_zero_point, quantisation.input_scale),
            ("output", output_tensor, quantisation.output_zero_point, quantisation.output_scale),
        )
        for end, tensor, said_zero_point, said_scale in ends:
            scale, zero_point = tensor["quantization"]
            pairs.append((f"{end} zero point", int(zero_point), said_zero_point))
            pairs.append((f"{end} scale", round(float(scale), 7), round(said_scale, 7)))
    wrong = [f"{what} is {found}, its card says {said}" for what, found, said in pairs if found != said]
    if wrong:
        raise PermanentError(f"{name} is not the model its card describes: {'; '.join(wrong)}; convert it again")
