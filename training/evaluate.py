"""Measures a model file on a part of the data, whatever the kind of model."""

from pathlib import Path

import msgspec

from edge.errors import ConfigError
from training.data import LOADERS
from training.data.cache import sha256_of
from training.metrics import Scores, score
from training.predictors import load_predictor


class Evaluation(msgspec.Struct, frozen=True):
    """Figures of one model on one split.

    Attributes:
        model: path of the model.
        model_sha256: of that file.
        data_sha256: of the data file.
        split: the part that was measured.
        flip: whether each answer is the mean over the picture and its mirror image.
        temperature: the model's logits were divided by.
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
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.tmp")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")
        temporary.replace(path)


def evaluate(
    model: Path, data: Path, split: str, loader: str = "fer2013-csv", cache: Path | None = None, flip: bool = False
) -> Evaluation:
    """Measure `model` on the part `split` of `data`.

    Args:
        model: `.keras` (with its `report.json` beside it) or `.tflite` (with its card).
        data: what `loader` reads.
        split: name of the part.
        loader: name in `training.data.LOADERS`.
        cache: directory for the parsed data.
        flip: average with the mirrored picture.

    Raises:
        ConfigError: no such loader, split or model, or the model's labels are not the data's.
        PermanentError: the data or the model cannot be read.
    """
    if loader not in LOADERS:
        raise ConfigError(f"--loader {loader}: expected one of {', '.join(LOADERS)}")
    predictor = load_predictor(model)
    dataset = LOADERS[loader](data, cache)
    part = dataset.split(split)
    if not len(part):
        raise ConfigError(f"{data}: no split {split!r}; it has {', '.join(dataset.split_names())}")
    if sorted(predictor.labels) != sorted(part.label_names):
        raise ConfigError(
            f"{model} knows {', '.join(predictor.labels)}, expected the data's labels {', '.join(part.label_names)}"
        )
    probabilities = predictor.probabilities(part.chips)
    if flip:
        probabilities = (probabilities + predictor.probabilities(part.chips[:, :, ::-1])) / 2
    order = [predictor.labels.index(name) for name in part.label_names]
    return Evaluation(
        model=str(model),
        model_sha256=sha256_of(model),
        data_sha256=sha256_of(data),
        split=split,
        flip=flip,
        temperature=predictor.temperature,
        labels=part.label_names,
        scores=score(probabilities[:, order], part.labels, part.label_names),
    )


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
