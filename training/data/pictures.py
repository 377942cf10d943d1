"""Reads a folder of pictures that nobody has sorted: for predictions only."""

from pathlib import Path

import numpy as np

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError
from training.data.cache import Allocate, Arrays, mapped, sha256_of
from training.data.chips import LAYOUT as CHIPS_LAYOUT
from training.data.chips import fill, is_picture, suffixes
from training.data.dataset import NO_LABEL, UNLABELLED, Dataset
from training.data.options import DEFAULTS, LoaderOptions

_LAYOUT = 2


def load(path: Path, cache: Path | None = None, options: LoaderOptions = DEFAULTS) -> Dataset:
    """Read all pictures in the folder and below it, by their names; each shows one face and little else.

    Pictures that cannot be read, are cut off or are one flat colour are left out.

    Args:
        path: the folder.
        cache: directory that keeps the chips under the SHA-256 of all files.
        options: size and channels count.

    Raises:
        ConfigError: no such folder, or none with pictures.
        PermanentError: no picture can be read.
    """
    if not path.is_dir():
        raise ConfigError(f"{path}: no such folder; expected a folder of pictures, give it with --data")
    names = [file.relative_to(path).as_posix() for file in sorted(path.rglob("*")) if is_picture(file)]
    if not names:
        raise ConfigError(f"{path}: no picture in this folder; expected files ending in {suffixes()}")

    def work_out(allocate: Allocate) -> Arrays:
        chips = allocate("chips", (len(names), options.size, options.size, options.channels))
        rows, left_out = fill(chips, path, names)
        return {
            "labels": np.full(len(rows), NO_LABEL, np.int64),
            "rows": rows,
            "splits": np.full(len(rows), UNLABELLED),
            "names": np.array(names, np.str_)[rows],
            "left_out": left_out,
        }

    digest = sha256_of(path)
    key = f"unsorted-{_LAYOUT}.{CHIPS_LAYOUT}-{digest}-{options.size}-{options.channels}"
    return Dataset.of(mapped(cache, key, work_out), options.labels or FER2013_LABELS, digest, key)
