"""Runs an expression model. All that has to do with quantisation stays in here."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge import runtime
from edge.contract.card import NoCard, read_card, read_model
from edge.contract.chip import ChipSpec
from edge.contract.terms import Contract, GivenContract, contract_of
from edge.ends import End, Ends, check_card, check_contract, read_ends
from edge.errors import ConfigError
from edge.runtime import Loaded
from edge.types import EmotionScores, Pixels, read_only

SHIPPED = Path(__file__).parent / "models" / "emotion-int8.tflite"
"""The model that comes with the program."""

SIGN = np.uint8(0x80)
"""The bit by which a pixel 0..255 and the int8 128 below it differ."""


class ContractClassifier:
    """A `Classifier` on a TFLite model under a contract. Not safe for two threads at once.

    Attributes:
        name: for people.
        contract: what it is loaded under.
        labels: class names, in the order of the scores.
        views: the one chip it wants of each face.
        step: between two values of the output, 0 where it is not quantised.
        runtime: the interpreter's name and version.
        xnnpack: whether it uses XNNPACK.
        rejected_runtimes: why each better runtime was not taken.
    """

    def __init__(self, name: str, loaded: Loaded, ends: Ends, contract: Contract) -> None:
        """Run what `loaded` holds, whose ends were checked against `contract`."""
        self.name = name
        self.contract = contract
        self.labels = contract.labels
        self.views: tuple[ChipSpec, ...] = (contract.chip,)
        self.step = ends.output.scale
        self.runtime = loaded.runtime
        self.xnnpack = loaded.xnnpack
        self.rejected_runtimes = loaded.rejected
        self._interpreter = loaded.interpreter
        self._input = ends.input.index
        self._output = ends.output
        self._weight_of = self._weight_table()
        self._table = _input_table(contract, ends.input)
        # the usual int8 case: pixel - 128
        self._flip = bool(
            self._table.dtype == np.int8 and np.array_equal(self._table, np.arange(-128, 128, dtype=np.int8))
        )

    def classify(self, *chips: Pixels) -> tuple[EmotionScores, ...]:
        """Calibrated probabilities for each of `chips`: one array, uint8 (N, S, S, C), 0..255."""
        (own,) = chips
        return tuple(self._probabilities(self.raw(chip)) for chip in own)

    def raw(self, chip: Pixels) -> NDArray[Any]:
        """The output tensor (classes,) in its own dtype, for one chip uint8 (S, S, C)."""
        stored = (chip ^ SIGN).view(np.int8) if self._flip else self._table[chip]
        self._interpreter.set_tensor(self._input, stored[np.newaxis])
        self._interpreter.invoke()
        result: NDArray[Any] = self._interpreter.get_tensor(self._output.index)[0]
        return result

    def invoke(self) -> None:
        """The bare native call, on whatever the input holds: what a chip costs at least (for benchmarks)."""
        self._interpreter.invoke()

    def real(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Output values as float32: `(stored - zero_point) * scale`."""
        values: NDArray[np.float32] = stored.astype(np.float32)
        if self.step:
            values = (values - np.float32(self._output.zero_point)) * np.float32(self.step)
        return values

    def _probabilities(self, stored: NDArray[Any]) -> EmotionScores:
        weights = self._weights(self.real(stored)) if self._weight_of is None else self._weight_of[stored]
        scores: EmotionScores = (weights / np.add.reduce(weights)).astype(np.float32)
        read_only(scores)
        return scores

    def _weights(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """What the probabilities are proportional to; logits are divided by the temperature (Guo et al. 2017)."""
        weights: NDArray[np.float64] = values.astype(np.float64)
        if self.contract.output == "logits":
            weights = np.exp((weights - weights.max()) / self.contract.temperature)
        return weights

    def _weight_table(self) -> NDArray[np.float64] | None:
        """The weight of each of the 256 values that an 8-bit output can have; None for other outputs."""
        dtype = self._output.dtype
        if dtype.itemsize != 1:
            return None
        # in the order of their bits, so that a negative value counts from the end, as NumPy's indices do
        return self._weights(self.real(np.arange(256, dtype=np.uint8).view(dtype)))


class TfliteClassifier(ContractClassifier):
    """A model whose file carries its card.

    Attributes:
        card: the contract the file was loaded under, and more.
        golden: chips with known outputs, from the file.
    """

    def __init__(self, path: Path = SHIPPED, threads: int = 1) -> None:
        """Load and check a model.

        Raises:
            NoCard: the file may be a sound model, but has no card.
            PermanentError: the file is no model, or is not what its card says.
        """
        content = read_model(path)
        loaded = runtime.load(content, str(path), threads)
        self.card, self.golden = read_card(content, str(path))
        ends = read_ends(str(path), loaded.interpreter)
        check_card(path.name, self.card, self.golden, ends)
        super().__init__(self.card.name, loaded, ends, contract_of(self.card))


def load_classifier(path: Path, given: GivenContract | None = None, threads: int = 1) -> ContractClassifier:
    """A model with its card, or without one under the contract that is given for it.

    Raises:
        ConfigError: it has neither card nor contract, or both and they contradict each other.
        PermanentError: it is no expression model, or is not what card or contract say.
    """
    try:
        carded = TfliteClassifier(path, threads)
    except NoCard as no_card:
        loaded = runtime.load(read_model(path), str(path), threads)
        ends = read_ends(str(path), loaded.interpreter)
        if given is None:
            raise ConfigError(_what_to_say(path, ends)) from no_card
        contract = given.settled(ends.size, ends.channels)
        check_contract(path.name, contract, ends)
        return ContractClassifier(path.name, loaded, ends, contract)
    wrong = [] if given is None else list(given.contradictions(carded.contract))
    if wrong:
        raise ConfigError(
            f"{path} carries a model card, and the contract in the configuration contradicts it: {'; '.join(wrong)}; "
            "take the contract out, or name the file it is for in `model`"
        )
    return carded


def _what_to_say(path: Path, ends: Ends) -> str:
    """Why a file without a card does not run, and the lines that let it."""
    labels = ", ".join(f'"class {number}"' for number in range(1, ends.classes + 1))
    return (
        f"{path} carries no model card, and the configuration does not say what it takes and gives. Its input is "
        f"{ends.input.text()}, its output {ends.output.text()}. Make a file with a card (`python -m convert "
        "quantize`), or say the rest in the file given with --config:\n"
        "[expression.contract]\n"
        f"labels = [{labels}]  # in the order of the outputs\n"
        'output = "logits"  # or "probabilities", if its last layer is a softmax\n'
        "scale = 1.0  # it is given pixel * scale + offset: 1.0 for 0..255, 0.00392157 for 0..1, 0.00784314 for -1..1\n"
        "offset = 0.0  # -1.0 for -1..1\n"
        f'model = "{path.name}"  # where several models are named; with several such, write [[expression.contract]]'
    )


def _input_table(contract: Contract, end: End) -> NDArray[Any]:
    """What each pixel value 0..255 is stored as in the input tensor, shape (256,)."""
    real = np.arange(256, dtype=np.float64) * contract.scale + contract.offset
    if end.dtype == np.float32:
        return real.astype(np.float32)
    limits = np.iinfo(end.dtype)
    stored: NDArray[Any] = np.clip(np.rint(real / end.scale) + end.zero_point, limits.min, limits.max)
    return stored.astype(end.dtype)
