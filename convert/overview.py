"""What there is to choose between: one network in every mode, or several, measured on the same pictures in one run."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from convert.activations import ActivationRange, activation_ranges
from convert.calibration import representative
from convert.data import data_settings
from convert.gate import RecallDrop, recall_drops, scores_of
from convert.kernels import KernelRange, kernel_ranges
from convert.latency import timed
from convert.quantize import Job, quantize
from convert.reference import load_reference
from edge.classifier import TfliteClassifier
from edge.contract.card import Mode, read_card, read_model
from edge.errors import ConfigError
from edge.machine import Machine, describe
from training.compare import Difference, weigh
from training.data.dataset import blank
from training.evaluate import Answers, Material, ask, read_material
from training.metrics import Scores
from training.predictors import load_predictor
from training.recipe import DataSettings
from training.reporting.analysis import Bin, reliability

INT8_ACTIVATIONS: tuple[Mode, ...] = ("int8", "int8-float-io")


@dataclass(frozen=True, slots=True)
class Question:
    """What to compare.

    Attributes:
        models: .tflite files with their cards, the one in question first.
        data: pictures to measure on.
        against: the float model, .keras; None: the first file is what the others are held against.
        modes: to make of the float model, but those that are among `models` already.
        split: of the data; None: the report split of the first model's recipe.
        loader: how to read the data; None: as that recipe says.
        cache: where parsed data is kept.
        seed: of the calibration chips.
    """

    models: tuple[Path, ...]
    data: Path
    against: Path | None = None
    modes: tuple[Mode, ...] = ()
    split: str | None = None
    loader: str | None = None
    cache: Path | None = None
    seed: int = 1


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One file, beside the baseline.

    Attributes:
        name: of the file, or the mode it was made in for this report.
        mode: what is quantised in it.
        sha256: of the file.
        size_b: of the file, in bytes.
        ms: median of one invoke on one thread.
        scores: on the pictures.
        reliability: likewise, by confidence.
        agreement: share of the pictures named as by the baseline.
        accuracy: of the baseline and of this file.
        macro_f1: likewise.
        p_value: McNemar's exact test of the two accuracies.
        recall: what each class lost against the baseline.
    """

    name: str
    mode: Mode
    sha256: str
    size_b: int
    ms: float
    scores: Scores
    reliability: tuple[Bin, ...]
    agreement: float
    accuracy: Difference
    macro_f1: Difference
    p_value: float
    recall: tuple[RecallDrop, ...]


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All files.

    Attributes:
        machine: that it was measured on.
        split: of the data.
        data_sha256: of the data.
        labels: class names in the order of the scores.
        baseline: name of what all are held against.
        baseline_scores: of it.
        baseline_reliability: of it.
        candidates: the files, the one in question first.
        kernels: of the first file.
        activations: of the first file; empty where they are not int8.
        calibration_chips: that the activations were watched on.
    """

    machine: Machine
    split: str
    data_sha256: str
    labels: tuple[str, ...]
    baseline: str
    baseline_scores: Scores
    baseline_reliability: tuple[Bin, ...]
    candidates: tuple[Candidate, ...]
    kernels: tuple[KernelRange, ...]
    activations: tuple[ActivationRange, ...]
    calibration_chips: int


def overview(question: Question) -> Overview:
    """Make the missing modes, ask every file about all pictures, and time them in turn.

    Raises:
        ConfigError: no model, a file is missing, or the data lack a split or a class.
        PermanentError: a model is broken, or contradicts its card.
    """
    if not question.models:
        raise ConfigError("no .tflite was given; expected at least one, make it with `python -m convert quantize`")
    first = question.models[0]
    content = read_model(first)
    card, _ = read_card(content, first.name)
    settings = data_settings(card.recipe.get("settings"), first, loader=question.loader, report_split=question.split)
    material = read_material(question.data, settings.report_split, settings.loader, question.cache, settings.options)
    with tempfile.TemporaryDirectory(prefix="emotion-edge-") as scratch:
        files = {path.name: path for path in question.models}
        if len(files) < len(question.models):
            raise ConfigError("two of the models have the same file name; expected different ones, to tell them apart")
        files |= _made(
            question,
            {read_card(read_model(path), path.name)[0].quantisation.mode for path in files.values()},
            Path(scratch),
        )
        answers = {name: ask([path], load_predictor(path), material) for name, path in files.items()}
        baseline_name, baseline = _baseline(question, material, answers)
        times = timed({name: TfliteClassifier(path) for name, path in files.items()})
        candidates = tuple(_candidate(name, path, times[name], baseline, answers[name]) for name, path in files.items())
    chips = _watched(settings, question.seed, material) if card.quantisation.mode in INT8_ACTIVATIONS else None
    return Overview(
        machine=describe(),
        split=material.split,
        data_sha256=material.sha256,
        labels=material.part.label_names,
        baseline=baseline_name,
        baseline_scores=scores_of(baseline),
        baseline_reliability=_reliability(baseline),
        candidates=candidates,
        kernels=kernel_ranges(content, first.name),
        activations=() if chips is None else activation_ranges(content, chips),
        calibration_chips=0 if chips is None else len(chips),
    )


def _made(question: Question, there: set[Mode], folder: Path) -> dict[str, Path]:
    """The float model in the modes that are not there yet, by mode."""
    if question.against is None:
        return {}
    made: dict[str, Path] = {}
    for mode in question.modes:
        if mode in there:
            continue
        out = folder / f"{mode}.tflite"
        quantize(
            Job(
                question.against,
                question.data,
                out,
                loader=question.loader,
                cache=question.cache,
                report_split=question.split,
                seed=question.seed,
                mode=mode,
            )
        )
        made[mode] = out
    return made


def _baseline(question: Question, material: Material, answers: dict[str, Answers]) -> tuple[str, Answers]:
    if question.against is None:
        return next(iter(answers.items()))
    reference = load_reference(question.against)
    return question.against.name, ask([reference.path], reference.predictor, material)


def _candidate(name: str, path: Path, ms: float, baseline: Answers, answers: Answers) -> Candidate:
    content = read_model(path)
    card, _ = read_card(content, path.name)
    comparison = weigh(baseline, answers)
    return Candidate(
        name=name,
        mode=card.quantisation.mode,
        sha256=hashlib.sha256(content).hexdigest(),
        size_b=len(content),
        ms=round(ms, 4),
        scores=scores_of(answers),
        reliability=_reliability(answers),
        agreement=comparison.agreement,
        accuracy=comparison.accuracy,
        macro_f1=comparison.macro_f1,
        p_value=comparison.p_value,
        recall=recall_drops(baseline, answers),
    )


def _reliability(answers: Answers) -> tuple[Bin, ...]:
    bins: tuple[Bin, ...] = reliability(answers.probabilities, answers.material.part.labels)
    return bins


def _watched(settings: DataSettings, seed: int, material: Material) -> np.ndarray:
    """The representative chips, uint8 (M, S, S, C)."""
    train = material.dataset.split(settings.train_split)
    if not len(train):
        raise ConfigError(
            f"the data have no split {settings.train_split!r} to watch the activations on, they have "
            f"{', '.join(material.dataset.split_names())}"
        )
    train = train.take(~blank(train.chips))
    return representative(train.chips, train.labels, len(train.label_names), seed)
