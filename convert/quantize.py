"""Float model in, TFLite with card and golden chips out, both measured on the same pictures."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from convert.activations import ActivationRange, worst_activations
from convert.calibration import refuse_scaled, refuse_too_few, representative
from convert.data import data_settings
from convert.flatbuffer import refuse_dead_layers
from convert.golden import golden_chips
from convert.graph import load_graph
from convert.inspection import UNCALIBRATED, ModelFacts, contract, facts
from convert.metadata import with_metadata
from convert.original import open_original
from convert.structure import check_exact
from convert.tflite import CALIBRATED
from edge.classifier import TfliteClassifier
from edge.contract.card import Golden, Mode, ModelCard, with_card
from edge.errors import ConfigError, PermanentError
from edge.types import Pixels
from training.data import load_data
from training.data.dataset import Dataset, blank
from training.data.order import in_order
from training.files import write_whole
from training.metrics import Scores, score
from training.recipe import DataSettings

FER2013_TERMS = "FER2013 (Goodfellow et al. 2013): web pictures, no licence stated; research and evaluation only"
OTHER_TERMS = "as the source of the data states; not known to this program"
FER2013_LOADERS = ("fer2013-csv", "icml-csv", "kaggle-csv")


@dataclass(frozen=True, slots=True)
class Job:
    """What to convert.

    Attributes:
        model: Keras file (.keras, .h5) or SavedModel directory with raw 0..255 input and logits (or probabilities)
            out, as `training fit` writes, its report.json beside it; or a float32 .tflite with its card.
        data: what it was trained on, for calibration and the figures.
        out: the .tflite to write.
        loader: how to read `data`; None: as the model's recipe says.
        cache: where parsed data is kept.
        train_split: what to calibrate on; None: as the model's recipe says.
        report_split: what to measure on; None: as the model's recipe says.
        seed: of the choice of calibration chips.
        mode: what to quantise.
    """

    model: Path
    data: Path
    out: Path
    loader: str | None = None
    cache: Path | None = None
    train_split: str | None = None
    report_split: str | None = None
    seed: int = 1
    mode: Mode = "int8"


class Result(msgspec.Struct, frozen=True):
    """What came out; as JSON, the report's figures.

    Attributes:
        card: as embedded.
        split: what was measured on.
        facts: what the interpreter says of the file.
        float_scores: of the Keras model.
        int8_scores: of the file, whatever its mode, through the production adapter.
        agreement: share of pictures both name alike.
        size_b: of the file, in bytes.
        sha256: of the file.
        normalisations: BatchNormalization layers of the Keras model; None where it does not say.
        activations: those that quantise worst, worst first; empty where they are not int8.
    """

    card: ModelCard
    split: str
    facts: ModelFacts
    float_scores: Scores
    int8_scores: Scores
    agreement: float
    size_b: int
    sha256: str
    normalisations: int | None = None
    activations: tuple[ActivationRange, ...] = ()


def quantize(job: Job) -> Result:
    """Convert, check, measure, and write the file.

    Raises:
        ConfigError: a file is missing or the data lacks a split or a class.
        PermanentError: the model cannot be quantised exactly; nothing is written.
    """
    original = open_original(job.model, job.mode)
    labels = original.card.labels
    data = data_settings(
        original.card.recipe.get("settings"),
        job.model,
        loader=job.loader,
        train_split=job.train_split,
        report_split=job.report_split,
    )
    dataset = in_order(load_data(data.loader, job.data, job.cache, data.options), labels)
    measured = _part(dataset, data.report_split)
    refuse_scaled(measured.chips, f"{job.data}, {data.report_split}")
    chips = _calibration(job, data, original.trained_on, dataset) if job.mode in CALIBRATED else None
    content = original.convert(job.mode, chips)
    refuse_dead_layers(content, job.out.name, branches=False)
    _, graph = load_graph(content, job.out.name)
    found = facts(graph)
    card = _card(job, data, original.card, found, 0 if chips is None else len(chips), dataset.sha256)
    wrong = [finding.text() for finding in check_exact(graph, card) if not finding.passed]
    if wrong:
        raise PermanentError(f"{job.model} was not quantised exactly: {'; '.join(wrong)}")
    content = with_metadata(content, card)
    if card.cost is not msgspec.UNSET:
        card = msgspec.structs.replace(card, cost=msgspec.structs.replace(card.cost, size_b=len(content)))
    draft = with_card(content, card, _blank_golden(card, found))
    classifier = _reload(draft)
    card_golden = Golden(
        golden_chips(card.chip.size, card.chip.channels),
        np.stack([classifier.raw(chip) for chip in golden_chips(card.chip.size, card.chip.channels)]),
    )
    names = measured.label_names
    float_probabilities = original.probabilities(measured.chips)
    int8_probabilities = np.stack(classifier.classify(measured.chips))
    float_scores = score(float_probabilities, measured.labels, names)
    int8_scores = score(int8_probabilities, measured.labels, names)
    agreement = float((float_probabilities.argmax(1) == int8_probabilities.argmax(1)).mean())
    figures = {
        data.report_split: {
            "n": int8_scores.n,
            "pictures": {entry.label: entry.support for entry in int8_scores.per_class},
            "float": _figures(float_scores),
            job.mode: _figures(int8_scores),
            "agreement": round(agreement, 4),
        }
    }
    card = msgspec.structs.replace(card, figures=figures)
    final = with_card(content, card, card_golden)
    write_whole(job.out, final)
    digest = hashlib.sha256(final).hexdigest()
    return Result(
        card,
        data.report_split,
        found,
        float_scores,
        int8_scores,
        agreement,
        len(final),
        digest,
        original.normalisations,
        () if chips is None else worst_activations(content, chips),
    )


def _calibration(job: Job, data: DataSettings, trained_on: str, dataset: Dataset) -> Pixels:
    """Chips to measure the activations' ranges on, uint8 (M, S, S, C)."""
    train = _part(dataset, data.train_split)
    refuse_scaled(train.chips, f"{job.data}, {data.train_split}")
    train = train.take(~blank(train.chips))
    refuse_too_few(train.labels, train.label_names, trained_on.startswith(dataset.sha256))
    return representative(train.chips, train.labels, len(train.label_names), job.seed)


