"""OpenCV's Haar cascade: needs no file, misses tilted and small faces, and costs ten times as much."""

from pathlib import Path
from typing import Any

import cv2

from edge.contract.chip import shrink
from edge.errors import PermanentError
from edge.types import Box, Face, Frame, Framing

SEARCH_WIDTH_PX = 320
"""Full size costs 2.7 times as much and brings more false alarms than faces."""


class Haar:
    """A `FaceDetector`. Its score says only "found": the cascade gives no probability."""

    name = "haar"
    # measured on FER2013: the crops are Haar boxes, a touch wider
    framing = Framing(scale=1.016, up=0.0)

    def __init__(self, *, min_face_px: int = 0) -> None:
        """Load the frontal face cascade that comes with OpenCV.

        Args:
            min_face_px: narrower faces are not looked for; in pixels of the frame.

        Raises:
            PermanentError: this OpenCV has no cascades (5.x).
        """
        if not hasattr(cv2, "CascadeClassifier"):
            raise PermanentError(
                f"OpenCV {cv2.__version__} has no Haar cascades, 4.x has; `pip install 'opencv-python-headless<5'`"
            )
        opencv: Any = cv2  # its stubs leave the data folder out
        path = Path(opencv.data.haarcascades) / "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise PermanentError(f"OpenCV's cascade {path} is missing or broken; reinstall opencv-python-headless")
        self._min_face_px = min_face_px

    def detect(self, frame: Frame) -> tuple[Face, ...]:
        """All faces of the frame, largest first."""
        scale = min(1.0, SEARCH_WIDTH_PX / max(frame.width, frame.height))
        width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        grey = shrink(frame.luma, width, height)
        least = max(20, round(self._min_face_px * scale))
        found = self._cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(least, least))
        faces = [
            Face(Box(x / width, y / height, w / width, h / height), 1.0)
            for x, y, w, h in sorted((tuple(map(int, box)) for box in found), key=lambda box: -box[2])
        ]
        return tuple(faces)
