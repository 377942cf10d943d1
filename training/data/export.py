"""Writes a data set in layouts that other programs read: `.npy` pairs, folders of pictures. The loaders read both."""

from pathlib import Path

import cv2
import numpy as np

from edge.errors import ConfigError, PermanentError
from training.data.dataset import TEST, TRAINING, UNLABELLED, VALIDATION, Dataset
from training.data.fer_csv import SPLITS
from training.data.npy_pairs import LABELS_FILE
from training.data.selection import Chips, blocks

FOLDER_OF = {
    TRAINING: "train",
    VALIDATION: "validation",
    TEST: "test",
    **dict(zip(SPLITS, ("train", "validation", "test"), strict=True)),
}
"""The folders' names for the splits; FER2013's PublicTest was meant for validation, its PrivateTest as the test."""


def write_npy(dataset: Dataset, folder: Path) -> tuple[Path, ...]:
    """Write `X_<split>.npy` uint8 (N, S, S, C), `y_<split>.npy` int64 (N,) and `labels.txt`.

    The part without labels becomes `X_test.npy` alone.

    Returns:
        The files.

    Raises:
        ConfigError: the folder is not empty, or two splits would go into the same files.
    """
    _prepare(dataset, folder)
    written = [folder / LABELS_FILE]
    written[0].write_text("\n".join(dataset.label_names) + "\n", encoding="utf-8")
    for split in dataset.split_names():
        part = dataset.split(split)
        written.append(folder / f"X_{_folder_of(split)}.npy")
        _save(written[-1], part.chips)
        if split != UNLABELLED:
            written.append(folder / f"y_{_folder_of(split)}.npy")
            np.save(written[-1], part.labels)
    return tuple(written)


def write_folders(dataset: Dataset, folder: Path) -> int:
    """Write `<split>/<class>/<row>.png`, without loss; the part without labels goes into `unlabelled/<row>.png`.

    Returns:
        How many pictures.

    Raises:
        ConfigError: the folder is not empty, or two splits would go into the same folder.
        PermanentError: a picture cannot be written.
    """
    _prepare(dataset, folder)
    for position in range(len(dataset)):
        split, label = str(dataset.splits[position]), int(dataset.labels[position])
        below = (
            folder / "unlabelled" if split == UNLABELLED else folder / _folder_of(split) / dataset.label_names[label]
        )
        below.mkdir(parents=True, exist_ok=True)
        file = below / f"{dataset.rows[position]:07}.png"
        # OpenCV wants BGR
        if not cv2.imwrite(str(file), np.ascontiguousarray(dataset.chips[position][..., ::-1])):
            raise PermanentError(f"{file}: cannot be written; is there room on the disk?")
    return len(dataset)


def _save(file: Path, chips: Chips) -> None:
    """As `numpy.save`, of pictures that need not fit into memory."""
    array = np.lib.format.open_memmap(file, "w+", np.uint8, chips.shape)
    filled = 0
    for some in blocks(chips):
        array[filled : filled + len(some)] = some
        filled += len(some)
    array.flush()


def _folder_of(split: str) -> str:
    return "test" if split == UNLABELLED else FOLDER_OF.get(split, split)


def _prepare(dataset: Dataset, folder: Path) -> None:
    names = [_folder_of(split) for split in dataset.split_names()]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"the splits {', '.join(dataset.split_names())} would go into {', '.join(names)}; expected different ones: "
            "export a part of them"
        )
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder}: is not empty; expected a new folder, so that nothing old stays among the new")
    folder.mkdir(parents=True, exist_ok=True)
