"""What all sources that read through OpenCV's VideoCapture share."""

import os
from collections.abc import Callable
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import TemporaryError
from edge.types import PixelFormat, Pixels


def hush() -> None:
    """Keep OpenCV and FFMPEG from writing to stderr: what they say there is raised as an error of ours, once.

    FFMPEG would also print URLs with their passwords. Whoever sets `OPENCV_LOG_LEVEL` or `OPENCV_FFMPEG_LOGLEVEL`
    gets the messages back. To be called before the first VideoCapture, which is when FFMPEG reads its level.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class CaptureDevice:
    """A live VideoCapture, as an `edge.sources.newest.Device`.

    Args:
        capture: what to read; owned from now on.
        explain: says why there is no picture, when there is none.
    """

    def __init__(self, capture: cv2.VideoCapture, explain: Callable[[], str]) -> None:
        self._capture = capture
        self._explain = explain

    def grab(self, wanted: Callable[[], bool]) -> tuple[Pixels, PixelFormat] | None:
        """See `Device`."""
        # isOpened() stays true after a camera was unplugged: only this tells
        if not self._capture.grab():
            raise TemporaryError(self._explain())
        if not wanted():
            return None
        ok, pixels = self._capture.retrieve()
        if not ok or pixels is None:
            raise TemporaryError(self._explain())
        return _bgr(pixels), PixelFormat.BGR

    def close(self) -> None:
        """See `Device`."""
        self._capture.release()


def _bgr(pixels: NDArray[np.generic]) -> Pixels:
    """The picture as uint8 (H, W, 3), which it is already but for a few depth, thermal and industrial cameras.

    Raises:
        TemporaryError: it is something else: the user may plug in another camera, or ask for another format.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise TemporaryError(
            f"the camera delivers {pixels.dtype} {pixels.shape}, expected uint8 (height, width, 3): this format cannot "
            f"be shown; ask for another with format=mjpg or format=yuyv, or take another of its video nodes"
        )
    return cast(Pixels, pixels)
