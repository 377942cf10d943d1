"""A teacher's answers, kept in a small file for students to learn from."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError
from training.augment import augment
from training.data.cache import write_arrays
from training.data.dataset import Dataset
from training.recipe import AugmentSettings

Probabilities = NDArray[np.floating]
NO_VIEWS = -1

_BATCH = 256  # pictures that are varied at a time: all of a fold, as float32, need not fit into memory


@dataclass(frozen=True, slots=True, eq=False)
class SoftLabels:
    """Answers for the pictures of one dataset.

    Attributes:
        probabilities: float32 (V, N, C): of view v of each picture; zeros where `known` is not set.
        known: bool (N,): the file has an answer for that picture.
        views_seed: the views were augmented with this seed and are replayed; None if V = 1 and the teacher saw the
            pictures as they are, so that any view may be learnt with its answer.
    """

    probabilities: NDArray[np.float32]
    known: NDArray[np.bool_]
    views_seed: int | None

    def targets(self, chosen: NDArray[np.int64], epoch: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Answers (M, C) and whether there are any (M,), for positions `chosen` in one epoch."""
        return self.probabilities[epoch % len(self.probabilities), chosen], self.known[chosen]


def ask(
    dataset: Dataset,
    teacher: Callable[[NDArray[np.uint8]], Probabilities],
    settings: AugmentSettings | None = None,
    seed: int = 1,
    views: int = 1,
) -> NDArray[np.float16]:
    """A teacher's answers to every picture.

    Args:
        dataset: of the pictures. For honest teaching none of them was in the teacher's own training part.
        teacher: chips uint8 (N, S, S, C) to probabilities (N, classes) in the order of `dataset.label_names`; the
            mean of several models is one, too.
        settings: augment the pictures with these before the teacher sees them; None: as they are.
        seed: of the augmentation.
        views: how many times each picture is shown, with `settings`.

    Returns:
        float16 (V, N, classes), V is 1 without `settings`.
    """
    answers = []
    for view in range(views if settings else 1):
        parts = []
        for at in range(0, len(dataset), _BATCH):
            chips, rows = dataset.chips[at : at + _BATCH], dataset.rows[at : at + _BATCH]
            parts.append(teacher(augment(chips, rows, view, seed, settings) if settings else chips))
        answers.append(np.concatenate(parts).astype(np.float16))
    return np.stack(answers)


def write(
    path: Path, dataset: Dataset, answers: NDArray[np.float16], settings: AugmentSettings | None = None, seed: int = 1
) -> None:
    """Keep answers (2 bytes a class, picture and view).

    Args:
        path: `.npz` to write, whole or not at all.
        dataset: of the pictures.
        answers: float16 (V, N, classes), from `ask`.
        settings: that they were asked with.
        seed: likewise.
    """
    header = {"labels": dataset.label_names, "seed": seed if settings else NO_VIEWS, "augment": settings}
    write_arrays(
        path,
        {
            "probabilities": answers,
            # as small as they can be: with twelve views of FER2013 the file stays below 5 MB
            "rows": dataset.rows.astype(np.int32),
            "truth": dataset.labels.astype(np.int16),
            "header": np.frombuffer(msgspec.json.encode(header), np.uint8),
        },
    )


class _Header(msgspec.Struct, frozen=True):
    labels: tuple[str, ...]
    seed: int
    augment: AugmentSettings | None


def read(path: Path, train: Dataset, settings: AugmentSettings) -> SoftLabels:
    """The answers for the pictures of `train`, found by their rows.

    Args:
        path: as `write` made it.
        train: what is learnt from.
        settings: of the run's augmentation; answers to augmented views need the same.

    Raises:
        ConfigError: no such file, or it is for other labels, other pictures or other views.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            header = msgspec.json.decode(stored["header"].tobytes(), type=_Header)
            probabilities, rows = stored["probabilities"].astype(np.float32), stored["rows"]
            truth = stored.get("truth")  # files made before have none
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, msgspec.DecodeError) as error:
        raise ConfigError(
            f"soft_labels.path = {path}: not a file of soft labels ({error}); make one with `python -m training teach`"
        ) from error
    if set(header.labels) != set(train.label_names):
        raise ConfigError(
            f"{path} is for the labels {', '.join(header.labels)}, expected {', '.join(train.label_names)}"
        )
    if header.augment is not None and header.augment != settings:
        raise ConfigError(f"{path} answers views of another [augment] than the recipe's; expected the same settings")
    probabilities = probabilities[:, :, [header.labels.index(name) for name in train.label_names]]
    order = np.argsort(rows)
    position = order[np.minimum(np.searchsorted(rows, train.rows, sorter=order), len(rows) - 1)]
    known = rows[position] == train.rows
    if not known.any():
        raise ConfigError(f"{path} answers none of the {len(train)} pictures to train on; expected those of this data")
    if truth is not None:
        _check_truth(path, header.labels, truth[position[known]], train, known)
    aligned = np.where(known[None, :, None], probabilities[:, position], np.float32(0))
    return SoftLabels(aligned, known, None if header.seed == NO_VIEWS else header.seed)


def _check_truth(
    path: Path, labels: tuple[str, ...], truth: NDArray[np.int64], train: Dataset, known: NDArray[np.bool_]
) -> None:
    """Rows alone do not tell one data set from another: the pictures' own labels must be the same, too."""
    given = np.array(labels)[truth]
    own = np.array(train.label_names)[train.labels[known]]
    if (given != own).any():
        at = int((given != own).argmax())
        raise ConfigError(
            f"{path} is for other pictures: row {train.rows[known][at]} is {given[at]} there and {own[at]} here; "
            "expected answers for this data, make them with `python -m training teach`"
        )
