"""What `.npy` files of pictures and labels may hold, and how it becomes bytes and names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import PermanentError

_AT_ONCE = 1 << 22  # values that are looked at a time: 1,024 RGB pictures of 224 px would take gigabytes


def opened(file: Path) -> NDArray[Any]:
    """The array of a file, memory-mapped.

    Raises:
        PermanentError: it is no array, or one of Python objects.
    """
    try:
        array: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise PermanentError(f"{file}: not an array ({error}); expected what numpy.save writes, of numbers") from error
    return array


def pictures(file: Path) -> NDArray[Any]:
    """The array of a file as (N, H, W) or (N, H, W, C), memory-mapped, of any type.

    Raises:
        PermanentError: its shape is none of pictures.
    """
    return _as_pictures(file, opened(file))


def as_bytes(file: Path, chosen: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
    """The chosen pictures (M,) of a file one after the other, uint8 (H, W) or (H, W, C).

    Raises:
        PermanentError: the values are neither 0..255 nor [0, 1], or have been scaled twice.
    """
    array = pictures(file)
    factor = _factor(file, array)
    chunk = _chunk(array)
    for start in range(0, len(chosen), chunk):
        some = np.asarray(array[chosen[start : start + chunk]])
        yield from some if some.dtype == np.uint8 else np.clip(np.rint(some * factor), 0, 255).astype(np.uint8)


def source_classes(file: Path, pictures: int) -> NDArray[np.str_]:
    """The classes as text, str (N,): names, or numbers in digits.

    Args:
        file: whole numbers (N,) or (N, 1), names (N,), or one-hot (N, C).
        pictures: N.

    Raises:
        PermanentError: it holds something else.
    """
    array = opened(file)
    if len(array.shape) == 0 or len(array) != pictures:
        raise PermanentError(f"{file}: shape {array.shape}; expected {pictures} labels, one a picture")
    values = np.array(array)
    if values.ndim == 2 and values.shape[1] > 1 and values.dtype.kind in "biuf":
        if not (np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all()):
            row = int(np.flatnonzero(~(np.isin(values, (0, 1)).all(axis=1) & (values.sum(axis=1) == 1)))[0])
            raise PermanentError(f"{file}, row {row}: {values[row]}; expected one-hot, a single 1 among 0")
        values = values.argmax(axis=1)
    values = values.reshape(-1)
    if values.dtype.kind in "US" and len(values) == pictures:
        try:
            return values.astype(np.str_)
        except UnicodeDecodeError as error:
            raise PermanentError(f"{file}: names in bytes that are not ASCII ({error}); save them as text") from error
    if values.dtype.kind not in "iuf" or len(values) != pictures or (values != np.floor(values)).any():
        raise PermanentError(
            f"{file}: {array.dtype} {array.shape}; expected (N,) whole numbers or names, or (N, C) one-hot"
        )
    return values.astype(np.int64).astype(np.str_)


def _as_pictures(file: Path, array: NDArray[Any]) -> NDArray[Any]:
    shape = array.shape
    if len(shape) == 2 and len(array):
        side = round(shape[1] ** 0.5)
        if side > 1 and side * side == shape[1]:
            return array.reshape(-1, side, side)
    good = len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3))
    if not len(array) or not good or min(shape[1:3]) < 2:
        raise PermanentError(
            f"{file}: shape {shape}; expected (N, S, S), (N, S, S, 1), (N, S, S, 3) with the colours last, or (N, S·S)"
        )
    return array


def _chunk(array: NDArray[Any]) -> int:
    """Pictures to look at a time."""
    return max(1, _AT_ONCE // array[0].size)


def _factor(file: Path, array: NDArray[Any]) -> float:
    """What brings the values to 0..255; refuses what has been scaled twice or is neither."""
    kind = array.dtype.kind
    if kind not in "uif":
        raise PermanentError(f"{file}: values of type {array.dtype}; expected uint8, or floating point in [0, 1]")
    lows, highs = [], []
    chunk = _chunk(array)
    for start in range(0, len(array), chunk):
        some = array[start : start + chunk]
        if kind == "f" and not np.isfinite(some).all():
            row = start + int(np.flatnonzero(~np.isfinite(some).reshape(len(some), -1).all(axis=1))[0])
            raise PermanentError(f"{file}, row {row}: NaN or infinity; expected finite values")
        lows.append(float(some.min()))
        highs.append(float(some.max()))
    low, high = min(lows), max(highs)
    found = f"{file}: values from {low:.6g} to {high:.6g} ({array.dtype})"
    if low < 0 or high > 255:
        raise PermanentError(
            f"{found}; expected 0..255 or [0, 1]: save the pictures before they are centred or standardised"
        )
    if kind != "f":
        if high <= 1:
            raise PermanentError(
                f"{found}; expected 0..255: pictures in [0, 1] were made whole numbers, save them anew"
            )
        return 1.0
    if high <= 1.001 / 255:
        raise PermanentError(f"{found}; expected [0, 1] or 0..255: they have been divided by 255 twice, divide once")
    if high <= 1 + 1e-6:
        return 255.0
    if high < 2:
        raise PermanentError(f"{found}; expected [0, 1] or 0..255, and this is neither: save them anew")
    return 1.0
