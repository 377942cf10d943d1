"""Reads pictures from folders: `train/<class>` with `test/<class>` or `validation/<class>`, or `<class>` alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from edge.errors import ConfigError
from training.data.cache import Allocate, Arrays, mapped, sha256_of
from training.data.chips import LAYOUT as CHIPS_LAYOUT
from training.data.chips import fill, is_picture, suffixes
from training.data.classes import DROPPED, NO_PRESET, resolve
from training.data.dataset import TEST, TRAINING, VALIDATION, Dataset
from training.data.options import DEFAULTS, LoaderOptions
from training.data.splits import with_validation

_LAYOUT = 2

SPLIT_FOLDERS: Mapping[str, str] = MappingProxyType(
    {
        "train": TRAINING,
        "training": TRAINING,
        "val": VALIDATION,
        "valid": VALIDATION,
        "validation": VALIDATION,
        "test": TEST,
        "testing": TEST,
    }
)
"""The splits by the names of their folders, whatever the case."""

RAF_DB: Mapping[str, str] = MappingProxyType(
    {"1": "surprise", "2": "fear", "3": "disgust", "4": "happy", "5": "sad", "6": "angry", "7": "neutral"}
)
"""Numbers of the basic expressions in RAF-DB (Li, Deng, Du 2017; its list_patition_label.txt)."""

AFFECTNET: Mapping[str, str] = MappingProxyType(
    {
        "0": "neutral",
        "1": "happy",
        "2": "sad",
        "3": "surprise",
        "4": "fear",
        "5": "disgust",
        "6": "angry",
        "7": "contempt",
    }
)
"""Numbers of the discrete expressions in AffectNet (Mollahosseini, Hasani, Mahoor 2017); 8 to 10 are no faces."""


@dataclass(frozen=True, slots=True)
class _File:
    """One picture: its path below the source, its class folder and its split (empty: to be chosen)."""

    name: str
    source_class: str
    split: str


def load(path: Path, cache: Path | None = None, options: LoaderOptions = DEFAULTS) -> Dataset:
    """Read `train/<class>/…` with `test/…`, `validation/…` or both; `val`, `valid`, `training`, `testing` do as well.

    Args:
        path: the folder that holds `train`.
        cache: directory that keeps the chips under the SHA-256 of all files.
        options: classes, size, channels; the share too, where there is neither `test` nor `validation`.

    Raises:
        ConfigError: no such folder, another layout, or an unknown class.
        PermanentError: no picture can be read.
    """
    return _load(path, cache, options, "folders", NO_PRESET)


def load_raf_db(path: Path, cache: Path | None = None, options: LoaderOptions = DEFAULTS) -> Dataset:
    """As `load`, with RAF-DB's folders 1 to 7."""
    return _load(path, cache, options, "raf-db", RAF_DB)


def load_affectnet(path: Path, cache: Path | None = None, options: LoaderOptions = DEFAULTS) -> Dataset:
    """As `load`, with AffectNet's folders 0 to 7; the eighth class, contempt, stays unless the class map drops it."""
    return _load(path, cache, options, "affectnet", AFFECTNET)


def load_classes(path: Path, cache: Path | None = None, options: LoaderOptions = DEFAULTS) -> Dataset:
    """Read `<class>/…`; `options.validation_share` of each class becomes the split "Validation".

    Args:
        path: the folder that holds one folder a class.
        cache: directory that keeps the chips under the SHA-256 of all files.
        options: all of them count.

    Raises:
        ConfigError: no such folder, another layout, or an unknown class.
        PermanentError: no picture can be read.
    """
    _need_folder(path)
    splits = [folder.name for folder in _folders(path) if folder.name.casefold() in SPLIT_FOLDERS]
    if splits:
        raise ConfigError(
            f"{path}: holds {', '.join(splits)}; expected one folder a class: take the loader folders instead"
        )
    files = [file for folder in _folders(path) for file in _pictures(path, folder, "")]
    return _dataset(path, files, cache, options, "class-folders", NO_PRESET)


def _load(path: Path, cache: Path | None, options: LoaderOptions, loader: str, preset: Mapping[str, str]) -> Dataset:
    _need_folder(path)
    found = {folder: SPLIT_FOLDERS.get(folder.name.casefold()) for folder in _folders(path)}
    parts = [split for split in found.values() if split]
    if TRAINING not in parts or len(set(parts)) < len(parts):
        names = ", ".join(folder.name for folder in found) or "no folder"
        raise ConfigError(
            f"{path}: holds {names}; expected train, and test or validation, each once; for folders of classes alone "
            "take the loader class-folders"
        )
    alone = set(parts) == {TRAINING}
    files = [
        file
        for part, split in found.items()
        if split
        for folder in _folders(part)
        for file in _pictures(path, folder, "" if alone else split)
    ]
    return _dataset(path, files, cache, options, loader, preset)


def _need_folder(path: Path) -> None:
    if not path.is_dir():
        raise ConfigError(f"{path}: no such folder; expected a folder of pictures, give it with --data")


def _folders(path: Path) -> list[Path]:
    # __MACOSX and the like come with archives, and are never classes
    return sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__")))


def _pictures(root: Path, folder: Path, split: str) -> list[_File]:
    return [
        _File(file.relative_to(root).as_posix(), folder.name, split)
        for file in sorted(folder.rglob("*"))
        if is_picture(file)
    ]


def _dataset(
    path: Path, files: list[_File], cache: Path | None, options: LoaderOptions, loader: str, preset: Mapping[str, str]
) -> Dataset:
    if not files:
        raise ConfigError(f"{path}: no picture in folders of classes; expected files ending in {suffixes()}")
    classes = resolve((file.source_class for file in files), str(path), options, preset)
    # the number of a picture is its place among all, whatever the options leave out
    wanted = [(row, file) for row, file in enumerate(files) if classes.index[file.source_class] != DROPPED]

    def work_out(allocate: Allocate) -> Arrays:
        chips = allocate("chips", (len(wanted), options.size, options.size, options.channels))
        places, left_out = fill(chips, path, [file.name for _, file in wanted])
        kept = [wanted[place] for place in places.tolist()]
        labels = np.array([classes.index[file.source_class] for _, file in kept], np.int64)
        rows = np.array([row for row, _ in kept], np.int64)
        splits = np.array([file.split for _, file in kept], np.str_)
        if not splits[0]:
            splits = with_validation(chips[: len(kept)], labels, rows, options.validation_share, options.seed)
        return {
            "labels": labels,
            "rows": rows,
            "splits": splits,
            "names": np.array([file.name for _, file in kept], np.str_),
            "left_out": left_out,
        }

    digest = sha256_of(path)
    key = "-".join(filter(None, (f"pictures-{_LAYOUT}.{CHIPS_LAYOUT}-{loader}", digest, options.key())))
    return Dataset.of(mapped(cache, key, work_out), classes.names, digest, key)
