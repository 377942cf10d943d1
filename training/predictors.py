"""One way to ask any model file what it thinks of some chips."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError, PermanentError
from training import learner
from training.data.dataset import CHIP_SIDE_PX
from training.metrics import softmax
from training.report import REPORT, read_report


@dataclass(frozen=True, slots=True)
class Predictor:
    """A loaded model.

    Attributes:
        labels: class names, in the order of the probabilities.
        probabilities: chips uint8 (N, 48, 48, 1) to (N, C), calibrated.
        temperature: the logits were divided by.
    """

    labels: tuple[str, ...]
    probabilities: Callable[[NDArray[np.uint8]], NDArray[np.floating]]
    temperature: float


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


def _keras(path: Path) -> Predictor:
    beside = path.with_name(REPORT)
    try:
        report = read_report(beside)
    except OSError as error:
        raise ConfigError(
            f"{beside}: cannot be read ({error.strerror}); expected the training report beside the model, which "
            "names its labels and temperature"
        ) from error
    except msgspec.DecodeError as error:
        raise ConfigError(f"{beside}: not a training report of this version ({error})") from error
    import keras  # noqa: PLC0415

    try:
        model = keras.saving.load_model(path, compile=False)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise PermanentError(f"{path}: not a Keras model that this version reads ({error})") from error
    expected = (None, CHIP_SIDE_PX, CHIP_SIDE_PX, 1), (None, len(report.labels))
    if (model.input_shape, model.output_shape) != expected:
        raise PermanentError(
            f"{path}: takes {model.input_shape} and gives {model.output_shape}, expected {expected[0]} and "
            f"{expected[1]}: the report beside it is of another model"
        )
    return Predictor(
        report.labels,
        lambda chips: softmax(learner.logits_of(model, chips), report.temperature),
        report.temperature,
    )


def _tflite(path: Path) -> Predictor:
    from edge.classifier import TfliteClassifier  # noqa: PLC0415

    classifier = TfliteClassifier(path)
    return Predictor(
        tuple(classifier.labels),
        lambda chips: np.stack(classifier.classify(chips)),
        classifier.card.temperature,
    )
