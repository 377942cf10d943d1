"""The model card: what a .tflite is, carried inside the file itself.

It lies in a ZIP archive appended to the model, the mechanism TFLite metadata uses for associated files: TFLite reads
the file from its start, `zipfile` and `unzip -p` from its end.
"""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.contract.chip import ChipSpec
from edge.contract.figures import Cost, DataFacts, SplitFigures
from edge.errors import PermanentError
from edge.types import Pixels

CARD_NAME = "emotion-edge-card.json"
GOLDEN_CHIPS_NAME = "emotion-edge-golden/chips.npy"
GOLDEN_OUTPUTS_NAME = "emotion-edge-golden/outputs.npy"
LABELS_NAME = "labels.txt"
"""One label a line: what TFLite metadata calls the file, so that other tools find the labels, too."""

VERSIONS = (1, 2)
"""Layouts of the card that this program reads. 2 added `cost`, and labels.txt beside the card."""

Mode = Literal["int8", "int8-float-io", "float16", "dynamic", "float32"]
"""What is quantised: weights and activations, ends included (int8) or not (int8-float-io); weights only, as float16 or,
the large ones, as int8 (dynamic); nothing (float32). The ends are float32 in every mode but int8."""


class InputSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model's input tensor means: `real = pixel * scale + offset`, quantised as the tensor says.

    Attributes:
        dtype: of the tensor.
        scale: 1.0 where the scaling is the model's own first layer.
        offset: 0.0 likewise.
    """

    dtype: Literal["int8", "uint8", "float32"] = "int8"
    scale: float = 1.0
    offset: float = 0.0


class Quantisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Affine parameters of input and output: `real = (stored - zero_point) * scale`.

    Attributes:
        mode: what is quantised.
        input_scale: of the input tensor; in int8-float-io of the int8 tensor right behind it; else 0.0, not quantised.
        input_zero_point: likewise, 0 where it is not quantised.
        output_scale: of the output tensor; in int8-float-io of the int8 tensor right before it; else 0.0.
        output_zero_point: likewise.
        calibration_chips: that the activations' ranges were measured on; 0 where they have none.
        calibration: how those were chosen.
    """

    mode: Mode
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    calibration_chips: int
    calibration: str


class ModelCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything a runtime or a person needs to know to use the model rightly.

    Attributes:
        name: short name of the model.
        labels: class names in the order of the outputs.
        chip: what the model wants to see.
        input: what the input tensor means.
        output: whether the outputs are logits or probabilities already.
        temperature: divide logits by this before the softmax (Guo et al. 2017).
        quantisation: as converted.
        recipe: how it was trained, resolved.
        data: name, SHA-256 and terms of the training data.
        figures: measured quality, by split and then by file kind (`float`, and the mode's name).
        intended_use: for people.
        limits: for people.
        schema: version of this layout.
        cost: size, parameters and multiply-accumulates; version 1 has none.
    """

    name: str
    labels: tuple[str, ...]
    chip: ChipSpec
    input: InputSpec
    output: Literal["logits", "probabilities"]
    temperature: float
    quantisation: Quantisation
    recipe: dict[str, Any]
    data: DataFacts
    figures: dict[str, SplitFigures]
    intended_use: str
    limits: str
    schema: Literal[1, 2] = 2
    cost: Cost | msgspec.UnsetType = msgspec.UNSET


class _Version(msgspec.Struct):
    """As much of any card, past or to come, as it takes to know whether the rest can be read."""

    schema: int


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """Chips with the outputs the file gave when it was made.

    Attributes:
        chips: uint8 (N, S, S, C), 0..255; generated, no photos.
        outputs: (N, classes), dtype of the output tensor, as the interpreter returned them.
    """

    chips: Pixels
    outputs: NDArray[Any]


def with_card(model: bytes, card: ModelCard, golden: Golden) -> bytes:
    """The model with card and golden chips appended. Same input, same bytes.

    A card of version 2 is given the model's size, and the labels go along as a file of their own.
    """
    files = [(GOLDEN_CHIPS_NAME, _to_npy(golden.chips)), (GOLDEN_OUTPUTS_NAME, _to_npy(golden.outputs))]
    if card.schema > 1:
        cost = Cost(len(model)) if card.cost is msgspec.UNSET else msgspec.structs.replace(card.cost, size_b=len(model))
        card = msgspec.structs.replace(card, cost=cost)
        files.append((LABELS_NAME, "".join(f"{label}\n" for label in card.labels).encode()))
    tail = io.BytesIO()
    tail.write(model)
    with zipfile.ZipFile(tail, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in ((CARD_NAME, card_json(card)), *files):
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return tail.getvalue()


def card_json(card: ModelCard) -> bytes:
    """The card as it stands in the file: JSON, indented."""
    return msgspec.json.format(msgspec.json.encode(card))


def _to_npy(array: NDArray[Any]) -> bytes:
    data = io.BytesIO()
    np.save(data, array, allow_pickle=False)
    return data.getvalue()


def _from_npy(data: bytes) -> NDArray[Any]:
    array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def read_model(path: Path) -> bytes:
    """The bytes of a model file.

    Raises:
        PermanentError: there is no such file, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise PermanentError(f"cannot read the model {path}: {error.strerror}; check the path") from error


class NoCard(PermanentError):
    """The file may be a sound model, but says nothing of itself."""


def read_card(content: bytes, name: str) -> tuple[ModelCard, Golden]:
    """Card and golden chips of a model file.

    Raises:
        NoCard: there is no card.
        PermanentError: it is broken, of a version unknown here, or contradicts the file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            model_b = min((info.header_offset for info in archive.infolist()), default=len(content))
            card = _decoded(archive.read(CARD_NAME), name)
            golden = Golden(_from_npy(archive.read(GOLDEN_CHIPS_NAME)), _from_npy(archive.read(GOLDEN_OUTPUTS_NAME)))
    except (zipfile.BadZipFile, KeyError) as error:
        raise NoCard(
            f"{name} carries no model card (expected {CARD_NAME} in a ZIP behind the model, found: {error}); "
            "make the file with `python -m convert quantize`, or fetch it again"
        ) from error
    except (msgspec.MsgspecError, ValueError, OSError) as error:
        raise PermanentError(f"the model card of {name} is broken: {error}; make or fetch the file again") from error
    _refuse_lies(card, model_b, name)
    return card, golden


def _decoded(data: bytes, name: str) -> ModelCard:
    """The card, once its version is known to be one of `VERSIONS`."""
    version = msgspec.json.decode(data, type=_Version).schema
    if version not in VERSIONS:
        known = " and ".join(map(str, VERSIONS))
        raise PermanentError(
            f"the model card of {name} has the layout of version {version}, this program reads {known}; "
            "install a newer emotion-edge, or convert the model with this one"
        )
    return msgspec.json.decode(data, type=ModelCard)


def _refuse_lies(card: ModelCard, model_b: int, name: str) -> None:
    cost = card.cost
    if cost is msgspec.UNSET:
        return
    if cost.size_b != model_b:
        raise PermanentError(
            f"the model card of {name} says that the model has {cost.size_b} bytes, found {model_b}: the file is "
            "damaged, or the card is of another model; make or fetch the file again"
        )
    if (cost.parameters or 0) > model_b:
        raise PermanentError(
            f"the model card of {name} says {cost.parameters} parameters, expected at most one for each of the model's "
            f"{model_b} bytes; the card is of another model: convert it again"
        )
