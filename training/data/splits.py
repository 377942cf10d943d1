"""Divides the data into what is learnt from, what is selected and calibrated on, and what is only reported."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError
from training.data.dataset import TRAINING, UNLABELLED, VALIDATION, Dataset, blank
from training.data.duplicates import equal_groups
from training.data.selection import Chips
from training.randomness import uniforms

_HOLDOUT_STREAM = 0x686F6C646F7574  # "holdout": keeps this draw apart from all others
_VALIDATION_STREAM = 0x76616C6964  # "valid"
_FOLD_STREAM = 0x666F6C64  # "fold"


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The data of one run.

    Attributes:
        train: what the network learns from; no blank chips.
        holdout: for selection and calibration; no blank chips, no picture that `train` has.
        report: only ever reported, complete as the source has it.
        report_unseen: bool (len(report),): pictures of `report` that occur neither in `train` nor in `holdout`.
        blank_rows: rows of blank chips that were left out of `train` and `holdout`.
    """

    train: Dataset
    holdout: Dataset
    report: Dataset
    report_unseen: NDArray[np.bool_]
    blank_rows: tuple[int, ...]


def divide(
    dataset: Dataset, groups: NDArray[np.int64], train_split: str, report_split: str, holdout_share: float
) -> Parts:
    """Hold out a share of `train_split`, whole groups of duplicates at a time.

    The choice depends on the rows alone, not on a run's seed: runs with different seeds stay comparable.

    Args:
        dataset: everything, uncut.
        groups: int64 (N,) from `duplicate_groups`.
        train_split: name of the split to learn from.
        report_split: name of the split to report on.
        holdout_share: of the rows of `train_split`, in [0, 1).

    Raises:
        ConfigError: one of the two splits is the one without labels, or both are the same.
    """
    if train_split == report_split:
        raise ConfigError(
            f"train_split and report_split are both {train_split}; expected different ones of "
            f"{', '.join(dataset.split_names())}: what is learnt from says nothing about other pictures"
        )
    if UNLABELLED in (train_split, report_split):
        raise ConfigError(
            f"the split {UNLABELLED} has no labels to learn from or to measure with; expected another one of "
            f"{', '.join(dataset.split_names())}"
        )
    shows_nothing = blank(dataset.chips)
    in_train = dataset.splits == train_split
    usable = np.flatnonzero(in_train & ~shows_nothing)
    names, member_of = np.unique(groups[usable], return_inverse=True)
    order = np.argsort(uniforms(_HOLDOUT_STREAM, dataset.rows[names], 0, 1)[:, 0], kind="stable")
    sizes = np.bincount(member_of, minlength=len(names))[order]
    held_names = order[_fitting(sizes, round(holdout_share * len(usable)))]
    held = np.isin(member_of, held_names)
    reported = dataset.splits == report_split
    return Parts(
        train=dataset.take(usable[~held]),
        holdout=dataset.take(usable[held]),
        report=dataset.take(reported),
        report_unseen=~np.isin(groups[reported], groups[usable]),
        blank_rows=tuple(dataset.rows[in_train & shows_nothing].tolist()),
    )


def _fitting(sizes: NDArray[np.int64], most: int) -> NDArray[np.bool_]:
    """Which groups (N,), taken in turn until `most` pictures are reached; one that is larger alone is passed over."""
    fits = sizes <= most
    return fits & (np.cumsum(np.where(fits, sizes, 0)) <= most)


def folds(groups: NDArray[np.int64], rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Deal pictures into `count` parts of about the same size, whole groups of duplicates at a time.

    The choice depends on the rows alone.

    Args:
        groups: int64 (N,), equal for pictures that show the same.
        rows: int64 (N,), distinct.
        count: at least 2.

    Returns:
        int64 (N,): number of each picture's part, from 0.
    """
    _, firsts, member_of = np.unique(groups, return_index=True, return_inverse=True)
    order = np.argsort(uniforms(_FOLD_STREAM, rows[firsts], 0, 1)[:, 0], kind="stable")
    sizes = np.bincount(member_of, minlength=len(firsts))[order]
    fold_of = np.empty(len(firsts), np.int64)
    fold_of[order] = (np.cumsum(sizes) - sizes) * count // max(1, len(rows))
    return fold_of[member_of]


def with_validation(
    chips: Chips, labels: NDArray[np.int64], rows: NDArray[np.int64], share: float, seed: int
) -> NDArray[np.str_]:
    """Choose the same share of each class for validation; equal pictures stay together.

    The choice depends on rows and seed alone. A class of which the share is less than one picture gives none.

    Args:
        chips: uint8 (N, S, S, C).
        labels: int64 (N,).
        rows: int64 (N,), distinct.
        share: of each class, in (0, 1).
        seed: of the choice.

    Returns:
        str (N,): "Training" or "Validation".
    """
    splits = np.full(len(labels), TRAINING, dtype=f"<U{max(len(TRAINING), len(VALIDATION))}")
    firsts, member_of = np.unique(equal_groups(chips), return_inverse=True)
    sizes = np.bincount(member_of, minlength=len(firsts))
    draws = uniforms(seed, rows[firsts], 0, 1, _VALIDATION_STREAM)[:, 0]
    # a picture that occurs under two labels counts for its first one
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels[firsts] == label)
        order = of_class[np.argsort(draws[of_class], kind="stable")]
        chosen = order[_fitting(sizes[order], round(share * np.count_nonzero(labels == label)))]
        splits[np.isin(member_of, chosen)] = VALIDATION
    return splits
