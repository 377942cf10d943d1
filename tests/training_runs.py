"""What tests of training runs share: the tiny recipe, a clock that can be told, and what a run has left behind."""

import csv
import itertools
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.training_fakes import RECIPES
from training.fit import CHECKPOINT, HISTORY
from training.recipe import Recipe, load_recipe

TINY = load_recipe(RECIPES / "tiny.toml")
EPOCHS, STEPS = 3, 9
"""Of the tiny recipe: epochs, and steps an epoch."""


def changed(**optimiser: object) -> Recipe:
    """The tiny recipe with other settings of the optimiser."""
    return msgspec.structs.replace(TINY, optimiser=msgspec.structs.replace(TINY.optimiser, **optimiser))


def ticking() -> Callable[[], float]:
    """A clock that goes on by a second each time it is asked."""
    ticks = itertools.count()
    return lambda: float(next(ticks))


def checkpoint_arrays(out: Path) -> dict[str, np.ndarray]:
    """All state of a run but how far it is."""
    with np.load(out / CHECKPOINT) as stored:
        return {name: stored[name] for name in stored.files if name != "progress"}


def assert_same_state(one: Path, other: Path) -> None:
    """Two runs have come to the same weights."""
    first, second = checkpoint_arrays(one), checkpoint_arrays(other)
    assert first.keys() == second.keys()
    for name, values in first.items():
        assert second[name] == pytest.approx(values, rel=1e-5, abs=1e-6), name


def history(out: Path) -> list[dict[str, str]]:
    """A row for each epoch."""
    with (out / HISTORY).open(newline="") as file:
        return list(csv.DictReader(file))
