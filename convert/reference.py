"""The float model that a .tflite was made from."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.finding import Finding, close, equal
from edge.contract.card import ModelCard
from edge.errors import ConfigError, PermanentError
from training.predictors import Predictor, load_predictor
from training.report import REPORT, Report, read_report

WEIGHTS = "model.weights.h5"
"""In the archive that a .keras file is."""

OPTIMIZER = "optimizer"
"""The group of what only training needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A float model.

    Attributes:
        path: of its file.
        predictor: asks it.
        report: of its training, from beside it.
    """

    path: Path
    predictor: Predictor
    report: Report


def load_reference(path: Path) -> Reference:
    """Load a `.keras` file with the report beside it.

    Raises:
        ConfigError: there is no such file, or no report beside it.
        PermanentError: it is not such a model, or has weights that are not numbers.
    """
    if path.suffix != ".keras":
        raise ConfigError(f"{path}: expected the float model to compare with, a .keras file")
    predictor = load_predictor(path)
    refuse_broken_weights(path)
    return Reference(path, predictor, read_report(path.with_name(REPORT)))


def refuse_broken_weights(path: Path) -> None:
    """Look at each weight of a .keras file.

    Raises:
        PermanentError: one is not a finite number.
    """
    import h5py  # type: ignore[import-untyped]  # noqa: PLC0415

    broken = []

    def look(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset) and not name.startswith(OPTIMIZER):
            values = np.asarray(node)
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                broken.append(name)

    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read(WEIGHTS)), "r") as file:
        file.visititems(look)
    if broken:
        raise PermanentError(
            f"{path}: NaN or infinite weights in {', '.join(broken)}, expected finite ones; its training failed, "
            "compare with another"
        )


def check_origin(card: ModelCard, reference: Reference) -> Iterator[Finding]:
    """Whether the card tells of this model, and hands on what its training report says."""
    report = reference.report
    said = {key: card.recipe.get(key) for key in ("name", "seed", "steps", "parameters")}
    expected = {"name": report.recipe, "seed": report.seed, "steps": report.steps, "parameters": report.parameters}
    yield equal("origin", _told(said), _told(expected), ", as in the training report")
    yield equal("labels", ", ".join(card.labels), ", ".join(report.labels), ", as in the training report")
    if card.output == "logits":
        yield close("temperature", card.temperature, report.temperature, 1e-4, ", as in the training report")


def _told(recipe: dict[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in recipe.items())
