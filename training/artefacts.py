"""The files that a model leaves beside its report, each in the form that some other program asks for."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from training.files import write_whole, written_whole
from training.metrics import Scores
from training.report import Report

if TYPE_CHECKING:
    import keras

MODEL = "model.keras"
ARCHITECTURE = "architecture.json"
WEIGHTS = "model.weights.h5"
EVALUATION = "evaluation.txt"
HISTORY = "history.csv"


def write_model(model: "keras.Model", out: Path) -> None:
    """Write the model whole, and its architecture and its weights each for themselves, into the directory `out`."""
    write_whole(out / ARCHITECTURE, model.to_json(indent=2).encode())
    for name, save in ((WEIGHTS, model.save_weights), (MODEL, model.save)):
        with written_whole(out / name) as temporary:
            save(temporary)


def write_evaluation(report: Report, out: Path) -> None:
    """Write the report's figures as text for people."""
    write_whole(out / EVALUATION, ("\n".join(_lines(report)) + "\n").encode())


def _lines(report: Report) -> Iterator[str]:
    yield f"{report.recipe}, seed {report.seed}: {report.epochs} epochs, {report.minutes:.1f} minutes"
    yield f"{report.parameters:,} parameters, {report.macs / 1e6:.1f} million multiply-accumulates a chip"
    yield f"learnt from {report.data.train} pictures; temperature {report.temperature:.3f}"
    for name, scores in report.scores.items():
        yield ""
        yield from _part(name, scores)


def _part(name: str, scores: Scores) -> Iterator[str]:
    low, high = scores.accuracy_interval
    yield (
        f"{name}: {scores.n} pictures, accuracy {scores.accuracy:.4f} (95 % interval {low:.4f}–{high:.4f}), "
        f"macro-F1 {scores.macro_f1:.4f}, NLL {scores.nll:.4f}, ECE {scores.ece:.4f}"
    )
    width = max(len(each.label) for each in scores.per_class)
    yield f"  {'':{width}}  precision  recall      F1  pictures"
    for each in scores.per_class:
        yield f"  {each.label:{width}}  {each.precision:9.3f} {each.recall:7.3f} {each.f1:7.3f} {each.support:9d}"
