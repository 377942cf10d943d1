"""Models of every kind, as small as they can be: coarse averages of the chip, one matrix, and maybe a softmax."""

import io
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge import runtime
from edge.classifier import SHIPPED, ContractClassifier
from edge.contract.card import Golden, InputSpec, ModelCard, Quantisation, read_card, with_card
from edge.contract.chip import ChipSpec
from edge.contract.labels import FER2013_LABELS
from edge.contract.terms import GivenContract, contract_of
from edge.ends import read_ends
from edge.probing import probe_chips

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
CELLS = 4
"""Averages along a side of the chip."""


@dataclass(frozen=True)
class Tiny:
    """What a model is to be, and its answers, worked out without any interpreter.

    Attributes:
        low: what it expects for a black pixel.
        high: what it expects for a white one.
        dtype: of both its ends.
    """

    side: int = 48
    channels: int = 1
    labels: tuple[str, ...] = FER2013_LABELS
    low: float = 0.0
    high: float = 255.0
    dtype: str = "float32"
    output: str = "logits"
    seed: int = 1
    weights: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        drawn = random.normal(0, 1.5, (CELLS * CELLS * self.channels, len(self.labels))) / (self.high - self.low)
        object.__setattr__(self, "weights", drawn.astype(np.float32))

    @property
    def scale(self) -> float:
        return (self.high - self.low) / 255

    def contract(self, **changes: Any) -> GivenContract:
        """What the configuration has to say of it."""
        given = {"labels": self.labels, "output": self.output, "scale": self.scale, "offset": self.low, **changes}
        return GivenContract(**given)

    def toml(self) -> str:
        """The same as a user writes it."""
        lines = [f"labels = {list(self.labels)}", f'output = "{self.output}"']
        return "\n".join(["[expression.contract]", *lines, f"scale = {self.scale}", f"offset = {self.low}", ""])

    def probabilities(self, chips: NDArray[np.uint8], temperature: float = 1.0) -> NDArray[np.float64]:
        """(N, classes) for chips (N, side, side, channels)."""
        cell = self.side // CELLS
        real = chips.astype(np.float64) * self.scale + self.low
        cells = real.reshape(-1, CELLS, cell, CELLS, cell, self.channels).mean(axis=(2, 4))
        logits = cells.reshape(len(chips), -1) @ self.weights.astype(np.float64) / temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def model(self) -> bytes:
        """The .tflite, without a card."""
        import tensorflow as tf

        def answer(chip: Any) -> Any:
            cell = self.side // CELLS
            cells = tf.nn.avg_pool2d(chip, cell, cell, "VALID")
            logits = tf.linalg.matmul(tf.reshape(cells, (1, -1)), self.weights)
            return tf.nn.softmax(logits) if self.output == "probabilities" else logits

        chips = probe_chips(ChipSpec(size=self.side, channels=1 if self.channels == 1 else 3))
        real = chips.astype(np.float32) * self.scale + self.low
        return converted(answer, [(1, self.side, self.side, self.channels)], self.dtype, real)

    def write(self, path: Path, *, card: bool = False, **changes: Any) -> Path:
        """The file; a card's fields may be changed so that it lies."""
        path.write_bytes(self.carded(**changes) if card else self.model())
        return path

    def carded(self, **changes: Any) -> bytes:
        """The .tflite with a card and golden chips."""
        model = self.model()
        ends = read_ends("tiny", runtime.load(model, "tiny").interpreter)
        floats = self.dtype == "float32"
        quantised = (0.0, 0, 0.0, 0) if floats else (ends.input.scale, ends.input.zero_point)
        if not floats:
            quantised = (*quantised, ends.output.scale, ends.output.zero_point)
        card: ModelCard = msgspec.structs.replace(
            read_card(SHIPPED.read_bytes(), "shipped")[0],
            name="tiny",
            labels=self.labels,
            chip=ChipSpec(size=self.side, channels=1 if self.channels == 1 else 3),
            input=InputSpec(dtype=self.dtype, scale=self.scale, offset=self.low),  # type: ignore[arg-type]
            output=self.output,
            temperature=1.0,
            quantisation=Quantisation("float32" if floats else "int8", *quantised, 0, "tiny"),
            cost=msgspec.UNSET,
        )
        chips = probe_chips(card.chip)
        classifier = ContractClassifier("tiny", runtime.load(model, "tiny"), ends, contract_of(card))
        golden = Golden(chips, np.stack([classifier.raw(chip) for chip in chips]))
        return with_card(model, msgspec.structs.replace(card, **changes), golden)


def converted(
    function: Any, shapes: list[tuple[int, ...]], dtype: str = "float32", real: Any = None, custom: bool = False
) -> bytes:
    """A function of tensors as a .tflite; quantised with `real`, float32 (N, …), unless dtype is float32."""
    import tensorflow as tf

    module = tf.Module()
    signature = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    concrete = tf.function(function, input_signature=signature).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    converter.allow_custom_ops = custom
    if dtype != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([each[np.newaxis]] for each in real)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = getattr(tf, dtype)
    return bytes(converter.convert())


def without_card(content: bytes) -> bytes:
    """The model that a card was appended to."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return content[: min(info.header_offset for info in archive.infolist())]
