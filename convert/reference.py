"""The float model that a .tflite was made from."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from convert.finding import Finding, close, equal
from edge.contract.card import ModelCard
from edge.errors import ConfigError
from training.predictors import Predictor, load_predictor
from training.report import Report, report_beside


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
    return Reference(path, predictor, report_beside(path))


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
