"""Measures a model file, or several together, on a part of the data, whatever the kind of model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError
from training.data import load_data
from training.data.cache import sha256_of
from training.data.dataset import NO_LABEL, Dataset
from training.data.options import DEFAULTS, LoaderOptions
from training.data.selection import mirrored
from training.files import write_whole
from training.metrics import Scores, score
from training.predictors import Predictor, ensemble, flipped, load_predictor


class Evaluation(msgspec.Struct, frozen=True):
    """Figures of one model on one split.

    Attributes:
        model: path of the model; of an ensemble's members, joined by " + ".
        model_sha256: of that file, or of those, joined likewise.
        data_sha256: of the data file.
        split: the part that was measured.
        flip: whether each answer is the mean over the picture and its mirror image.
        temperature: the model's logits were divided by; 1 for an ensemble, whose members were each calibrated.
        labels: class names in the order of `scores.confusion`.
        scores: the figures.
    """

    model: str
    model_sha256: str
    data_sha256: str
    split: str
    flip: bool
    temperature: float
    labels: tuple[str, ...]
    scores: Scores

    def write(self, path: Path) -> None:
        """Write it as JSON, replacing the file whole."""
        write_whole(path, msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Pictures to measure on.

    Attributes:
        path: of the data.
        sha256: of the data.
        loader: that read it.
        dataset: all of it.
        split: the part in question.
        part: that part.
    """

    path: Path
    sha256: str
    loader: str
    dataset: Dataset
    split: str
    part: Dataset


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a model, or an ensemble, says about the pictures.

    Attributes:
        name: the model's path; of an ensemble, its members' paths joined by " + ".
        sha256: of the file, or of those, joined likewise.
        predictor: its classes in the order of the material's label names.
        material: what it was asked about.
        single: probabilities (N, C) for the pictures as they are.
        mirrored: those for their mirror images.
        flip: whether `probabilities` is the mean of both.
    """

    name: str
    sha256: str
    predictor: Predictor
    material: Material
    single: NDArray[np.floating]
    mirrored: NDArray[np.floating] | None
    flip: bool

    @property
    def probabilities(self) -> NDArray[np.floating]:
        """(N, C): the answers that were asked for."""
        return self.averaged if self.flip else self.single

    @property
    def averaged(self) -> NDArray[np.floating]:
        """(N, C): means over each picture and its mirror image."""
        if self.mirrored is None:
            raise ValueError("the mirrored pictures were not asked about")
        return (self.single + self.mirrored) / 2

    def asked(self) -> Predictor:
        """The predictor that answers as `probabilities` does."""
        return flipped(self.predictor) if self.flip else self.predictor


def read_material(
    data: Path,
    split: str,
    loader: str = "fer2013-csv",
    cache: Path | None = None,
    options: LoaderOptions = DEFAULTS,
) -> Material:
    """Read the data and take its part `split`.

    Raises:
        ConfigError: no such loader or split, or the split has no labels.
        PermanentError: the data cannot be read.
    """
    return material_of(load_data(loader, data, cache, options), data, split, loader)


def material_of(dataset: Dataset, data: Path, split: str, loader: str) -> Material:
    """The part `split` of data that have been read.

    Args:
        dataset: from `load_data`.
        data: its path.
        split: name of the part.
        loader: that read it.

    Raises:
        ConfigError: no such split, or it has no labels.
    """
    part = dataset.split(split)
    if not len(part):
        raise ConfigError(f"{data}: no split {split!r}; it has {', '.join(dataset.split_names())}")
    if (part.labels == NO_LABEL).any():
        raise ConfigError(f"{data}: the split {split!r} has no labels, expected some to measure against")
    return Material(data, dataset.sha256, loader, dataset, split, part)


def load_together(models: Sequence[Path]) -> Predictor:
    """One model, or several as an ensemble.

    Raises:
        ConfigError: there is no such file, or they do not know the same classes.
        PermanentError: a file is not a model.
    """
    return ensemble([load_predictor(model) for model in models])


def ask(
    models: Sequence[Path], predictor: Predictor, material: Material, flip: bool = False, both: bool = False
) -> Answers:
    """Ask about all pictures.

    Args:
        models: the files that `predictor` was loaded from.
        predictor: whom to ask.
        material: what to ask about.
        flip: average with the mirrored picture.
        both: ask about the mirrored pictures even without `flip`.

    Raises:
        ConfigError: the model's labels are not the data's.
    """
    part = material.part
    name = " + ".join(map(str, models))
    if sorted(predictor.labels) != sorted(part.label_names):
        raise ConfigError(
            f"{name} knows {', '.join(predictor.labels)}, expected the data's labels {', '.join(part.label_names)}"
        )
    ordered = predictor.ordered(part.label_names)
    return Answers(
        name=name,
        sha256=" + ".join(map(sha256_of, models)),
        predictor=ordered,
        material=material,
        single=ordered.probabilities(part.chips),
        mirrored=ordered.probabilities(mirrored(part.chips)) if flip or both else None,
        flip=flip,
    )


def judge(answers: Answers) -> Evaluation:
    """The figures of these answers."""
    material = answers.material
    return Evaluation(
        model=answers.name,
        model_sha256=answers.sha256,
        data_sha256=material.sha256,
        split=material.split,
        flip=answers.flip,
        temperature=answers.predictor.temperature,
        labels=material.part.label_names,
        scores=score(answers.probabilities, material.part.labels, material.part.label_names),
    )


def evaluate(
    model: Path | Sequence[Path],
    data: Path,
    split: str,
    loader: str = "fer2013-csv",
    cache: Path | None = None,
    flip: bool = False,
) -> Evaluation:
    """Measure `model` on the part `split` of `data`.

    Args:
        model: `.keras` (with its `report.json` beside it) or `.tflite` (with its card); several are an ensemble.
        data: what `loader` reads.
        split: name of the part.
        loader: name in `training.data.LOADERS`.
        cache: directory for the parsed data.
        flip: average with the mirrored picture.

    Raises:
        ConfigError: no such loader, split or model, or the model's labels are not the data's.
        PermanentError: the data or the model cannot be read.
    """
    models = [model] if isinstance(model, Path) else list(model)
    predictor = load_together(models)
    return judge(ask(models, predictor, read_material(data, split, loader, cache), flip))


def table(evaluation: Evaluation) -> str:
    """The figures for people: the headline, each class, who is mistaken for whom."""
    scores = evaluation.scores
    low, high = scores.accuracy_interval
    width = max(len(name) for name in evaluation.labels)
    flip = ", averaged with the mirror image" if evaluation.flip else ""
    lines = [
        f"{evaluation.model} on {evaluation.split}, {scores.n} pictures{flip}",
        f"accuracy {scores.accuracy:.4f} (95 % interval {low:.4f}–{high:.4f})  macro-F1 {scores.macro_f1:.4f}  "
        f"NLL {scores.nll:.4f}  ECE {scores.ece:.4f}  temperature {evaluation.temperature:.3f}",
        "",
        f"{'':{width}}  precision  recall      F1  pictures",
        *(
            f"{each.label:{width}}  {each.precision:9.3f} {each.recall:7.3f} {each.f1:7.3f} {each.support:9d}"
            for each in scores.per_class
        ),
        "",
        f"{'truth ↓ named →':{max(width, 15)}} " + " ".join(f"{name[:8]:>8}" for name in evaluation.labels),
        *(
            f"{name:{max(width, 15)}} " + " ".join(f"{count:8d}" for count in row)
            for name, row in zip(evaluation.labels, scores.confusion, strict=True)
        ),
    ]
    return "\n".join(lines)
