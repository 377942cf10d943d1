"""Reads a folder of pictures that nobody has sorted: for predictions only."""

from pathlib import Path

import numpy as np

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from training.data.cache import Allocate, Arrays, mapped, sha256_of
from training.data.chips import SUFFIXES, Unreadable, read_picture, to_chip
from training.data.dataset import NO_LABEL, UNLABELLED, Dataset
from training.data.options import DEFAULTS, LoaderOptions

_LAYOUT = 1


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
    names = [
        file.relative_to(path).as_posix()
        for file in sorted(path.rglob("*"))
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
    ]
    suffixes = ", ".join(sorted(SUFFIXES))
    if not names:
        raise ConfigError(f"{path}: no picture in this folder; expected files ending in {suffixes}")

    def work_out(allocate: Allocate) -> Arrays:
        chips = allocate("chips", (len(names), options.size, options.size, options.channels))
        kept: list[int] = []
        left_out: list[str] = []
        for row, name in enumerate(names):
            try:
                picture = read_picture(path / name)
            except Unreadable as reason:
                left_out.append(f"{name}: {reason}")
                continue
            if (picture == picture[0, 0]).all():
                left_out.append(f"{name}: blank, every pixel is {picture[0, 0].tolist()}")
                continue
            chips[len(kept)] = to_chip(picture, options.size, options.channels)
            kept.append(row)
        if not kept:
            raise PermanentError(
                f"{path}: none of {len(names)} pictures can be used, the first is {left_out[0]}; expected pictures "
                f"that end in {suffixes}"
            )
        return {"rows": np.array(kept, np.int64), "left_out": np.array(left_out, np.str_)}

    arrays = mapped(cache, f"unsorted-{_LAYOUT}-{sha256_of(path)}-{options.size}-{options.channels}", work_out)
    rows = arrays["rows"]
    return Dataset(
        arrays["chips"][: len(rows)],
        np.full(len(rows), NO_LABEL, np.int64),
        options.labels or FER2013_LABELS,
        np.full(len(rows), UNLABELLED),
        rows,
        np.array(names, np.str_)[rows],
        tuple(arrays["left_out"].tolist()),
    )
