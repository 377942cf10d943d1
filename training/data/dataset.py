"""The one shape every loader delivers: nobody behind it cares where the faces come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.selection import Chips, blocks, take

CHIP_SIDE_PX = 48
"""Side of FER2013's pictures, and of the chips the device cuts for the shipped model."""

TRAINING = "Training"
VALIDATION = "Validation"
TEST = "Test"
UNLABELLED = "Unlabelled"
"""The parts' names, where the source has no words of its own (FER2013's are in `fer_csv.SPLITS`)."""

NO_LABEL = -1
"""Label of the pictures of the part `UNLABELLED`, and of no others."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Face chips with labels. All arrays are read-only and of the same length N.

    Attributes:
        chips: uint8 (N, S, S, C) in 0..255, C is 1 (grey) or 3 (RGB); an array, in memory or in a file (memory-mapped),
            or a selection of one.
        labels: int64 (N,), indices into `label_names`; `NO_LABEL` in the part `UNLABELLED`, for predictions only.
        label_names: class names, in the order of the labels.
        splits: str (N,), the part of the data each chip belongs to: the source's own word ("PublicTest"), or one of
            `TRAINING`, `VALIDATION`, `TEST`, `UNLABELLED`.
        rows: int64 (N,), number of each chip in its source, from 0; it stays with the chip when a part is taken.
        names: str (N,), file of each chip relative to the source, where each has one; else None.
        left_out: pictures of the source that are not here, each with its reason.
        sha256: of the source, as it was read; empty where it is not known.
        key: names the chips and their order, for results that depend on them (see `cache.cached`): the source's
            SHA-256, the options, and the layout numbers of all code that made the chips. Empty: not known, nothing is
            kept.
    """

    chips: Chips
    labels: NDArray[np.int64]
    label_names: tuple[str, ...]
    splits: NDArray[np.str_]
    rows: NDArray[np.int64]
    names: NDArray[np.str_] | None = None
    left_out: tuple[str, ...] = ()
    sha256: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        count, shape = len(self.chips), self.chips.shape
        if self.chips.dtype != np.uint8 or len(shape) != 4 or shape[1] != shape[2] or shape[3] not in (1, 3):
            raise ValueError(f"chips are {self.chips.dtype} {shape}, expected uint8 (N, S, S, C) with C 1 or 3")
        for name, dtype in (("labels", np.int64), ("rows", np.int64)):
            array = getattr(self, name)
            if array.dtype != dtype or array.shape != (count,):
                raise ValueError(f"{name} are {array.dtype} {array.shape}, expected {np.dtype(dtype)} {(count,)}")
        for name in ("splits", "names"):
            array = getattr(self, name)
            if array is not None and (array.dtype.kind != "U" or array.shape != (count,)):
                raise ValueError(f"{name} are {array.dtype} {array.shape}, expected str {(count,)}")
        labelled = self.splits != UNLABELLED
        known = self.labels[labelled]
        if known.size and not (known.min() >= 0 and known.max() < len(self.label_names)):
            raise ValueError(f"labels reach beyond the {len(self.label_names)} names: {np.unique(known)}")
        if (self.labels[~labelled] != NO_LABEL).any():
            raise ValueError(f"the part {UNLABELLED} has labels, expected {NO_LABEL} for each of its pictures")
        for array in (self.chips, self.labels, self.splits, self.rows, self.names):
            if isinstance(array, np.ndarray):
                array.setflags(write=False)

    @classmethod
    def of(
        cls, arrays: Mapping[str, NDArray[Any]], label_names: tuple[str, ...], sha256: str = "", key: str = ""
    ) -> "Dataset":
        """From what a loader keeps in the cache: arrays by the names of the attributes, `names` and `left_out` if any.

        `chips` may have room for more at its end: as many count as there are labels.
        """
        return cls(
            arrays["chips"][: len(arrays["labels"])],
            arrays["labels"],
            label_names,
            arrays["splits"],
            arrays["rows"],
            arrays.get("names"),
            tuple(arrays["left_out"].tolist()) if "left_out" in arrays else (),
            sha256,
            key,
        )

    def __len__(self) -> int:
        return len(self.chips)

    @property
    def side_px(self) -> int:
        """Side S of the chips."""
        return int(self.chips.shape[1])

    @property
    def channels(self) -> int:
        """Channels C of the chips."""
        return int(self.chips.shape[3])

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Dataset":
        """The part that a mask (bool (N,)) or positions (int64) choose; without `left_out` and `key`.

        The pictures stay where they are, in their file say: none is copied.
        """
        return Dataset(
            take(self.chips, np.arange(len(self))[chosen]),
            self.labels[chosen],
            self.label_names,
            self.splits[chosen],
            self.rows[chosen],
            None if self.names is None else self.names[chosen],
            sha256=self.sha256,
        )

    def split(self, name: str) -> "Dataset":
        """The part of that name; may be empty."""
        return self.take(self.splits == name)

    def split_names(self) -> tuple[str, ...]:
        """All parts that occur, sorted."""
        return tuple(str(name) for name in np.unique(self.splits))

    def name_of(self, position: int) -> str:
        """What to call one picture: its file, or its row in the source."""
        return f"row {self.rows[position]}" if self.names is None else str(self.names[position])


def blank(chips: Chips) -> NDArray[np.bool_]:
    """Which chips (N, S, S, C) are one flat colour, that is, show nothing: bool (N,)."""
    return np.concatenate([np.zeros(0, np.bool_), *map(_flat, blocks(chips))])


def _flat(chips: NDArray[np.uint8]) -> NDArray[np.bool_]:
    flat = chips.reshape(len(chips), -1, chips.shape[-1])
    lowest, highest = flat.min(axis=1, initial=255), flat.max(axis=1, initial=0)
    return np.asarray((lowest >= highest).all(axis=1))
