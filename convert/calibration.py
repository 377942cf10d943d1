"""The representative dataset: which chips the quantisation ranges are measured on."""

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError
from edge.types import Pixels

PER_CLASS = 60
"""420 chips of seven classes: more moved no figure of the shipped model beyond noise."""


def extremes(size: int, channels: int) -> Pixels:
    """One chip that holds both 0 and 255, uint8 (1, S, S, C).

    Without it the input's range is that of the faces seen, and brighter pixels saturate silently; with it the int8
    input is exact: scale 1, zero point -128.
    """
    ramp = np.linspace(0, 255, size, dtype=np.float64).round().astype(np.uint8)
    chip: Pixels = np.ascontiguousarray(np.broadcast_to(ramp[None, None, :, None], (1, size, size, channels)))
    return chip


def representative(
    chips: Pixels, labels: NDArray[np.int64], classes: int, seed: int, per_class: int = PER_CLASS
) -> Pixels:
    """Chips to calibrate on: the same number of each class, in random order, the extremes first.

    Args:
        chips: uint8 (N, S, S, C) that the model was trained on.
        labels: int64 (N,).
        classes: how many the model knows.
        seed: of the choice.
        per_class: how many of each; fewer where a class has fewer.

    Returns:
        uint8 (M, S, S, C).

    Raises:
        ConfigError: a class has no chip at all.
    """
    random = np.random.default_rng(seed)
    chosen: list[NDArray[np.int64]] = []
    for label in range(classes):
        members = np.flatnonzero(labels == label)
        if not members.size:
            raise ConfigError(
                f"no calibration chip of class {label} among {len(labels)}; give data that holds every class"
            )
        chosen.append(random.choice(members, min(per_class, members.size), replace=False))
    order = random.permutation(np.concatenate(chosen))
    return np.concatenate([extremes(chips.shape[1], chips.shape[3]), chips[order]])
