"""The bytes of a picture to its pixels, or to words that say what is wrong with them."""

from pathlib import Path

import cv2
import numpy as np

from edge.errors import ConfigError, PermanentError
from edge.sources.opencv import hush
from edge.sources.picture_size import picture_kind, picture_size
from edge.types import Pixels

KINDS = "JPEG, PNG, WebP, BMP, GIF, TIFF or PNM"


def decode_picture(data: bytes, max_megapixels: float) -> Pixels:
    """uint8 (H, W, 3) BGR, turned as its EXIF data say; of a moving picture the first one.

    Args:
        data: the whole file.
        max_megapixels: a larger one is refused by what its header says, before its pixels take any memory.

    Raises:
        PermanentError: it is no picture, a broken one, or too large.
    """
    if not data:
        raise PermanentError(f"the picture is empty (0 bytes); expected {KINDS}")
    size = picture_size(data)
    if size is None and (kind := picture_kind(data)):
        raise PermanentError(f"the {kind} picture is broken, or cut off before it tells its size; is it complete?")
    if size is None:
        raise PermanentError(f"this is no picture (it begins with the bytes {data[:8].hex(' ')}); expected {KINDS}")
    check_megapixels(size.width, size.height, max_megapixels, f"the {size.kind} picture")
    hush()
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PermanentError(f"the {size.kind} picture cannot be decoded: {error.err}; is it complete?") from error
    if picture is None:
        raise PermanentError(f"the {size.kind} picture of {size.width}×{size.height} is broken; is it complete?")
    return np.asarray(picture, np.uint8)


def check_megapixels(width_px: int, height_px: int, most: float, what: str) -> None:
    """Refuse what would take too much memory.

    Raises:
        PermanentError: it has more than `most` million pixels.
    """
    if width_px * height_px > most * 1e6:
        raise PermanentError(
            f"{what} has {width_px}×{height_px} = {width_px * height_px / 1e6:.1f} megapixels, expected {most:g} at "
            "most; make it smaller"
        )


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        ConfigError: there is no such file, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; expected a picture, check the path") from error
