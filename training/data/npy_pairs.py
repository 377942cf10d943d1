"""Reads pairs of `.npy` files: `X_train.npy` with `y_train.npy` and the like, or `X.npy` with `y.npy`."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError, PermanentError
from training.data.cache import Allocate, Arrays, mapped, sha256_of
from training.data.chips import LAYOUT as CHIPS_LAYOUT
from training.data.chips import to_chip
from training.data.classes import DROPPED, Classes, resolve
from training.data.dataset import NO_LABEL, TEST, TRAINING, UNLABELLED, VALIDATION, Dataset
from training.data.folders import SPLIT_FOLDERS
from training.data.npy_values import as_bytes, pictures, source_classes
from training.data.options import DEFAULTS, LoaderOptions
from training.data.splits import with_validation

_LAYOUT = 2

LABELS_FILE = "labels.txt"
"""Beside the arrays: the classes' names, one a line; line n names the number n - 1."""

_WORDS = "|".join(sorted(SPLIT_FOLDERS, key=len, reverse=True))
_PICTURES = re.compile(rf"^(?P<kind>x|images|fdatax)(?:_?(?P<split>{_WORDS}))?$", re.IGNORECASE)
_LABELS_OF = {"x": ("y",), "images": ("labels",), "fdatax": ("flabels",)}
_EXPECTED = "X_train.npy with y_train.npy, X_test.npy with y_test.npy, or X.npy with y.npy"


@dataclass(frozen=True, slots=True)
class _Pair:
    """Files of one part; `split` is empty where it is still to be chosen, `labels` None where there are none."""

    pictures: Path
    labels: Path | None
    split: str


def load(path: Path, cache: Path | None = None, options: LoaderOptions = DEFAULTS) -> Dataset:
    """Read all pairs of a folder.

    Pictures are (N, S, S), (N, S, S, 1), (N, S, S, 3) RGB or (N, S·S), uint8 in 0..255 or floating point in [0, 1] or
    0..255; labels are (N,) or (N, 1) whole numbers or names, or (N, C) one-hot. What the numbers mean is said by
    `labels.txt` beside the arrays, or by the class map (`"3" = "happy"`): never guessed. `images`/`labels` and
    `fdataX`/`flabels` do for `X`/`y`; a test part without labels becomes "Unlabelled".

    Args:
        path: the folder.
        cache: directory that keeps the chips under the SHA-256 of the files.
        options: all of them count; the share only for a pair without a split in its name.

    Raises:
        ConfigError: no such folder, no pairs, or a class without a name.
        PermanentError: an array is not what it should be; the message names the file and what was found.
    """
    if not path.is_dir():
        raise ConfigError(f"{path}: no such folder; expected {_EXPECTED} in it")
    pairs = _pairs(path)
    numbered = _numbered(path)
    sources = [
        None if pair.labels is None else source_classes(pair.labels, len(pictures(pair.pictures))) for pair in pairs
    ]
    named = [None if part is None else _named(part, numbered) for part in sources]
    occurring = [str(name) for part in named if part is not None for name in np.unique(part)]
    known = {name: name for name in numbered.values()}
    classes = resolve((*known, *occurring), str(path), options, known)

    def work_out(allocate: Allocate) -> Arrays:
        labels = [_labels(part, len(pictures(pair.pictures)), classes) for part, pair in zip(named, pairs, strict=True)]
        count = sum(int(np.count_nonzero(part != DROPPED)) for part in labels)
        chips = allocate("chips", (count, options.size, options.size, options.channels))
        parts: list[Arrays] = []
        filled = first_row = 0
        for pair, label in zip(pairs, labels, strict=True):
            chosen = np.flatnonzero(label != DROPPED)
            kept, left_out = _fill(chips[filled:], pair.pictures, chosen, options)
            rows = kept + first_row
            splits = np.full(len(kept), pair.split)
            if not pair.split:
                own = chips[filled : filled + len(kept)]
                splits = with_validation(own, label[kept], rows, options.validation_share, options.seed)
            parts.append({"labels": label[kept], "rows": rows, "splits": splits, "left_out": left_out})
            filled, first_row = filled + len(kept), first_row + len(label)
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        if not filled:
            raise PermanentError(f"{path}: all of {first_row} pictures are blank or of classes that are left out")
        return joined

    digest = sha256_of(path)
    key = "-".join(filter(None, (f"npy-{_LAYOUT}.{CHIPS_LAYOUT}", digest, options.key())))
    return Dataset.of(mapped(cache, key, work_out), classes.names, digest, key)


def _pairs(folder: Path) -> list[_Pair]:
    files = {file.stem.casefold(): file for file in sorted(folder.glob("*.npy"))}
    pairs: list[_Pair] = []
    for stem, file in files.items():
        match = _PICTURES.match(stem)
        if not match:
            continue
        tail = stem[len(match["kind"]) :]
        labels = next((files[f"{word}{tail}"] for word in _LABELS_OF[match["kind"]] if f"{word}{tail}" in files), None)
        split = SPLIT_FOLDERS[match["split"]] if match["split"] else ""
        if labels is None and split != TEST:
            expected = file.with_name(f"{_LABELS_OF[match['kind']][0]}{tail}.npy").name
            raise ConfigError(f"{file}: no labels beside it; expected {expected}")
        pairs.append(_Pair(file, labels, split if labels else UNLABELLED))
    # rows are counted through all files, in this order
    pairs.sort(key=lambda pair: ("", TRAINING, VALIDATION, TEST, UNLABELLED).index(pair.split))
    splits = [pair.split for pair in pairs]
    if not pairs or len(set(splits)) < len(splits) or ("" in splits and len(splits) > 1):
        raise ConfigError(f"{folder}: holds {', '.join(f.name for f in files.values()) or 'no .npy'}; "
                          f"expected {_EXPECTED}, each once")  # fmt: skip
    return pairs


def _numbered(folder: Path) -> dict[str, str]:
    file = folder / LABELS_FILE
    if not file.is_file():
        return {}
    try:
        names = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise PermanentError(f"{file}: not UTF-8 text ({error}); expected one class name a line") from error
    return {str(number): name for number, name in enumerate(names) if name}


def _named(part: NDArray[np.str_], numbered: dict[str, str]) -> NDArray[np.str_]:
    """Numbers replaced by what `labels.txt` says they mean."""
    return np.array([numbered.get(str(name), str(name)) for name in part], np.str_)


def _labels(part: NDArray[np.str_] | None, count: int, classes: Classes) -> NDArray[np.int64]:
    if part is None:
        return np.full(count, NO_LABEL, np.int64)
    return np.array([classes.index[str(name)] for name in part], np.int64)


def _fill(
    target: NDArray[np.uint8], file: Path, chosen: NDArray[np.int64], options: LoaderOptions
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Put the chosen pictures of a file at the head of `target`, but blank ones.

    Returns:
        Which are there, int64 (M,), and of each that is not why, str.
    """
    kept: list[int] = []
    left_out: list[str] = []
    for row, picture in zip(chosen.tolist(), as_bytes(file, chosen), strict=True):
        if (picture == picture[0, 0]).all():
            left_out.append(f"{file.name}, row {row}: blank")
            continue
        target[len(kept)] = to_chip(picture, options.size, options.channels)
        kept.append(row)
    return np.array(kept, np.int64), np.array(left_out, np.str_)
