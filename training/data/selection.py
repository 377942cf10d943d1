"""Pictures by position, in an array or a file that may be larger than the memory: copied only as they are used."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

_BLOCK_B = 1 << 24


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Some pictures of an array, in some order; it reads like a read-only array uint8 (N, S, S, C).

    A number gives one picture; a slice, mask or array of positions copies those pictures and no others.
    `numpy.asarray` copies all of them.

    Attributes:
        source: uint8 (M, S, S, C), in memory or memory-mapped.
        positions: int64 (N,), in `source`.
        turned: each picture is seen mirrored, left for right.
    """

    source: NDArray[np.uint8]
    positions: NDArray[np.int64]
    turned: bool = False

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, S, S, C)."""
        return (len(self.positions), *self.source.shape[1:])

    @property
    def ndim(self) -> int:
        """4."""
        return self.source.ndim

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """uint8."""
        return self.source.dtype

    @property
    def size(self) -> int:
        """Values in all pictures together."""
        return len(self.positions) * int(np.prod(self.source.shape[1:]))

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        first, *rest = key if isinstance(key, tuple) else (key,)
        chosen = self.positions[first]
        found = self.source[chosen]
        if self.turned:
            found = found[..., ::-1, :]
        return found[(slice(None),) * np.ndim(chosen) + tuple(rest)] if rest else found

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return (self[at] for at in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a selection of pictures becomes an array by copying only")
        return np.asarray(self[:], dtype)

    def max(self) -> np.uint8:
        """The greatest value; N > 0."""
        return np.max([some.max() for some in blocks(self)])

    def min(self) -> np.uint8:
        """The least value; N > 0."""
        return np.min([some.min() for some in blocks(self)])


Chips: TypeAlias = NDArray[np.uint8] | Selection
"""uint8 (N, S, S, C). What takes these looks at them a slice at a time."""


def take(chips: Chips, positions: NDArray[np.int64]) -> Chips:
    """The pictures at `positions` (M,), from 0, without a copy: neighbours in a row as a view, others selected."""
    if isinstance(chips, Selection):
        whole = take(chips.source, chips.positions[positions])
        return mirrored(whole) if chips.turned else whole
    if len(positions) and bool((np.diff(positions) == 1).all()):
        return chips[positions[0] : positions[-1] + 1]
    return Selection(chips, positions)


def mirrored(chips: Chips) -> Chips:
    """Each picture left for right, without a copy."""
    if isinstance(chips, Selection):
        return Selection(chips.source, chips.positions, not chips.turned)
    return chips[:, :, ::-1]


def blocks(chips: Chips) -> Iterator[NDArray[np.uint8]]:
    """All pictures in turn, (B, S, S, C) of at most 16 MB each, or one picture where that is larger."""
    count = max(1, _BLOCK_B // max(1, int(np.prod(chips.shape[1:]))))
    return (chips[at : at + count] for at in range(0, len(chips), count))
