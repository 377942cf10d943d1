"""How right each trained model is, as the reports say that lie in this checkout."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from benchmarks.models.networks import Survey as Networks
from benchmarks.models.rebuilt import Kind
from convert.overview import Overview
from edge.errors import ConfigError
from training.evaluate import Evaluation
from training.metrics import Scores, wilson_interval
from training.report import Report

ROOT = Path(__file__).parents[2]
OVERVIEW = "docs/report/report.json"
FLIP = "training/results/compact/int8-flip.json"
NETWORKS = "training/results/networks/networks.json"
RUNS: Final = {"compact": "shipped", "compact-base": "compact-base", "vgg-pairs": "vgg-pairs"}
"""Folders in training/results, and what their models are called here."""

SHIPPED = "edge/models/emotion-int8.tflite"
Schedule = Literal["full", "short"]
"""Trained to its own recipe's end, or for the few epochs that all networks had in common. They do not compare."""

Found = TypeVar("Found", bound=msgspec.Struct)


class Standing(msgspec.Struct, frozen=True):
    """One model's accuracy.

    Attributes:
        name: for people.
        recipe: whose network it is.
        kind: of file.
        views: 2 where answers are means over the chip and its mirror image.
        schedule: how it was trained.
        accuracy: share of the pictures it names rightly.
        interval: Wilson's 95 % interval of it.
        report: the file that says so, from the checkout's root.
    """

    name: str
    recipe: str
    kind: Kind
    views: Literal[1, 2]
    schedule: Schedule
    accuracy: float
    interval: tuple[float, float]
    report: str


class Standings(msgspec.Struct, frozen=True):
    """All of them.

    Attributes:
        split: of FER2013, that they were measured on.
        pictures: in it.
        data_sha256: of the data.
        short: what the short schedule was, for people.
        models: in no order.
    """

    split: str
    pictures: int
    data_sha256: str
    short: str
    models: tuple[Standing, ...]


def standings(root: Path = ROOT) -> Standings:
    """Read them.

    Args:
        root: of the checkout.

    Raises:
        ConfigError: a report is missing, broken, or of other pictures than the rest.
    """
    overview = _read(root / OVERVIEW, Overview)
    flip = _read(root / FLIP, Evaluation)
    networks = _read(root / NETWORKS, Networks)
    runs = {name: _read(root / _run(name), Report) for name in RUNS}
    shipped = hashlib.sha256((root / SHIPPED).read_bytes()).hexdigest()
    for where, sha256 in ((OVERVIEW, overview.candidates[0].sha256), (FLIP, flip.model_sha256)):
        if sha256 != shipped:
            raise ConfigError(f"{where} is about {sha256[:12]}, but {SHIPPED} is {shipped[:12]}: make that report anew")
    pictures = overview.baseline_scores.n
    for where, sha256, n in (
        (FLIP, flip.data_sha256, flip.scores.n),
        (NETWORKS, networks.data_sha256, networks.report),
        *((_run(name), run.data.sha256, run.data.report) for name, run in runs.items()),
    ):
        if (sha256, n) != (overview.data_sha256, pictures):
            raise ConfigError(
                f"{where} was measured on {n} pictures of the data {sha256[:12]}, expected {pictures} of "
                f"{overview.data_sha256[:12]} as in {OVERVIEW}: accuracies on other pictures do not compare"
            )
    return Standings(
        split=overview.split,
        pictures=pictures,
        data_sha256=overview.data_sha256,
        short=f"{networks.epochs} epochs on {networks.train:,} of its Training pictures, the same for all",
        models=(*_full(overview, flip, runs), *_short(networks)),
    )


def _full(overview: Overview, flip: Evaluation, runs: Mapping[str, Report]) -> Iterator[Standing]:
    int8 = {candidate.name: candidate.scores for candidate in overview.candidates}
    yield _standing("shipped", "compact", "int8", 1, int8["emotion-int8.tflite"], OVERVIEW)
    yield _standing("shipped", "compact", "int8", 2, flip.scores, FLIP)
    yield _standing("vgg-pairs", "vgg-pairs", "int8", 1, int8["vgg-pairs-int8.tflite"], OVERVIEW)
    for name, run in runs.items():
        yield _standing(RUNS[name], run.recipe, "float32", 1, run.scores["report"], _run(name))
        yield _standing(RUNS[name], run.recipe, "float32", 2, run.scores["report_flip"], _run(name))


def _standing(name: str, recipe: str, kind: Kind, views: Literal[1, 2], scores: Scores, report: str) -> Standing:
    return Standing(name, recipe, kind, views, "full", scores.accuracy, scores.accuracy_interval, report)


def _short(networks: Networks) -> Iterator[Standing]:
    for line in networks.networks:
        accuracies: tuple[tuple[Kind, float], ...] = (("int8", line.accuracy), ("float32", line.float_accuracy))
        for kind, accuracy in accuracies:
            interval = wilson_interval(round(accuracy * networks.report), networks.report)
            yield Standing(line.recipe, line.recipe, kind, 1, "short", accuracy, interval, NETWORKS)


def _run(name: str) -> str:
    return f"training/results/{name}/report.json"


def _read(path: Path, kind: type[Found]) -> Found:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); it is part of the checkout") from error
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path}: not a {kind.__name__} of this version ({error})") from error
