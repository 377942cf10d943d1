"""Names the expression on every picture of a part of the data, labelled or not, and writes the names to a file."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError
from training.data import LOADERS, Loader, load_data, pictures
from training.data.dataset import UNLABELLED, Dataset
from training.evaluate import load_together
from training.files import written_whole
from training.predictors import flipped
from training.recipe import DataSettings

READERS: Mapping[str, Loader] = MappingProxyType({**LOADERS, "pictures": pictures.load})
"""The loaders, and one for what can be named only: neither learnt from nor measured with."""

_DIGITS = 6
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model, or an ensemble, says about the pictures of a part.

    Attributes:
        model: its path; of an ensemble, its members' paths joined by " + ".
        flip: whether each answer is the mean over the picture and its mirror image.
        part: the pictures.
        split: name of that part.
        left_out: pictures of the source that cannot be used, each with its reason.
        labels: C class names, in the model's order.
        probabilities: (N, C), calibrated, each row sums to 1.
    """

    model: str
    flip: bool
    part: Dataset
    split: str
    left_out: tuple[str, ...]
    labels: tuple[str, ...]
    probabilities: NDArray[np.floating]


def predict(
    models: Sequence[Path],
    data: Path,
    settings: DataSettings,
    split: str | None = None,
    cache: Path | None = None,
    flip: bool = False,
) -> Predictions:
    """Ask about all pictures of a part. What the data call their classes does not matter: the model names its own.

    Args:
        models: `.keras` (with its `report.json` beside it) or `.tflite` (with its card); several are an ensemble.
        data: what the settings' loader reads.
        settings: loader, its options, and the part to report on.
        split: the part to name; None for the one without labels, or else the only one, or else the report split.
        cache: directory for the parsed data.
        flip: average with the mirrored picture.

    Raises:
        ConfigError: no such model, loader or split, or models that do not know the same classes.
        PermanentError: the data or a model cannot be read.
    """
    predictor = load_together(models)
    dataset = load_data(settings.loader, data, cache, settings.options, READERS)
    wanted = split or _usual_split(dataset, settings.report_split)
    part = dataset.split(wanted)
    if not len(part):
        raise ConfigError(f"{data}: no split {wanted!r}; it has {', '.join(dataset.split_names())}")
    return Predictions(
        model=" + ".join(map(str, models)),
        flip=flip,
        part=part,
        split=wanted,
        left_out=dataset.left_out,
        labels=predictor.labels,
        probabilities=(flipped(predictor) if flip else predictor).probabilities(part.chips),
    )


def _usual_split(dataset: Dataset, report_split: str) -> str:
    splits = dataset.split_names()
    if UNLABELLED in splits:
        return UNLABELLED
    return splits[0] if len(splits) == 1 else report_split


def check_suffix(path: Path) -> None:
    """Find out before all the work whether the answers can be written.

    Raises:
        ConfigError: no form of file has this suffix, or a directory has this name.
    """
    if path.suffix.lower() not in _WRITERS:
        found = f"ends in {path.suffix!r}" if path.suffix else "has no suffix"
        raise ConfigError(f"--out {path}: {found}; expected a file that ends in {' or '.join(_WRITERS)}")
    if path.is_dir():
        raise ConfigError(f"--out {path}: a directory; expected a file that ends in {' or '.join(_WRITERS)}")


def write(predictions: Predictions, path: Path) -> None:
    """Write one line for each picture, in the order of the source, replacing the file whole.

    `.csv` has a header; `.jsonl` holds one object a line, its probabilities by name. Rows are numbered as in the
    source, from 0; files are named where the source consists of files.

    Raises:
        ConfigError: no form of file has this suffix.
    """
    check_suffix(path)
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        _WRITERS[path.suffix.lower()](predictions, file)


def _answers(predictions: Predictions) -> Iterator[tuple[dict[str, int | str], str, list[float]]]:
    """Of each picture: its row and file, its name, its probabilities."""
    part = predictions.part
    named = predictions.probabilities.argmax(axis=1)
    for position, answer in enumerate(predictions.probabilities):
        picture: dict[str, int | str] = {"row": int(part.rows[position])}
        if part.names is not None:
            picture["file"] = str(part.names[position])
        yield picture, predictions.labels[named[position]], [round(float(share), _DIGITS) for share in answer]


def _write_csv(predictions: Predictions, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    where = ["row"] if predictions.part.names is None else ["row", "file"]
    writer.writerow([*where, "label", "confidence", *(f"probability_{name}" for name in predictions.labels)])
    for picture, label, shares in _answers(predictions):
        writer.writerow([*picture.values(), label, *(f"{share:.{_DIGITS}f}" for share in (max(shares), *shares))])


def _write_jsonl(predictions: Predictions, file: TextIO) -> None:
    for picture, label, shares in _answers(predictions):
        by_name = dict(zip(predictions.labels, shares, strict=True))
        answer = {**picture, "label": label, "confidence": max(shares), "probabilities": by_name}
        file.write(msgspec.json.encode(answer).decode() + "\n")


_WRITERS: Mapping[str, Callable[[Predictions, TextIO], None]] = MappingProxyType(
    {".csv": _write_csv, ".jsonl": _write_jsonl}
)


def table(predictions: Predictions) -> str:
    """How many pictures were named what, for people."""
    probabilities, labels = predictions.probabilities, predictions.labels
    counts = np.bincount(probabilities.argmax(axis=1), minlength=len(labels))
    width = max(len(name) for name in labels)
    flip = ", averaged with the mirror image" if predictions.flip else ""
    lines = [
        f"{predictions.model} on {predictions.split}, {len(probabilities)} pictures{flip}, "
        f"mean confidence {probabilities.max(axis=1).mean():.3f}",
        "",
        f"{'':{width}}  pictures   named  mean probability",
        *(
            f"{name:{width}}  {count:8d}  {count / len(probabilities):6.1%}  {mean:16.1%}"
            for name, count, mean in zip(labels, counts.tolist(), probabilities.mean(axis=0).tolist(), strict=True)
        ),
    ]
    if predictions.left_out:
        lines += ["", f"{len(predictions.left_out)} pictures of the data cannot be used:"]
        lines += [f"  {reason}" for reason in predictions.left_out[:_MOST_NAMED]]
        if len(predictions.left_out) > _MOST_NAMED:
            lines.append(f"  and {len(predictions.left_out) - _MOST_NAMED} more")
    return "\n".join(lines)
