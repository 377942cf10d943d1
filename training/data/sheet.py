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
_MOST_PX = 4096  # width and height of the sheet
_SMALLEST_PX = 16  # smaller pictures show nothing

View = Callable[[NDArray[np.uint8], NDArray[np.int64], int], NDArray[np.uint8]]
"""(chips uint8 (N, S, S, C), rows int64 (N,), view number) to chips alike: one augmented view."""


def contact_sheet(
    dataset: Dataset, columns: int = 12, view: View | None = None, views: int = 2, seed: int = 1
) -> NDArray[np.uint8]:
    """Draw the sheet: for each class a title, a line of pictures, and below them `views` lines of the same, augmented.

    Small pictures are enlarged by whole numbers. Where the sheet would be larger than 4096×4096 px they are reduced, to
    16 px at the least; beyond that there are fewer columns, and only the first classes.

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
    counts = np.bincount(dataset.labels[dataset.labels >= 0], minlength=len(dataset.label_names))
    lines_of_each = 1 if view is None else 1 + views
    columns = min(columns, int(counts.max(initial=1)), _MOST_PX // (_SMALLEST_PX + _GAP_PX))
    most = _MOST_PX // (_TITLE_PX + lines_of_each * (_SMALLEST_PX + _GAP_PX))
    shown = np.flatnonzero(counts)[:most].tolist()
    side = _shown_side_px(dataset.side_px, columns, len(shown), lines_of_each)
    for label in shown:
        name, members = dataset.label_names[label], np.flatnonzero(dataset.labels == label)
        order = np.argsort(uniforms(seed, dataset.rows[members], 0, 1, _STREAM)[:, 0], kind="stable")
        part = dataset.take(np.sort(members[order[:columns]]))
        chips = np.asarray(part.chips)
        lines = [chips]
        if view is not None:
            lines += [view(chips, part.rows, number) for number in range(views)]
        body = np.concatenate([_line(chips, columns, side) for chips in lines])
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


def _shown_side_px(side_px: int, columns: int, classes: int, lines_of_each: int) -> int:
    """Side of the pictures on the sheet: enlarged by a whole number, or reduced until all of them have room."""
    enlarged = side_px * max(1, -(-_LEAST_SIDE_PX // side_px))
    wide = _MOST_PX // max(1, columns)
    high = (_MOST_PX // max(1, classes) - _TITLE_PX) // lines_of_each
    return min(enlarged, max(_SMALLEST_PX, min(wide, high) - _GAP_PX))


def _line(chips: NDArray[np.uint8], columns: int, side: int) -> NDArray[np.uint8]:
    cell = side + _GAP_PX
    line = np.full((cell, columns * cell, 3), 255, np.uint8)
    way = cv2.INTER_AREA if side < chips.shape[1] else cv2.INTER_NEAREST
    for place, chip in enumerate(chips):
        colour = np.repeat(chip, 3, axis=2) if chip.shape[2] == 1 else chip[..., ::-1]
        drawn = cv2.resize(np.ascontiguousarray(colour), (side, side), interpolation=way)
        line[:side, place * cell : place * cell + side] = drawn
    return line
