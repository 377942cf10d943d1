"""Brings pictures of any size and colour to the chips asked for, as the device would see them."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.contract.chip import shrink
from edge.errors import PermanentError
from training.data.cache import Allocate, Arrays, mapped
from training.data.classes import DROPPED, Classes, resolve
from training.data.dataset import NO_LABEL, Dataset
from training.data.options import DEFAULTS, LoaderOptions
from training.data.selection import take

LAYOUT = 1
"""Part of every key of chips that were made here: raise it when these functions' results change."""

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})


class Unreadable(ValueError):
    """A picture that cannot be used; the message is the reason."""


def to_chip(picture: NDArray[np.uint8], side_px: int, channels: int) -> NDArray[np.uint8]:
    """Convert and resize, without keeping the aspect: faces are cut already, and nothing may be invented beside them.

    Args:
        picture: uint8 (H, W), (H, W, 1) or (H, W, 3) RGB.
        side_px: of the chip.
        channels: 1 or 3.

    Returns:
        uint8 (S, S, C).
    """
    flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    if flat.ndim == 3 and channels == 1:
        flat = cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY)
    elif flat.ndim == 2 and channels == 3:
        flat = cv2.cvtColor(flat, cv2.COLOR_GRAY2RGB)
    return shrink(flat, side_px, side_px).reshape(side_px, side_px, channels)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture file.

    Returns:
        uint8 (H, W, 3) RGB; grey pictures have three equal channels.

    Raises:
        Unreadable: not a picture, or not a whole one.
    """
    content = path.read_bytes()
    if not content:
        raise Unreadable("an empty file")
    # OpenCV fills what is missing of a cut file with grey, and says so on stderr only
    jpeg_cut = content[:2] == b"\xff\xd8" and content.find(b"\xff\xd9", content.rfind(b"\xff\xda")) < 0
    png_cut = content[:4] == b"\x89PNG" and b"IEND" not in content[-64:]
    if jpeg_cut or png_cut:
        raise Unreadable(f"the file is cut off after {len(content)} bytes")
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise Unreadable(f"not a picture that OpenCV reads ({error.err})") from error
    if picture is None:
        raise Unreadable("not a picture that OpenCV reads")
    rgb: NDArray[np.uint8] = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return rgb


def fill(target: NDArray[np.uint8], root: Path, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Put the pictures of files at the head of `target`, but those that cannot be read and blank ones.

    Args:
        target: uint8 (M, S, S, C), M at least as many as names.
        root: what the names are relative to.
        names: of the files.

    Returns:
        Positions in `names` of the pictures that are there, int64 (K,), and of each that is not why, str.

    Raises:
        PermanentError: none can be used.
    """
    kept: list[int] = []
    left_out: list[str] = []
    for position, name in enumerate(names):
        try:
            picture = read_picture(root / name)
        except Unreadable as reason:
            left_out.append(f"{name}: {reason}")
            continue
        if (picture == picture[0, 0]).all():
            left_out.append(f"{name}: blank, every pixel is {picture[0, 0].tolist()}")
            continue
        target[len(kept)] = to_chip(picture, *target.shape[2:])
        kept.append(position)
    if not kept:
        raise PermanentError(
            f"{root}: none of {len(names)} pictures can be used, the first is {left_out[0]}; expected pictures that "
            f"end in {suffixes()}"
        )
    return np.array(kept, np.int64), np.array(left_out, np.str_)


def is_picture(file: Path) -> bool:
    """Whether it is a file that is named as a picture; hidden ones come with archives."""
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()


def suffixes() -> str:
    """Those of pictures, for messages."""
    return ", ".join(sorted(SUFFIXES))


def adapted(native: Dataset, options: LoaderOptions, where: str, cache: Path | None) -> Dataset:
    """A data set of known labels as the options want it: classes renamed, merged or left out, chips resized.

    Args:
        native: as the source has it, with its key; its label names are known names whatever they are.
        options: what is wanted; without a class map and labels the classes and their order stay.
        where: the source, for messages.
        cache: directory for resized chips.

    Raises:
        ConfigError: the class map does not fit.
    """
    same_chips = (native.side_px, native.channels) == (options.size, options.channels)
    if options == DEFAULTS and same_chips:
        return native
    if options.classes or options.labels:
        classes = resolve(native.label_names, where, options, {name: name for name in native.label_names})
    else:
        classes = Classes(native.label_names, {name: index for index, name in enumerate(native.label_names)})
    # one more at the end, which is where the index NO_LABEL, -1, leads
    table = np.array([*(classes.index[name] for name in native.label_names), NO_LABEL], np.int64)
    keep = np.flatnonzero(table[native.labels] != DROPPED)
    key = f"{native.key}-{LAYOUT}-{options.key()}"
    if same_chips:
        chips = take(native.chips, keep)
    else:

        def work_out(allocate: Allocate) -> Arrays:
            target = allocate("chips", (len(keep), options.size, options.size, options.channels))
            for place, position in enumerate(keep):
                target[place] = to_chip(native.chips[position], options.size, options.channels)
            return {}

        chips = mapped(cache, f"chips-{key}", work_out)["chips"]
    return Dataset(
        chips,
        table[native.labels[keep]],
        classes.names,
        native.splits[keep],
        native.rows[keep],
        None if native.names is None else native.names[keep],
        native.left_out,
        native.sha256,
        key,
    )
