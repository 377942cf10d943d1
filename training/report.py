"""What came out of a run, for people, for the model card and for later comparison."""

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from edge.errors import ConfigError
from training import learner
from training.checkpoint import Identity, Progress
from training.cost import macs
from training.data.dataset import Dataset
from training.data.selection import mirrored
from training.data.splits import Parts
from training.files import write_whole
from training.metrics import Scores, fit_temperature, score, softmax

if TYPE_CHECKING:
    import keras

REPORT = "report.json"


class DataReport(msgspec.Struct, frozen=True):
    """What the run was fed with.

    Attributes:
        sha256: of the data file.
        train: pictures learnt from.
        holdout: pictures for selection and calibration.
        report: pictures reported on.
        report_unseen: of those, not duplicated in what was learnt from or held out.
        blank_rows: rows of the train split that show nothing and were left out.
        holdout_rows: rows that were held out; conversion calibrates on these.
    """

    sha256: str
    train: int
    holdout: int
    report: int
    report_unseen: int
    blank_rows: tuple[int, ...]
    holdout_rows: tuple[int, ...]


class Report(msgspec.Struct, frozen=True):
    """Everything about a finished run but the weights. All scores are of the exported float32 model.

    Attributes:
        recipe: its name.
        resolved_recipe: with every default spelt out.
        seed: of the run.
        labels: class names in the order of the logits.
        epochs: done.
        steps: done.
        minutes: of training, pauses not counted.
        parameters: of the folded model.
        macs: multiply-accumulates for one chip.
        fold_error: greatest difference of a logit, folded against trained.
        temperature: to divide logits by; fitted on the hold-out.
        data: what went in.
        scores: by name: `holdout`, `report` (logits as they are), `…_calibrated` (divided by the temperature),
            `report_flip` (calibrated, averaged with the mirrored picture), `report_unseen` (calibrated, without
            pictures that the training part has too). Absent where there are no such pictures.
        versions: of what mattered.
    """

    recipe: str
    resolved_recipe: dict[str, Any]
    seed: int
    labels: tuple[str, ...]
    epochs: int
    steps: int
    minutes: float
    parameters: int
    macs: int
    fold_error: float
    temperature: float
    data: DataReport
    scores: dict[str, Scores]
    versions: dict[str, str]

    def headline(self) -> str:
        """The figures that matter most, in one line."""
        parts = [
            f"{name} accuracy {scores.accuracy:.4f} macro-F1 {scores.macro_f1:.4f}"
            for name, scores in self.scores.items()
            if name in ("holdout", "report", "report_flip")
        ]
        return ", ".join([*parts, f"temperature {self.temperature:.3f}", f"{self.minutes:.1f} min"])


def read_report(path: Path) -> Report:
    """The report in the file `path`.

    Raises:
        OSError: it cannot be read.
        msgspec.DecodeError: it is not a report.
    """
    return msgspec.json.decode(path.read_bytes(), type=Report)


def report_beside(model: Path) -> Report:
    """The training report in the folder of the file `model`.

    Raises:
        ConfigError: there is none, or it is no such report.
    """
    path = model.with_name(REPORT)
    try:
        return read_report(path)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); expected the training report beside the model, which says its "
            "labels and temperature: `python -m training fit` and `adopt` write both"
        ) from error
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path}: not a training report of this version ({error})") from error


def write_report(
    out: Path, identity: Identity, parts: Parts, model: "keras.Model", fold_error: float, progress: Progress
) -> Report:
    """Score `model` (folded) on all parts, write `report.json` into `out`, and return it."""
    temperature, scores = _scores(parts, model)
    recipe = identity.recipe
    report = Report(
        recipe=recipe["name"],
        resolved_recipe=recipe,
        seed=identity.seed,
        labels=parts.train.label_names,
        epochs=len(progress.history),
        steps=progress.step,
        minutes=progress.seconds / 60,
        parameters=model.count_params(),
        macs=macs(model),
        fold_error=fold_error,
        temperature=temperature,
        data=DataReport(
            sha256=identity.data_sha256,
            train=len(parts.train),
            holdout=len(parts.holdout),
            report=len(parts.report),
            report_unseen=int(parts.report_unseen.sum()),
            blank_rows=parts.blank_rows,
            holdout_rows=tuple(parts.holdout.rows.tolist()),
        ),
        scores=scores,
        versions=_versions(),
    )
    write_whole(out / REPORT, msgspec.json.format(msgspec.json.encode(report), indent=2))
    return report


def _scores(parts: Parts, model: "keras.Model") -> tuple[float, dict[str, Scores]]:
    names = parts.train.label_names
    held = learner.logits_of(model, parts.holdout.chips)
    temperature = fit_temperature(held, parts.holdout.labels)
    scores = {
        "holdout": score(softmax(held), parts.holdout.labels, names),
        "holdout_calibrated": score(softmax(held, temperature), parts.holdout.labels, names),
    }
    report: Dataset = parts.report
    logits = learner.logits_of(model, report.chips)
    turned = learner.logits_of(model, mirrored(report.chips))
    calibrated = softmax(logits, temperature)
    both = (calibrated + softmax(turned, temperature)) / 2
    scores["report"] = score(softmax(logits), report.labels, names)
    scores["report_calibrated"] = score(calibrated, report.labels, names)
    scores["report_flip"] = score(both, report.labels, names)
    unseen = parts.report_unseen
    if unseen.any():
        scores["report_unseen"] = score(calibrated[unseen], report.labels[unseen], names)
    return temperature, scores


def _versions() -> dict[str, str]:
    import keras  # noqa: PLC0415

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "keras": keras.__version__,
        "keras_backend": keras.backend.backend(),
        "machine": platform.machine(),
    }
