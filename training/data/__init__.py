"""Loaders by name. A new source of faces is one module with `load(path, cache) -> Dataset` and one line here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from training.data import fer_csv
from training.data.dataset import Dataset

Loader = Callable[[Path, Path | None], Dataset]

LOADERS: Mapping[str, Loader] = MappingProxyType({"fer2013-csv": fer_csv.load})
"""Each reads a path completely, checks it, and may keep what it parsed in the cache directory given."""
