"""The representative dataset: which chips the quantisation ranges are measured on."""

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError
from edge.types import Pixels

PER_CLASS = 60
"""420 chips of seven classes: more moved no figure of the shipped model beyond noise."""

LEAST_PER_CLASS = 10
"""With fewer, one odd face sets the ranges of its class."""


def refuse_scaled(chips: Pixels, what: str) -> None:
    """Refuse pictures that were divided by 255.

    Args:
        chips: (N, S, S, C), expected in 0..255.
        what: they are, for messages.

    Raises:
        ConfigError: no value is greater than 1.
    """
    if chips.size and chips.max() <= 1:
        raise ConfigError(
            f"{what}: all values of its {len(chips)} chips lie between {chips.min()} and {chips.max()}, expected "
            "0..255; give the pictures as they are: the model scales them itself"
        )


def refuse_too_few(labels: NDArray[np.int64], names: tuple[str, ...], learnt_from: bool) -> None:
    """Refuse chips that cannot stand for what the model will see.

    Args:
        labels: int64 (N,), of all chips there are to choose from; negative where a chip has none.
        names: of the classes.
        learnt_from: the model was trained on these very data, so that there are no more: scarce classes are taken
            as they are.

    Raises:
        ConfigError: there is one class only, or a class has no chip or, in other data, fewer than `LEAST_PER_CLASS`.
    """
    counts = np.bincount(labels[labels >= 0], minlength=len(names))
    found = ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))
    if np.count_nonzero(counts) < min(2, len(names)):
        raise ConfigError(
            f"the calibration chips are of one class only ({found}); expected every class the model knows: one "
            "expression says nothing about the ranges of the others; give the data the model was trained on"
        )
    least = 1 if learnt_from else LEAST_PER_CLASS
    scarce = [name for name, count in zip(names, counts, strict=True) if count < least]
    if scarce:
        raise ConfigError(
            f"too few calibration chips of {', '.join(scarce)} ({found}); expected at least {least} of each class; "
            "give the data the model was trained on, or more pictures of these"
        )


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
