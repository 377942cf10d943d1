"""`python -m benchmarks.models.accuracy_speed`: accuracy, latency and size of every model, in one chart.

How right the models are say the reports in this checkout. How long they take is measured now: the shipped file as it
is, of the others the same network with random weights, all in turn in one process on LiteRT with one thread. The first
time TensorFlow builds the networks, which takes half a minute.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.models.accuracy_speed_page import document
from benchmarks.models.rebuilt import Kind, rebuilt
from benchmarks.models.speeds import Model, Spread, Survey
from benchmarks.models.standings import Standing, standings
from benchmarks.outcome import outcome
from edge.classifier import SHIPPED
from edge.errors import ConfigError
from edge.machine import describe
from edge.runtime import Loaded, load
from training.reporting.document import write

Key = tuple[str, Kind, int]
"""Recipe, kind of file, views; the recipe "" is the shipped file."""

WARM_CALLS = 2
LEAST_CALLS = 5
TURN_S = 0.004
"""How long a turn takes at least: what is quick is called more often in it."""


def survey(files: Path, rounds: int) -> Survey:
    """Time all models.

    Args:
        files: folder for the rebuilt networks.
        rounds: in which all take turns.

    Raises:
        ConfigError: a report that says how right they are is missing or broken.
        PermanentError: a network cannot be rebuilt, or does not run.
    """
    machine, known = describe(), standings()
    content = {("", "int8"): SHIPPED.read_bytes()}
    content |= {key: path.read_bytes() for key, path in rebuilt(files).items()}
    needed = {_key(standing) for standing in known.models}
    if gone := sorted({recipe for recipe, kind, _ in needed if (recipe, kind) not in content}):
        raise ConfigError(f"training/recipes has no {', '.join(gone)}, of which the reports tell: take it out of them")
    loaded = {key: _ready(load(data, f"{key[0] or 'shipped'}, {key[1]}")) for key, data in content.items()}
    calls = {key: partial(_views, loaded[key[:2]].interpreter.invoke, key[2]) for key in needed}
    spent = in_turn(calls, rounds)
    shipped = spent["", "int8", 1]
    models = tuple(
        Model(
            standing,
            len(content[_key(standing)[:2]]),
            spread(spent[_key(standing)]),
            spread([own / other for own, other in zip(spent[_key(standing)], shipped, strict=True)]),
        )
        for standing in known.models
    )
    first = loaded["", "int8"]
    return Survey(
        machine=machine,
        runtime=first.runtime,
        rounds=rounds,
        split=known.split,
        pictures=known.pictures,
        data_sha256=known.data_sha256,
        short=known.short,
        models=models,
    )


def _key(standing: Standing) -> Key:
    shipped = (standing.name, standing.kind) == ("shipped", "int8")
    return "" if shipped else standing.recipe, standing.kind, standing.views


def _ready(loaded: Loaded) -> Loaded:
    """With a picture in the input: what memory holds by chance may be slower to compute with."""
    (end,) = loaded.interpreter.get_input_details()
    pixels = np.random.default_rng(1).integers(0, 256, end["shape"])
    values = (pixels - 128).astype(np.int8) if end["dtype"] == np.int8 else pixels.astype(end["dtype"])
    loaded.interpreter.set_tensor(end["index"], values)
    return loaded


def _views(invoke: Callable[[], None], views: int) -> None:
    for _ in range(views):
        invoke()


def in_turn(calls: Mapping[Key, Callable[[], None]], rounds: int, seed: int = 1) -> dict[Key, list[float]]:
    """Milliseconds of a call in each round: the median of its turn.

    The order changes from round to round, so that nobody always comes after the one that empties the caches.

    Args:
        calls: what to time.
        rounds: in which each has one turn.
        seed: of the orders.
    """
    spent: dict[Key, list[float]] = {key: [] for key in calls}
    order, shuffle = sorted(calls), random.Random(seed).shuffle
    for _ in range(rounds):
        shuffle(order)
        for key in order:
            call = calls[key]
            for _ in range(WARM_CALLS):
                call()
            times_ns: list[int] = []
            end_ns = time.perf_counter_ns() + int(TURN_S * 1e9)
            while len(times_ns) < LEAST_CALLS or time.perf_counter_ns() < end_ns:
                start_ns = time.perf_counter_ns()
                call()
                times_ns.append(time.perf_counter_ns() - start_ns)
            spent[key].append(statistics.median(times_ns) / 1e6)
    return spent


def spread(values: Sequence[float]) -> Spread:
    """The median and the quartiles."""
    low, median, high = (round(float(value), 5) for value in np.percentile(values, (25, 50, 75)))
    return Spread(median, low, high)


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 1 or 78 what was asked for cannot be done as asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.models.accuracy_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--rounds", type=int, default=200, help="in which all models take turns; default: 200, half a minute")
    add("--files", type=Path, default=Path("runs/rebuilt"), help="folder for the networks; default: runs/rebuilt")
    add("--out", type=Path, default=Path("runs/accuracy_speed"), help="default: runs/accuracy_speed")
    given = parser.parse_args(argv)
    if given.rounds < 1:
        parser.error(f"--rounds {given.rounds}: expected 1 or more")
    return outcome(lambda: print(f"page in {write(document(survey(given.files, given.rounds)), given.out)}"))


if __name__ == "__main__":
    sys.exit(main())
