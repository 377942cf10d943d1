"""A float model that is to be quantised: what it is, how it answers, and how it becomes a .tflite."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from convert import ai_edge
from convert.loading import load_source
from convert.tflite import to_tflite
from edge.classifier import TfliteClassifier
from edge.contract.card import InputSpec, Mode, ModelCard, Quantisation, read_card, read_model
from edge.contract.chip import ChipSpec
from edge.contract.figures import Cost
from edge.errors import ConfigError, PermanentError
from edge.golden import replay
from edge.types import Pixels
from training import learner
from training.metrics import softmax
from training.report import report_beside

Probabilities: TypeAlias = NDArray[np.floating[Any]]

INTENDED_USE = (
    "Naming the apparent expression of upright, roughly frontal faces in a live picture, on the device that took it."
)
LIMITS = (
    "An expression is not a feeling. Trained on web pictures with noisy labels, without demographic labels: no claim "
    "of fairness is made. EU AI Act Art. 5(1)(f) bars inferring emotions at work and in education, but for medical or "
    "safety reasons; other uses are high-risk."
)
NOT_QUANTISED = Quantisation("float32", 0.0, 0, 0.0, 0, 0, "none; nothing is quantised")


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """A float model.

    Attributes:
        card: as of the float model; data, figures, input and quantisation are those of what is made of it.
        trained_on: SHA-256 of its training data.
        probabilities: chips uint8 (N, S, S, C) to calibrated probabilities (N, classes).
        convert: (mode, calibration chips or None) to a .tflite without card.
        normalisations: BatchNormalization layers in it; None where the file does not say.
    """

    card: ModelCard
    trained_on: str
    probabilities: Callable[[Any], Probabilities]
    convert: Callable[[Mode, Pixels | None], bytes]
    normalisations: int | None


def open_original(path: Path, mode: Mode) -> Original:
    """A Keras file or SavedModel with its training report, or a float32 .tflite with its card.

    Args:
        path: of the model.
        mode: that it shall become.

    Raises:
        ConfigError: there is none, something is missing beside it, or it cannot become that.
        PermanentError: it is broken, or not what its card says.
    """
    return _tflite(path, mode) if path.suffix == ".tflite" else _keras(path)


def _keras(path: Path) -> Original:
    source = load_source(path)
    trained = report_beside(path)
    _, size, _, channels = source.model.input_shape
    classes = source.model.output_shape[1]
    if classes != len(trained.labels):
        raise ConfigError(
            f"{path} knows {classes} classes, expected {len(trained.labels)}, the labels {', '.join(trained.labels)} "
            "of the training report beside it; give the report that belongs to it"
        )
    card = ModelCard(
        name=trained.recipe,
        labels=trained.labels,
        chip=ChipSpec(size=size, channels=1 if channels == 1 else 3),
        input=InputSpec(dtype="float32"),
        output=source.output,
        temperature=round(trained.temperature, 4) if source.output == "logits" else 1.0,
        quantisation=NOT_QUANTISED,
        recipe={
            "name": trained.recipe,
            "seed": trained.seed,
            "epochs": trained.epochs,
            "steps": trained.steps,
            "minutes": round(trained.minutes, 1),
            "parameters": trained.parameters,
            "macs": trained.macs,
            "settings": trained.resolved_recipe,
        },
        data={},
        figures={},
        intended_use=INTENDED_USE,
        limits=LIMITS,
        cost=Cost(0, trained.parameters, trained.macs),
    )

    def probabilities(chips: Any) -> Probabilities:
        answers: Probabilities = learner.logits_of(source.model, chips)
        calibrated: Probabilities = softmax(answers, card.temperature) if source.output == "logits" else answers
        return calibrated

    return Original(
        card,
        trained.data.sha256,
        probabilities,
        lambda mode, chips: to_tflite(source.model, mode, chips),
        source.normalisations,
    )


def _tflite(path: Path, mode: Mode) -> Original:
    content = read_model(path)
    card, _ = read_card(content, str(path))
    if card.quantisation.mode != "float32":
        raise ConfigError(
            f"{path} is {card.quantisation.mode} already; expected a float32 .tflite, as "
            "`python -m convert quantize --mode float32` writes, or the Keras model"
        )
    if mode != "int8":
        raise ConfigError(f"--mode {mode} takes the Keras model; expected int8, which is all a .tflite can become here")
    classifier = TfliteClassifier(path)
    answers = replay(classifier)
    if not answers.passed:
        raise PermanentError(f"{path} {answers.text()}; the file is damaged: make or fetch it again")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        bare = content[: min(info.header_offset for info in archive.infolist())]
    if card.cost is msgspec.UNSET:
        known = {key: card.recipe.get(key) for key in ("parameters", "macs")}
        card = msgspec.structs.replace(card, cost=Cost(0, **known), schema=2)

    def convert(_: Mode, chips: Pixels | None) -> bytes:
        if chips is None:
            raise PermanentError("int8 takes calibration chips, found none")
        return ai_edge.to_int8(bare, chips)

    return Original(
        card,
        card.data.get("sha256", ""),
        lambda chips: np.stack(classifier.classify(chips)),
        convert,
        None,
    )
