"""Pictures to JPEG. The one place that knows which encoder is used."""

import cv2

from edge.errors import PermanentError
from edge.types import Pixels


def encode_jpeg(bgr: Pixels, quality: int) -> bytes:
    """A picture as a baseline JPEG, 4:2:0.

    Args:
        bgr: uint8 (H, W, 3), 0..255.
        quality: 1..100.

    Raises:
        PermanentError: the picture has no pixels, or is too large for JPEG.
    """
    try:
        done, data = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    except cv2.error as error:
        raise PermanentError(f"cannot encode a picture of shape {bgr.shape} as JPEG: {error.err}") from error
    if not done:
        raise PermanentError(f"cannot encode a picture of shape {bgr.shape} as JPEG")
    return bytes(data)
