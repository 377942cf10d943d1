"""One way to ask any model file, or several together, what they think of some chips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.contract.chip import ChipSpec, cut_chip
from edge.errors import ConfigError, PermanentError
from edge.types import PixelBox, Pixels
from training import learner
from training.data.selection import Chips, mirrored
from training.keras_files import load_model
from training.metrics import softmax
from training.report import report_beside

_BATCH = 256  # chips that are resized at a time: 3,589 of 224×224×3 would be half a gigabyte


@dataclass(frozen=True, slots=True)
class Predictor:
    """A loaded model, or an ensemble.

    Attributes:
        labels: class names, in the order of the probabilities.
        probabilities: chips uint8 (N, S, S, C), RGB where C is 3, to calibrated probabilities (N, classes). Chips of
            another size or colour than the model's are brought to it as the device would. They are looked at a few at
            a time: those of a file need not fit into memory.
        temperature: the logits were divided by; 1 for an ensemble, whose members were each calibrated already.
    """

    labels: tuple[str, ...]
    probabilities: Callable[[Chips], NDArray[np.floating]]
    temperature: float

    def ordered(self, labels: Sequence[str]) -> "Predictor":
        """The same, its classes in the order of `labels`.

        Raises:
            ConfigError: these are other classes.
        """
        if sorted(self.labels) != sorted(labels):
            raise ConfigError(f"the model knows {', '.join(self.labels)}, expected the labels {', '.join(labels)}")
        if self.labels == tuple(labels):
            return self
        order = [self.labels.index(name) for name in labels]
        return Predictor(tuple(labels), lambda chips: self.probabilities(chips)[:, order], self.temperature)


def load_predictor(path: Path) -> Predictor:
    """Load a `.keras` file with the `report.json` beside it, or a `.tflite` with its card.

    Raises:
        ConfigError: no such file, another suffix, or no report beside a `.keras` file.
        PermanentError: the file is not such a model.
    """
    loaders = {".keras": _keras, ".tflite": _tflite}
    if path.suffix not in loaders:
        raise ConfigError(f"{path}: expected a model file that ends in {' or '.join(loaders)}")
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected a model, train one with `python -m training fit`")
    return loaders[path.suffix](path)


def ensemble(predictors: Sequence[Predictor]) -> Predictor:
    """The mean of the members' calibrated probabilities; classes are matched by name.

    Args:
        predictors: at least one; a single one is returned as it is.

    Raises:
        ConfigError: they do not all know the same classes.
    """
    first, *others = predictors
    if not others:
        return first
    members = [first, *(other.ordered(first.labels) for other in others)]
    return Predictor(first.labels, lambda chips: np.mean([each.probabilities(chips) for each in members], axis=0), 1.0)


def flipped(predictor: Predictor) -> Predictor:
    """Each answer is the mean over the picture and its mirror image."""
    return Predictor(
        predictor.labels,
        lambda chips: (predictor.probabilities(chips) + predictor.probabilities(mirrored(chips))) / 2,
        predictor.temperature,
    )


def _keras(path: Path) -> Predictor:
    report = report_beside(path)
    model = load_model(path)
    taken, classes = tuple(model.input_shape), model.output_shape[1]
    if classes != len(report.labels):
        raise PermanentError(
            f"{path} knows {classes} classes, expected {len(report.labels)}, the labels "
            f"{', '.join(report.labels)} of the report beside it"
        )
    spec = ChipSpec(size=taken[1], channels=taken[3])
    return Predictor(
        report.labels,
        partial(_in_batches, lambda chips: softmax(learner.logits_of(model, chips), report.temperature), spec),
        report.temperature,
    )


def _tflite(path: Path) -> Predictor:
    from edge.classifier import TfliteClassifier  # noqa: PLC0415

    classifier = TfliteClassifier(path)
    return Predictor(
        tuple(classifier.labels),
        partial(_in_batches, lambda chips: np.stack(classifier.classify(chips)), classifier.card.chip),
        classifier.card.temperature,
    )


def _in_batches(ask: Callable[[Pixels], NDArray[np.floating]], spec: ChipSpec, chips: Chips) -> NDArray[np.floating]:
    if not len(chips):
        raise ConfigError("no pictures were given; expected at least one")
    return np.concatenate([ask(_fitting(chips[at : at + _BATCH], spec)) for at in range(0, len(chips), _BATCH)])


def _fitting(chips: Pixels, spec: ChipSpec) -> Pixels:
    """Chips in the size and colour that the model takes, by the function that cuts them on the device."""
    _, height, width, channels = chips.shape
    if (height, width, channels) == (spec.size, spec.size, spec.channels):
        return chips
    whole = PixelBox(0, 0, width, height)
    # `cut_chip` takes frames: grey, or BGR
    pictures = chips[..., 0] if channels == 1 else np.ascontiguousarray(chips[..., ::-1])
    return np.stack([cut_chip(picture, whole, spec) for picture in pictures])
