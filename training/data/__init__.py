"""Loaders by name. A new source of faces is one module with a `load` of the shape below and one line here."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from edge.errors import ConfigError
from training.data import fer_csv, folders, kaggle_csv, npy_pairs, pack
from training.data.cache import sha256_of
from training.data.dataset import Dataset
from training.data.options import DEFAULTS, LoaderOptions

__all__ = ["DEFAULTS", "LOADERS", "Loader", "LoaderOptions", "load_data"]


class Loader(Protocol):
    """Reads a path completely, checks it, and may keep what it parsed in the cache directory given."""

    def __call__(self, path: Path, cache: Path | None = None, options: LoaderOptions = DEFAULTS, /) -> Dataset:
        """Raises ConfigError and PermanentError that name file or row, what was found and what was expected."""
        ...


LOADERS: Mapping[str, Loader] = MappingProxyType(
    {
        "fer2013-csv": fer_csv.load,
        "icml-csv": fer_csv.load,
        "kaggle-csv": kaggle_csv.load,
        "folders": folders.load,
        "raf-db": folders.load_raf_db,
        "affectnet": folders.load_affectnet,
        "class-folders": folders.load_classes,
        "npy": npy_pairs.load,
        "pack": pack.load,
    }
)
"""The layouts are described in docs/data.md."""


def load_data(
    loader: str,
    path: Path,
    cache: Path | None = None,
    options: LoaderOptions = DEFAULTS,
    loaders: Mapping[str, Loader] | None = None,
) -> Dataset:
    """Read `path` with the loader of that name; the data set knows the SHA-256 of its source.

    Args:
        loader: name in `loaders`.
        path: what it reads.
        cache: directory for the parsed data.
        options: given to the loader.
        loaders: default: `LOADERS`.

    Raises:
        ConfigError: no such loader, or what it raises.
        PermanentError: the data cannot be read.
    """
    known = LOADERS if loaders is None else loaders
    if loader not in known:
        raise ConfigError(f"loader {loader!r}: expected one of {', '.join(known)}")
    dataset = known[loader](path, cache, options)
    # a large folder takes a while to hash: whoever needs the digest takes it from here
    return dataset if dataset.sha256 else replace(dataset, sha256=sha256_of(path))
