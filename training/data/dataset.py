"""The one shape every loader delivers: nobody behind it cares where the faces come from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHIP_SIDE_PX = 48
"""Side of FER2013's pictures, and of the chips the device cuts for the shipped model."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Labelled face chips. All arrays are read-only and of the same length N.

    Attributes:
        chips: uint8 (N, 48, 48, 1) grey in 0..255.
        labels: int64 (N,), indices into `label_names`.
        label_names: class names, in the order of the labels.
        splits: str (N,), the part of the data each chip belongs to, in the words of the source ("Training", …).
        rows: int64 (N,), number of each chip in its source, from 0; it stays with the chip when a part is taken.
    """

    chips: NDArray[np.uint8]
    labels: NDArray[np.int64]
    label_names: tuple[str, ...]
    splits: NDArray[np.str_]
    rows: NDArray[np.int64]

    def __post_init__(self) -> None:
        count = len(self.chips)
        expected = (count, CHIP_SIDE_PX, CHIP_SIDE_PX, 1)
        if self.chips.dtype != np.uint8 or self.chips.shape != expected:
            raise ValueError(f"chips are {self.chips.dtype} {self.chips.shape}, expected uint8 {expected}")
        for name, dtype in (("labels", np.int64), ("rows", np.int64)):
            array = getattr(self, name)
            if array.dtype != dtype or array.shape != (count,):
                raise ValueError(f"{name} are {array.dtype} {array.shape}, expected {np.dtype(dtype)} {(count,)}")
        if self.splits.dtype.kind != "U" or self.splits.shape != (count,):
            raise ValueError(f"splits are {self.splits.dtype} {self.splits.shape}, expected str {(count,)}")
        if count and not (self.labels.min() >= 0 and self.labels.max() < len(self.label_names)):
            raise ValueError(f"labels reach beyond the {len(self.label_names)} names: {np.unique(self.labels)}")
        for array in (self.chips, self.labels, self.splits, self.rows):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.chips)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Dataset":
        """The part that a mask (bool (N,)) or positions (int64) choose."""
        return Dataset(
            self.chips[chosen], self.labels[chosen], self.label_names, self.splits[chosen], self.rows[chosen]
        )

    def split(self, name: str) -> "Dataset":
        """The part of that name; may be empty."""
        return self.take(self.splits == name)

    def split_names(self) -> tuple[str, ...]:
        """All parts that occur, sorted."""
        return tuple(str(name) for name in np.unique(self.splits))


def blank(chips: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which chips (N, 48, 48, 1) are one flat grey, that is, show nothing: bool (N,)."""
    flat = chips.reshape(len(chips), -1)
    return flat.min(axis=1, initial=255) >= flat.max(axis=1, initial=0)
