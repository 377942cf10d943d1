"""Reads the Kaggle competition's CSVs: `train.csv`, `test.csv` (no labels) and `test_with_emotions.csv`."""

import hashlib
from pathlib import Path

import numpy as np

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError
from training.data import fer_csv
from training.data.cache import Arrays, digests_in, mapped, of_digests, sha256_of
from training.data.chips import adapted
from training.data.dataset import TEST, UNLABELLED, Dataset
from training.data.options import DEFAULTS, LoaderOptions
from training.data.splits import with_validation

_LAYOUT = 2

TRAIN_FILE = "train.csv"
LABELLED_TEST_FILE = "test_with_emotions.csv"
TEST_FILE = "test.csv"


def load(path: Path, cache: Path | None = None, options: LoaderOptions = DEFAULTS) -> Dataset:
    """Read one of the files, or the folder that holds them.

    `train.csv` (columns `emotion,pixels`) is divided into "Training" and "Validation", the same share of each class;
    files with labels whose name begins with "test" are "Test"; files without `emotion` are "Unlabelled", for
    predictions only. In a folder `test_with_emotions.csv` goes before `test.csv`, which holds the same pictures; rows
    are counted on from `train.csv`.

    Args:
        path: a CSV, plain or gzip-compressed, or the folder.
        cache: directory that keeps the parsed arrays under the files' SHA-256.
        options: all of them count.

    Raises:
        ConfigError: no such file, or one with a split of its own.
        PermanentError: a file is wrong; the message names the line.
    """
    files = _files(path)
    if path.is_dir():
        digests = digests_in(path)
        digest = of_digests(digests)
    else:
        digest = sha256_of(path)
        digests = {path.name: digest}
    # the name tells what a file is for, so that the same content may be two things
    meant = "".join(f"{_kind(file)} {digests[file.name]}\n" for file in files)
    share_key = f"{options.validation_share}-{options.seed}"
    key = f"kaggle_csv-{_LAYOUT}.{fer_csv.LAYOUT}-{share_key}-{hashlib.sha256(meant.encode()).hexdigest()}"

    def work_out() -> Arrays:
        parts = [_read(file, options) for file in files]
        rows = np.arange(sum(len(part["labels"]) for part in parts), dtype=np.int64)
        joined = {name: np.concatenate([part[name] for part in parts]) for name in ("chips", "labels", "splits")}
        return {**joined, "rows": rows}

    arrays = mapped(cache, key, lambda _: work_out())
    return adapted(Dataset.of(arrays, FER2013_LABELS, digest, key), options, str(path), cache)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ConfigError(f"{path}: no such file or folder; expected {TRAIN_FILE}, or the folder that holds it")
    found = {name: _plain_or_zipped(path, name) for name in (TRAIN_FILE, LABELLED_TEST_FILE, TEST_FILE)}
    test = found[LABELLED_TEST_FILE] or found[TEST_FILE]
    files = [file for file in (found[TRAIN_FILE], test) if file]
    if not files:
        raise ConfigError(f"{path}: none of {', '.join(found)} in this folder; expected {TRAIN_FILE} at least")
    return files


def _plain_or_zipped(folder: Path, name: str) -> Path | None:
    return next((file for file in (folder / name, folder / f"{name}.gz") if file.is_file()), None)


def _kind(file: Path) -> str:
    return next((kind for kind in ("train", "test") if file.name.startswith(kind)), "other")


def _read(file: Path, options: LoaderOptions) -> Arrays:
    columns = fer_csv.header(file)
    if "Usage" in columns:
        raise ConfigError(f"{file}: has a column Usage, which is a split of its own; take the loader fer2013-csv")
    labelled = "emotion" in columns
    if not labelled and "pixels" in columns and _kind(file) == "train":
        raise ConfigError(f"{file}: no column emotion in the header {','.join(columns)}; expected emotion,pixels")
    arrays = fer_csv.parse(file, ("emotion", "pixels") if labelled else ("pixels",))
    if labelled and _kind(file) != "test":
        splits = with_validation(
            arrays["chips"], arrays["labels"], arrays["rows"], options.validation_share, options.seed
        )
    else:
        splits = np.full(len(arrays["labels"]), TEST if labelled else UNLABELLED)
    return {**arrays, "splits": splits}
