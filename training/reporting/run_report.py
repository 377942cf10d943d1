"""The page about a finished training run: its model on the recipe's report split, and how the training went."""

from pathlib import Path

from training.evaluate import Material, ask, load_together
from training.fit import HISTORY, MODEL
from training.reporting.course import read_history
from training.reporting.findings import ModelReport
from training.reporting.model_report import report_on

DIRECTORY = "report"


def report_run(out: Path, material: Material, train_split: str, cache: Path | None = None) -> ModelReport:
    """Write the page, its figures and its pictures into the directory `report` of a run.

    Args:
        out: directory of the run, with its model and its history.
        material: the pictures to report on.
        train_split: what the model learnt from.
        cache: directory for what depends on the data alone.

    Raises:
        ConfigError: matplotlib is not installed, or the model is missing.
        PermanentError: the model or the history cannot be read.
        OSError: a file cannot be read or written.
    """
    models = [out / MODEL]
    answers = ask(models, load_together(models), material, both=True)
    return report_on(answers, out / DIRECTORY, train_split, cache, read_history(out / HISTORY))