def _part(dataset: Dataset, split: str) -> Dataset:
    part = dataset.split(split)
    if not len(part):
        raise ConfigError(f"the data has no split {split!r}, it has {', '.join(dataset.split_names())}")
    return part


def _card(
    job: Job, source: DataSettings, original: ModelCard, found: ModelFacts, calibration_chips: int, data_sha256: str
) -> ModelCard:
    """The float model's, with what the conversion makes of it; figures come later."""
    chosen = f"{source.train_split}, class-balanced, seed {job.seed}, with one chip of 0..255"
    calibration = UNCALIBRATED.get(job.mode, chosen)
    input_spec, quantisation = contract(found, calibration_chips, calibration, job.mode)
    terms = FER2013_TERMS if source.loader in FER2013_LOADERS else OTHER_TERMS
    return msgspec.structs.replace(
        original,
        input=input_spec,
        quantisation=quantisation,
        data={"name": source.loader, "sha256": data_sha256, "terms": terms},
        figures={},
    )


def _blank_golden(card: ModelCard, found: ModelFacts) -> Golden:
    """Of the right shape, so that the draft can be loaded through the adapter that then computes the real ones."""
    chips = golden_chips(card.chip.size, card.chip.channels)
    return Golden(chips, np.zeros((len(chips), len(card.labels)), found.output.dtype))


def _reload(content: bytes) -> TfliteClassifier:
    with tempfile.TemporaryDirectory(prefix="emotion-edge-") as folder:
        path = Path(folder) / "draft.tflite"
        path.write_bytes(content)
        return TfliteClassifier(path)


def _figures(scores: Scores) -> dict[str, Any]:
    return {
        "accuracy": round(scores.accuracy, 4),
        "accuracy_interval": [round(edge, 4) for edge in scores.accuracy_interval],
        "macro_f1": round(scores.macro_f1, 4),
        "ece": round(scores.ece, 4),
        "nll": round(scores.nll, 4),
        "precision": {entry.label: round(entry.precision, 4) for entry in scores.per_class},
        "recall": {entry.label: round(entry.recall, 4) for entry in scores.per_class},
        "f1": {entry.label: round(entry.f1, 4) for entry in scores.per_class},
    }
