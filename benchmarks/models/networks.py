"""`python -m benchmarks.models.networks`: every recipe's network on the same pictures and schedule, in one table.

Each network learns at its own recipe's rate, in the size it wants; the pictures, their variation, the number of epochs
and the schedule are the same for all. Then it is quantised and measured as the device would run it. All files are timed
in turn in one process. Networks that are done are not trained again: call it again to go on.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.outcome import outcome
from convert.latency import timed
from convert.quantize import Job, Result, quantize
from edge.classifier import TfliteClassifier
from edge.errors import ConfigError
from edge.machine import Machine, describe
from training.data.splits import folds
from training.fit import MODEL, Run, fit_parts, load
from training.recipe import AugmentSettings, DataSettings, Recipe, load_recipe
from training.report import Report
from training.reporting.document import Document, Section, Table, Text, write

RECIPES = Path(__file__).parents[2] / "training" / "recipes"
TRIALS = ("tiny",)
"""Recipes that are no networks anybody would use."""

REFERENCE = "vgg-pairs"
"""The recipe that the others' times are compared with."""

VIEWS = AugmentSettings(flip_share=0.5, roll_deg=10, scale=0.1, shift=0.08, contrast=0.2, brightness=0.1)
"""What a short schedule has the time for: strong variation pays only after many epochs."""


class Network(msgspec.Struct, frozen=True):
    """One line of the table.

    Attributes:
        recipe: its name.
        chip: side and channels.
        accuracy: of the int8 file on the report split, single view.
        macro_f1: likewise.
        float_accuracy: of the Keras model.
        parameters: of it.
        macs: multiply-accumulates for one chip.
        size_b: of the int8 file.
        ms: median of one invoke on one thread.
        minutes: of training.
    """

    recipe: str
    chip: tuple[int, int]
    accuracy: float
    macro_f1: float
    float_accuracy: float
    parameters: int
    macs: int
    size_b: int
    ms: float
    minutes: float


