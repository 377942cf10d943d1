"""Shows that a .tflite is what its card says, still answers as when it was made, and is as good as its float model."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from convert.clipping import check_clipping
from convert.data import data_settings
from convert.finding import Finding
from convert.gate import Limits, RecallDrop, check_against, check_card, check_spread, has_figures, scores_of
from convert.graph import load_graph
from convert.reference import check_origin, load_reference
from convert.structure import STORED, check_structure
from edge.classifier import TfliteClassifier
from edge.contract.card import InputSpec, ModelCard, read_card, read_model
from edge.errors import ConfigError
from edge.golden import replay
from training.compare import Comparison
from training.evaluate import ask, read_material
from training.files import write_whole
from training.metrics import Scores
from training.predictors import load_predictor

RAW = (InputSpec(dtype="int8"), InputSpec(dtype="float32"))
"""Inputs that take pixels as they are."""

LEAST_STEPS = 3
"""The golden chips, from black to a smiling face, move some output of a working model by more quantisation steps."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to check.

    Attributes:
        model: the .tflite.
        against: the float model; None: the card's own figures.
        data: pictures to measure on; None: only what can be checked without.
        split: their part; None: the report split of the model's recipe.
        loader: how to read them; None: as the model's recipe says.
        cache: where parsed data is kept.
        limits: how much may be lost.
    """

    model: Path
    against: Path | None = None
    data: Path | None = None
    split: str | None = None
    loader: str | None = None
    cache: Path | None = None
    limits: Limits = field(default_factory=Limits)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        model: path of the file.
        sha256: of the file.
        passed: whether all findings did.
        findings: in the order they were made.
        limits: that were asked for.
        split: what was measured on; None without data, as all below.
        data_sha256: of the data.
        scores: by name: the mode of the file (`int8`), and with a float model `float`.
        comparison: of the float model (A) with the file (B); None without one.
        recall: of each class, likewise.
    """

    model: str
    sha256: str
    passed: bool
    findings: tuple[Finding, ...]
    limits: Limits
    split: str | None = None
    data_sha256: str | None = None
    scores: dict[str, Scores] | None = None
    comparison: Comparison | None = None
    recall: tuple[RecallDrop, ...] | None = None

    def write(self, path: Path) -> None:
        """Write it as JSON, replacing the file whole."""
        write_whole(path, msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")


def judge(question: Question) -> Verdict:
    """Check everything that can be checked with what there is.

    Raises:
        ConfigError: something is missing that it takes, or does not belong to this model.
        PermanentError: a model cannot even be loaded, or contradicts its card.
    """
    if question.data is None and (question.against or question.split or question.loader):
        raise ConfigError("--against, --split and --loader say how to measure on pictures; give them with --data")
    findings = verify(question.model)
    verdict = Verdict(
        model=str(question.model),
        sha256=hashlib.sha256(read_model(question.model)).hexdigest(),
        passed=all(finding.passed for finding in findings),
        findings=tuple(findings),
        limits=question.limits,
    )
    return verdict if question.data is None else _measured(question, question.data, verdict)


def verify(path: Path) -> list[Finding]:
    """Everything that can be checked without data.

    Raises:
        PermanentError: it cannot even be loaded, or contradicts its card.
    """
    content = read_model(path)
    card, _ = read_card(content, path.name)
    loaded, graph = load_graph(content, path.name)
    classifier = TfliteClassifier(path)
    return [*_check_card(card), *check_structure(graph, loaded, card), *_check_golden(classifier)]


def _check_card(card: ModelCard) -> Iterator[Finding]:
    labels = ", ".join(card.labels)
    unique = len(set(card.labels)) == len(card.labels)
    yield Finding(
        "card", unique, f"{card.name} ({card.quantisation.mode}): {labels}", "what the tensors allow, no label twice"
    )
    sound = bool(np.isfinite(card.temperature) and card.temperature > 0)
    yield Finding("card's temperature", sound, f"{card.temperature:g}", "a number above 0")


def _check_golden(classifier: TfliteClassifier) -> Iterator[Finding]:
    golden = replay(classifier)
    limit = f"a difference of at most {golden.limit:g}"
    yield Finding(f"golden chips ({classifier.runtime})", golden.passed, golden.text(), limit)
    answers = np.stack([classifier.raw(chip) for chip in classifier.golden.chips])
    step = 1.0 if answers.dtype != np.float32 else classifier.card.quantisation.output_scale
    if step > 0:
        outputs = answers.astype(np.float64)
        spread = float((outputs.max(axis=0) - outputs.min(axis=0)).max()) / step
        yield Finding(
            "answers to the golden chips differ",
            spread >= LEAST_STEPS,
            f"an output that moves by {spread:.0f} steps",
            f"at least {LEAST_STEPS}: not the same answer to black, white, textures and faces",
        )


def _measured(question: Question, data: Path, verdict: Verdict) -> Verdict:
    """The verdict with what the pictures say."""
    card, _ = read_card(read_model(question.model), question.model.name)
    reference = None if question.against is None else load_reference(question.against)
    source = data_settings(
        card.recipe.get("settings"), question.model, loader=question.loader, report_split=question.split
    )
    material = read_material(data, source.report_split, source.loader, question.cache, source.options)
    after = ask([question.model], load_predictor(question.model), material)
    mode = card.quantisation.mode
    scores: dict[str, Scores] = {mode: scores_of(after)}
    findings = [*verdict.findings, check_spread(after)]
    if mode in STORED and card.input in RAW:
        content, chips = read_model(question.model), np.asarray(material.part.chips)
        findings.append(check_clipping(content, chips, card.quantisation.calibration_chips))
    comparison, recall = None, None
    if reference is not None:
        findings += check_origin(card, reference)
        before = ask([reference.path], reference.predictor, material)
        scores["float"] = scores_of(before)
        comparison, recall, compared = check_against(before, after, (scores["float"], scores[mode]), question.limits)
        findings += compared
    if reference is None or has_figures(card, material.split, material.sha256):
        findings += check_card(scores[mode], card, material.split, material.sha256)
    return msgspec.structs.replace(
        verdict,
        passed=all(finding.passed for finding in findings),
        findings=tuple(findings),
        split=material.split,
        data_sha256=material.sha256,
        scores=scores,
        comparison=comparison,
        recall=recall,
    )
