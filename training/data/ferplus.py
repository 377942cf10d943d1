"""Reads FER+'s votes (Barsoum et al. 2016): ten people's opinions of each of FER2013's pictures, as soft labels."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError, PermanentError
from training.data.dataset import Dataset

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "neutral": "neutral",
        "happiness": "happy",
        "surprise": "surprise",
        "sadness": "sad",
        "anger": "angry",
        "disgust": "disgust",
        "fear": "fear",
        "contempt": "contempt",
    }
)
"""FER+'s columns and what these classes are called here; its `unknown` and `NF` (no face) are no classes."""


@dataclass(frozen=True, slots=True, eq=False)
class SoftLabels:
    """Class probabilities of some rows of a data set. The arrays are read-only.

    Attributes:
        rows: int64 (M,), ascending: row numbers as in `Dataset.rows`.
        probabilities: float32 (M, C), each row sums to 1.
        label_names: of the columns.
        left_out: how many rows of the file had no vote for any of these classes.
    """

    rows: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    label_names: tuple[str, ...]
    left_out: int

    def of(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """What is known of `rows` (N,).

        Returns:
            float32 (N, C), zeros where nothing is known, and bool (N,), where something is.
        """
        if not len(self.rows):
            return np.zeros((len(rows), len(self.label_names)), np.float32), np.zeros(len(rows), bool)
        places = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        known = self.rows[places] == rows
        return np.where(known[:, None], self.probabilities[places], np.float32(0)), known


def load(path: Path, dataset: Dataset) -> SoftLabels:
    """Read the votes, over the label names of `dataset`.

    Votes for classes that `dataset` does not have (contempt, usually), for "unknown" and for "not a face" are dropped
    and the rest is scaled to 1: what is learnt is how the face looks given that it shows one of the classes. Rows
    without any vote left are left out.

    Args:
        path: microsoft/FERPlus's `fer2013new.csv`, as it is or with a column `row` put in front; without it the rows
            are those of fer2013.csv in order.
        dataset: FER2013; where both know the split of a row they must agree, else the rows do not belong together.

    Raises:
        ConfigError: no such file, or the data set has a class that FER+ does not know.
        PermanentError: not such a file, or of other pictures; the message names the line.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected FER+'s votes, fer2013new.csv of microsoft/FERPlus")
    foreign = [name for name in dataset.label_names if name not in NAMES.values()]
    if foreign:
        raise ConfigError(f"{path}: FER+ has no votes for {', '.join(foreign)}; it knows {', '.join(NAMES.values())}")
    split_of = dict(zip(dataset.rows.tolist(), dataset.splits.tolist(), strict=True))
    columns = [next(word for word, name in NAMES.items() if name == label) for label in dataset.label_names]
    votes: dict[int, list[int]] = {}
    read = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in ("Usage", *columns) if name not in (reader.fieldnames or ())]
            if missing:
                raise PermanentError(
                    f"{path}, line 1: no column {', '.join(missing)}; expected Usage and {', '.join(NAMES)}"
                )
            for read, fields in enumerate(reader, 1):
                where = f"{path}, line {reader.line_num}"
                row = _whole(where, "row", fields["row"]) if "row" in fields else read - 1
                if row in votes:
                    raise PermanentError(f"{where}: row {row} again; expected each row once")
                if split_of.get(row, fields["Usage"]) != fields["Usage"]:
                    raise PermanentError(
                        f"{where}: Usage {fields['Usage']!r} of row {row}, which is in {split_of[row]} in the data; "
                        "expected votes and pictures of the same fer2013.csv"
                    )
                votes[row] = [_whole(where, column, fields[column]) for column in columns]
    except (UnicodeDecodeError, csv.Error) as error:
        raise PermanentError(f"{path}: not a readable CSV ({error}); fetch the file again") from error
    rows = np.array(sorted(row for row, counts in votes.items() if sum(counts)), np.int64)
    counts = np.array([votes[row] for row in rows.tolist()], np.float32).reshape(-1, len(columns))
    probabilities = counts / counts.sum(axis=1, keepdims=True)
    for array in (rows, probabilities):
        array.setflags(write=False)
    return SoftLabels(rows, probabilities, dataset.label_names, read - len(rows))


def _whole(where: str, column: str, text: str | None) -> int:
    if text is not None and text.strip().isdecimal():
        return int(text)
    raise PermanentError(f"{where}: {column} {text!r}; expected a whole number")