class Survey(msgspec.Struct, frozen=True):
    """All lines, and what they have in common.

    Attributes:
        machine: where.
        data_sha256: of the data.
        train: pictures learnt from.
        report: pictures measured on.
        epochs: of each.
        seed: of each.
        networks: best first.
    """

    machine: Machine
    data_sha256: str
    train: int
    report: int
    epochs: int
    seed: int
    networks: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    Attributes:
        recipes: files.
        data: FER2013's CSV.
        out: folder for everything.
        cache: for what depends on the data alone.
        shares: one of so many equal shares of the training part is learnt from.
        epochs: of each network.
        seed: of each run.
    """

    recipes: tuple[Path, ...]
    data: Path
    out: Path
    cache: Path | None
    shares: int
    epochs: int
    seed: int


def survey(plan: Plan) -> Survey:
    """Train, quantise and time all networks.

    Raises:
        ConfigError: a recipe or the data cannot be used.
        PermanentError: a model cannot be quantised exactly.
    """
    outcomes: dict[str, tuple[Report, Result]] = {}
    source = None
    for path in plan.recipes:
        recipe = shortened(load_recipe(path), plan.epochs)
        source = load(recipe.data, plan.data, plan.cache)
        parts = source.parts
        chosen = folds(source.train_groups, parts.train.rows, plan.shares) == 0 if plan.shares > 1 else slice(None)
        parts = replace(parts, train=parts.train.take(np.flatnonzero(np.broadcast_to(chosen, len(parts.train)))))
        run = Run(recipe, plan.data, plan.out / recipe.name, plan.cache, plan.seed, resume=True)
        report = fit_parts(run, parts, f"{source.sha256}, 1 of {plan.shares} shares")
        if report is None:  # without a limit of time there is always one
            raise ConfigError(f"{recipe.name} was not trained to its end")
        result = quantize(Job(run.out / MODEL, plan.data, run.out / "int8.tflite", cache=plan.cache))
        outcomes[recipe.name] = report, result
    if source is None:
        raise ConfigError("no recipe was given; expected at least one")
    times = timed({name: TfliteClassifier(plan.out / name / "int8.tflite") for name in outcomes})
    lines = [_line(report, result, times[name]) for name, (report, result) in outcomes.items()]
    any_report = next(iter(outcomes.values()))[0]
    return Survey(
        machine=describe(),
        data_sha256=source.sha256,
        train=any_report.data.train,
        report=any_report.data.report,
        epochs=plan.epochs,
        seed=plan.seed,
        networks=tuple(sorted(lines, key=lambda line: -line.accuracy)),
    )


def shortened(recipe: Recipe, epochs: int) -> Recipe:
    """The recipe's network and way to learn, on FER2013, with the schedule and the views that are the same for all.

    Without soft labels or weights of another run: those have seen more than the pictures that all learn from.
    """
    options = msgspec.structs.replace(recipe.data.options, labels=(), classes={})
    return msgspec.structs.replace(
        recipe,
        data=DataSettings(options=options),
        optimiser=msgspec.structs.replace(
            recipe.optimiser,
            epochs=epochs,
            batch=64,
            warmup_epochs=min(1, epochs / 4),
            average=0.99,
            schedule="cosine",
            precision="bfloat16",
            stop_patience=0,
            keep="last",
        ),
        augment=VIEWS,
        evaluate_every=epochs,
        soft_labels=None,
        initial=None,
    )


def _line(report: Report, result: Result, ms: float) -> Network:
    chip = result.card.chip
    return Network(
        recipe=report.recipe,
        chip=(chip.size, chip.channels),
        accuracy=result.int8_scores.accuracy,
        macro_f1=result.int8_scores.macro_f1,
        float_accuracy=result.float_scores.accuracy,
        parameters=report.parameters,
        macs=report.macs,
        size_b=result.size_b,
        ms=round(ms, 4),
        minutes=round(report.minutes, 2),
    )


def document(found: Survey) -> Document:
    """The table, and under which conditions it holds."""
    machine = found.machine
    conditions = (
        f"{found.train} pictures of FER2013's Training to learn from, the same for all, {found.epochs} epochs, seed "
        f"{found.seed}, the same slight variation, each network with the optimiser and the rate of its recipe; "
        f"measured on the {found.report} of PublicTest, int8, single view. So short a schedule favours networks that "
        "learn fast; it does not say how good they get. Times: one thread, all in turn, on "
        f"{machine.board or machine.cpu or machine.arch}."
    )
    header = (
        "network", "chip", "accuracy", "macro-F1", "float32 accuracy", "parameters", "million MACs", "int8 KB",
        "int8 ms", f"× {REFERENCE}", "minutes of training",
    )  # fmt: skip
    reference = next((line.ms for line in found.networks if line.recipe == REFERENCE), None)
    rows = tuple(
        (
            line.recipe,
            f"{line.chip[0]}×{line.chip[0]}×{line.chip[1]}",
            f"{line.accuracy:.4f}",
            f"{line.macro_f1:.4f}",
            f"{line.float_accuracy:.4f}",
            f"{line.parameters:,}",
            f"{line.macs / 1e6:.1f}",
            f"{line.size_b / 1000:.0f}",
            f"{line.ms:.3f}",
            f"{line.ms / reference:.2f}" if reference else "",
            f"{line.minutes:.1f}",
        )
        for line in found.networks
    )
    return Document("networks", "Networks compared", (Section("", (Text(conditions), Table(header, rows))),), found)


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 78 what was asked for cannot be done as asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.models.networks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="fer2013.csv or fer2013.csv.gz")
    add("--recipes", type=Path, nargs="+", help="default: all in training/recipes")
    add("--shares", type=int, default=6, help="learn from one of so many shares of Training; default: 6")
    add("--epochs", type=int, default=10, help="default: 10")
    add("--seed", type=int, default=1, help="default: 1")
    add("--out", type=Path, default=Path("runs/networks"), help="default: runs/networks")
    add("--cache", type=Path, default=Path("runs/cache"), help="what depends on the data alone")
    given = parser.parse_args(argv)
    every = sorted(path for path in RECIPES.glob("*.toml") if path.stem not in TRIALS)
    plan = Plan(
        tuple(given.recipes or every), given.data, given.out, given.cache, given.shares, given.epochs, given.seed
    )
    return outcome(lambda: print(f"table in {write(document(survey(plan)), plan.out)}"))


if __name__ == "__main__":
    sys.exit(main())
