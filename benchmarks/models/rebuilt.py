"""`python -m benchmarks.models.rebuilt FOLDER`: every recipe's network as .tflite files, with random weights.

They name nothing rightly, but are as large and as fast as trained ones: what a network takes does not depend on the
values of its weights. Files that are there already are not made again.
"""

import argparse
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np

from benchmarks.models.networks import RECIPES, TRIALS
from benchmarks.outcome import outcome
from edge.contract.labels import FER2013_LABELS
from edge.errors import PermanentError
from training.files import write_whole
from training.networks import FAMILIES
from training.recipe import load_recipe

Kind = Literal["int8", "float32"]
KINDS: Final[tuple[Kind, ...]] = ("int8", "float32")
CALIBRATION_CHIPS = 8
TIMEOUT_S = 1800.0


def recipes() -> tuple[Path, ...]:
    """Those of networks that anybody would use."""
    return tuple(sorted(path for path in RECIPES.glob("*.toml") if path.stem not in TRIALS))


def file_of(folder: Path, recipe: Path, kind: Kind) -> Path:
    """Where that network's file lies; a changed recipe has another."""
    digest = hashlib.sha256(recipe.read_bytes()).hexdigest()[:8]
    return folder / f"{recipe.stem}-{digest}-{kind}.tflite"


def rebuilt(folder: Path) -> dict[tuple[str, Kind], Path]:
    """The file of each recipe's network, by the recipe's name and kind of file.

    They are made in another process: TensorFlow must not be loaded where something is timed.

    Raises:
        PermanentError: a network cannot be converted.
    """
    files = {(recipe.stem, kind): file_of(folder, recipe, kind) for recipe in recipes() for kind in KINDS}
    if not all(path.is_file() for path in files.values()):
        command = [sys.executable, "-m", "benchmarks.models.rebuilt", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        if done.returncode:
            raise PermanentError(f"the networks were not rebuilt: {done.stderr.strip()[-400:] or 'it said nothing'}")
    return files


def rebuild(folder: Path) -> None:
    """Make the files that are not there.

    Raises:
        PermanentError: a network cannot be converted.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    from convert.tflite import to_tflite  # noqa: PLC0415  # after the line above

    for path in recipes():
        missing = [kind for kind in KINDS if not file_of(folder, path, kind).is_file()]
        if not missing:
            continue
        recipe = load_recipe(path)
        options, family = recipe.data.options, FAMILIES[type(recipe.network)]
        shape = (options.size, options.size, options.channels)
        model = family.fold(family.build(recipe.network, shape, len(FER2013_LABELS), "float32"))
        chips = np.random.default_rng(1).integers(0, 256, (CALIBRATION_CHIPS, *shape), np.uint8)
        for kind in missing:
            content = to_tflite(model, kind, chips if kind == "int8" else None)
            write_whole(file_of(folder, path, kind), content)
            print(f"{path.stem}, {kind}: {len(content) / 1000:.0f} KB")


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 1 or 78 a network cannot be built."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.models.rebuilt",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="where to")
    given = parser.parse_args(argv)
    return outcome(lambda: rebuild(given.folder))


if __name__ == "__main__":
    sys.exit(main())
