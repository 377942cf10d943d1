"""Reads FER2013's CSV: columns `emotion,pixels,Usage`, one 48×48 grey picture a row as 2304 numbers of text.

`icml_face_data.csv` is the same with blanks in its header and another order of columns.
"""

import csv
import gzip
import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from training.data.cache import Arrays, mapped, sha256_of
from training.data.chips import adapted
from training.data.dataset import CHIP_SIDE_PX, NO_LABEL, Dataset
from training.data.options import DEFAULTS, LoaderOptions

COLUMNS = ("emotion", "pixels", "Usage")
SPLITS = ("Training", "PublicTest", "PrivateTest")
PIXELS = CHIP_SIDE_PX * CHIP_SIDE_PX

LAYOUT = 2
"""Part of the cache's key: raise it when the parser's result changes."""

_GZIP_MAGIC = b"\x1f\x8b"


def load(path: Path, cache: Path | None = None, options: LoaderOptions = DEFAULTS) -> Dataset:
    """Read and check the whole file.

    Args:
        path: the CSV, plain or gzip-compressed (told by content, not by name).
        cache: directory that keeps the parsed arrays under the file's SHA-256.
        options: classes, size and channels; the split is the file's own.

    Raises:
        ConfigError: there is no such file, or the class map does not fit.
        PermanentError: the file is not FER2013's CSV; the message names the line, what was found and expected.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected FER2013's CSV (.csv or .csv.gz), give it with --data")
    digest = sha256_of(path)
    key = f"fer_csv-{LAYOUT}-{digest}"
    arrays = mapped(cache, key, lambda _: _parse(path))
    return adapted(Dataset.of(arrays, FER2013_LABELS, digest, key), options, str(path), cache)


def _parse(path: Path) -> Arrays:
    return parse(path, COLUMNS)


def parse(path: Path, needed: tuple[str, ...]) -> Arrays:
    """Read a CSV of pixels.

    Args:
        path: the file, plain or gzip-compressed.
        needed: the columns it must have, out of `COLUMNS`; `pixels` is one of them. Others are passed over.

    Returns:
        chips uint8 (N, 48, 48, 1), labels int64 (N,) (`NO_LABEL` without `emotion`), splits str (N,) (empty words
        without `Usage`), rows int64 (N,).

    Raises:
        PermanentError: a column is missing, or a row is wrong; the message names the line.
    """
    chips: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    splits: list[str] = []
    try:
        with _text(path) as file, warnings.catch_warnings():
            # where numpy warns of text it cannot read, `_pixels` finds out by the count
            warnings.simplefilter("ignore", DeprecationWarning)
            reader = csv.reader(file, strict=True)
            columns = _columns(path, next(reader, None), needed)
            for fields in reader:
                where = f"{path}, line {reader.line_num}"
                if len(fields) <= max(columns.values()):
                    raise PermanentError(f"{where}: {len(fields)} fields, expected {','.join(needed)}")
                named = {name: fields[column] for name, column in columns.items()}
                labels.append(_label(where, named["emotion"]) if "emotion" in named else NO_LABEL)
                chips.append(_pixels(where, named["pixels"]))
                splits.append(_split(where, named["Usage"]) if "Usage" in named else "")
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise PermanentError(
            f"{path}: not a readable CSV after {len(chips)} rows ({error}); expected UTF-8 text with the columns "
            f"{','.join(needed)}, plain or gzip-compressed; fetch the file again"
        ) from error
    if not chips:
        raise PermanentError(f"{path}: a header and no rows; expected one picture a row")
    return {
        "chips": np.stack(chips).reshape(-1, CHIP_SIDE_PX, CHIP_SIDE_PX, 1),
        "labels": np.array(labels, np.int64),
        "splits": np.array(splits, np.str_),
        "rows": np.arange(len(chips), dtype=np.int64),
    }


def header(path: Path) -> tuple[str, ...]:
    """The names of the columns, without blanks around them; empty for an empty file.

    Raises:
        PermanentError: the file is not text.
    """
    try:
        with _text(path) as file:
            return tuple(name.strip() for name in next(csv.reader(file), []))
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise PermanentError(f"{path}: not a readable CSV ({error}); fetch the file again") from error


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    with path.open("rb") as raw:
        zipped = raw.peek(2)[:2] == _GZIP_MAGIC
        plain = gzip.GzipFile(fileobj=raw) if zipped else raw
        with io.TextIOWrapper(plain, encoding="utf-8-sig", newline="") as text:
            yield text


def _columns(path: Path, header: list[str] | None, needed: tuple[str, ...]) -> dict[str, int]:
    if header is None:
        raise PermanentError(f"{path}: the file is empty; expected the header {','.join(needed)}")
    names = [name.strip() for name in header]
    missing = [name for name in needed if name not in names]
    if missing:
        found = ",".join(names)
        found = found if len(found) <= 80 else f"{found[:80]}…"
        raise PermanentError(
            f"{path}, line 1: no column {' and '.join(missing)} in the header {found!r}; expected {','.join(needed)}"
        )
    return {name: names.index(name) for name in needed}


def _label(where: str, text: str) -> int:
    known = dict(enumerate(FER2013_LABELS))
    if text.strip().isdecimal() and int(text) in known:
        return int(text)
    expected = ", ".join(f"{number} {name}" for number, name in known.items())
    raise PermanentError(f"{where}: emotion {text!r}; expected one of {expected}")


def _split(where: str, text: str) -> str:
    if text.strip() in SPLITS:
        return text.strip()
    raise PermanentError(f"{where}: Usage {text!r}; expected one of {', '.join(SPLITS)}")


def _pixels(where: str, text: str) -> NDArray[np.uint8]:
    try:
        values = np.fromstring(text, np.int64, sep=" ")
    except ValueError:  # numpy < 2.3 warns instead and returns what came before
        values = np.empty(0, np.int64)
    if len(values) == PIXELS and values.min() >= 0 and values.max() <= 255:
        return values.astype(np.uint8)
    words = text.split()
    for number, word in enumerate(words):
        if not (word.isdecimal() and word.isascii() and int(word) <= 255):
            raise PermanentError(f"{where}: pixel {number} is {word!r}; expected a whole number in 0..255")
    raise PermanentError(
        f"{where}: {len(words)} pixels; expected {PIXELS} ({CHIP_SIDE_PX}×{CHIP_SIDE_PX}), separated by spaces"
    )
