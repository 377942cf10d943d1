"""Finds pictures that occur more than once, so that no face is trained on and tested at the same time."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.cache import Arrays, cached
from training.data.chips import LAYOUT as CHIPS_LAYOUT
from training.data.chips import to_chip
from training.data.dataset import CHIP_SIDE_PX
from training.data.selection import Chips

_LAYOUT = 1
_CHUNK = 2048


def duplicate_groups(chips: Chips, correlation: float, cache: Path | None = None, key: str = "") -> NDArray[np.int64]:
    """Group chips that show the same picture.

    Two chips belong together if they are equal, or if Pearson's correlation of their pixels exceeds `correlation`
    (that finds re-encoded and re-lit copies); groups are the connected components. Blank chips have no correlation
    and are grouped by equality alone.

    Args:
        chips: uint8 (N, S, S, C); larger ones are compared at 48×48 in grey.
        correlation: threshold in (0, 1].
        cache: directory to keep the result in.
        key: names the content of `chips`, as `Dataset.key`; empty: nothing is kept.

    Returns:
        int64 (N,): the position of the first member of each chip's group.
    """

    def work_out() -> Arrays:
        return {"groups": _components(len(chips), [*_equal(chips), *_correlated(chips, correlation)])}

    name = f"duplicates-{_LAYOUT}.{CHIPS_LAYOUT}-{correlation}-{key}"
    return cached(cache if key else None, name, work_out)["groups"]


def _equal(chips: Chips) -> list[tuple[int, int]]:
    first: dict[bytes, int] = {}
    pairs: list[tuple[int, int]] = []
    for position, chip in enumerate(chips):
        # the digest stands for the picture, so that large pictures need not all be in memory
        earlier = first.setdefault(hashlib.sha256(chip.tobytes()).digest(), position)
        if earlier != position:
            pairs.append((earlier, position))
    return pairs


def equal_groups(chips: Chips) -> NDArray[np.int64]:
    """As `duplicate_groups`, of pictures that are equal pixel for pixel: quick, and no likeness counts."""
    return _components(len(chips), _equal(chips))


def _small(chips: Chips) -> Chips:
    """At most 48×48, grey: ample to compare by, and all pictures fit into memory."""
    if chips.shape[1] <= CHIP_SIDE_PX and chips.shape[3] == 1:
        return chips
    side = min(CHIP_SIDE_PX, chips.shape[1])
    small = np.empty((len(chips), side, side, 1), np.uint8)
    for place, chip in enumerate(chips):
        small[place] = to_chip(chip, side, 1)
    return small


def _normalised(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """float32 (N, S·S): the product of two rows is their correlation; blank chips are 0."""
    flat = chips.reshape(len(chips), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    flat /= np.where(norm > 0, norm, 1)
    return flat


def _correlated(chips: Chips, threshold: float) -> list[tuple[int, int]]:
    chips = _small(chips)
    pairs: list[tuple[int, int]] = []
    for top in range(0, len(chips), _CHUNK):
        above = _normalised(chips[top : top + _CHUNK])
        for left in range(top, len(chips), _CHUNK):
            # made again each time: as floating point all of a large set would take gigabytes
            product = above @ (above if left == top else _normalised(chips[left : left + _CHUNK])).T
            rows, columns = np.nonzero(product > threshold)
            later = columns + left > rows + top
            pairs += zip((rows[later] + top).tolist(), (columns[later] + left).tolist(), strict=True)
    return pairs


def _components(count: int, pairs: list[tuple[int, int]]) -> NDArray[np.int64]:
    parent = list(range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, other in pairs:
        a, b = root(one), root(other)
        parent[max(a, b)] = min(a, b)  # the smaller position stays root, so a group is named by its first member
    return np.array([root(node) for node in range(count)], np.int64)
