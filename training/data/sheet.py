"""The contact sheet: some pictures of each class, as they are and as training sees them."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError, PermanentError
from training.data.dataset import Dataset
from training.randomness import uniforms

_STREAM = 0x7368656574  # "sheet"
_TITLE_PX = 18
_GAP_PX = 2
_LEAST_SIDE_PX = 64

View = Callable[[NDArray[np.uint8], NDArray[np.int64], int], NDArray[np.uint8]]
"""(chips uint8 (N, S, S, C), rows int64 (N,), view number) to chips alike: one augmented view."""


def contact_sheet(
    dataset: Dataset, columns: int = 12, view: View | None = None, views: int = 2, seed: int = 1
) -> NDArray[np.uint8]:
    """Draw the sheet: for each class a title, a line of pictures, and below them `views` lines of the same, augmented.

    Args:
        dataset: with labels.
        columns: pictures of each class.
        view: augments; None draws originals only.
        views: lines of augmented pictures.
        seed: of the choice of pictures.

    Returns:
        uint8 (H, W, 3) BGR.

    Raises:
        ConfigError: no picture has a label.
    """
    blocks: list[NDArray[np.uint8]] = []
    for label, name in enumerate(dataset.label_names):
        members = np.flatnonzero(dataset.labels == label)
        if not len(members):
            continue
        order = np.argsort(uniforms(seed, dataset.rows[members], 0, 1, _STREAM)[:, 0], kind="stable")
        part = dataset.take(np.sort(members[order[:columns]]))
        lines = [part.chips]
        if view is not None:
            lines += [view(part.chips, part.rows, number) for number in range(views)]
        body = np.concatenate([_line(chips, columns) for chips in lines])
        title = np.full((_TITLE_PX, body.shape[1], 3), 255, np.uint8)
        text = f"{name}  {len(members)}"
        cv2.putText(title, text, (4, _TITLE_PX - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
        blocks += [title, body]
    if not blocks:
        raise ConfigError("no picture with a label for the contact sheet; take a split that has labels")
    return np.concatenate(blocks)


def write_sheet(sheet: NDArray[np.uint8], path: Path) -> None:
    """Write the picture; the suffix tells the format.

    Raises:
        PermanentError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        written = cv2.imwrite(str(path), sheet)
    except cv2.error as error:
        raise PermanentError(f"{path}: OpenCV knows no such format; expected .png or .jpg") from error
    if not written:
        raise PermanentError(f"{path}: cannot be written; is the disk full, or the folder closed to you?")


def _line(chips: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    side = chips.shape[1]
    zoom = max(1, -(-_LEAST_SIDE_PX // side))
    cell = side * zoom + _GAP_PX
    line = np.full((cell, columns * cell, 3), 255, np.uint8)
    for place, chip in enumerate(chips):
        colour = np.repeat(chip, 3, axis=2) if chip.shape[2] == 1 else chip[..., ::-1]
        large = np.repeat(np.repeat(colour, zoom, axis=0), zoom, axis=1)
        line[: side * zoom, place * cell : place * cell + side * zoom] = large
    return line
