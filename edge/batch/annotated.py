"""Writes a film with boxes and labels as WebM, which browsers play."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from edge.batch.settings import Codec
from edge.native_log import native_stderr
from edge.sources.opencv import hush
from edge.types import Pixels, Scene

FOURCC = {"vp8": "VP80", "vp9": "VP90"}
LONGEST_HOLD_S = 60.0
"""A frame is not repeated for longer: a broken clock in a film must not fill the disk."""
LEAST_SIDE_PX = 16


class ConstantRate:
    """Places the frames of a film, whose rate may vary, in one of constant rate, so that each keeps its time.

    Attributes:
        repeated: how often a frame stands for one that is missing.
        skipped: frames that came too soon after another.
    """

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._most = max(1, round(LONGEST_HOLD_S * fps))
        self._written = 0
        self._start_s: float | None = None
        self.repeated = 0
        self.skipped = 0

    def place(self, t_s: float) -> tuple[int, bool]:
        """How often the frame before has to be written again, and whether the one of `t_s` is written at all."""
        if self._start_s is None:
            self._start_s = t_s
        ahead = round((t_s - self._start_s) * self._fps) - self._written
        if ahead > self._most:
            self._start_s += (ahead - self._most) / self._fps
            ahead = self._most
        if ahead < 0:
            self.skipped += 1
            return 0, False
        self.repeated += ahead
        self._written += ahead + 1
        return ahead, True


class AnnotatedVideo:
    """A `Sink`: every scene as a frame, without sound.

    Attributes:
        problem: why there is no film; None: there is one.
        rate: what was repeated and skipped.
    """

    def __init__(self, path: Path, fps: float, codec: Codec, draw: Callable[[Scene], Pixels]) -> None:
        """Nothing is written before the first scene.

        Args:
            path: of the .webm.
            fps: its constant rate.
            codec: see `BatchSettings.codec`.
            draw: makes the picture of a scene, uint8 (H, W, 3) BGR; what it gave may be overwritten by its next call.
        """
        self.problem: str | None = None
        self.rate = ConstantRate(fps)
        self._path = path
        self._fps = fps
        self._codec: Codec = codec
        self._draw = draw
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._last: Pixels | None = None

    def emit(self, scene: Scene) -> None:
        """Write the scene, as often as its time asks for."""
        if self.problem:
            return
        if self._writer is None:
            self._open(scene.frame.width, scene.frame.height)
            if self._writer is None:
                return
        held, taken = self.rate.place(scene.frame.t_ns / 1e9)
        if not taken:
            return
        if self._last is not None:
            for _ in range(held):
                self._writer.write(self._last)
        picture = self._draw(scene)
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = self._fitted(picture)
        self._writer.write(picture)
        self._last = picture

    def close(self) -> None:
        """Finish the file; without one scene there is none."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
            if not self._path.exists() or not self._path.stat().st_size:
                self.problem = "There is no annotated video: it could not be written; is the disk full?"

    def _open(self, width: int, height: int) -> None:
        # VP8 and VP9 in 4:2:0 have one colour for two by two pixels; a last odd row or column is left out
        self._size = (max(width & ~1, LEAST_SIDE_PX), max(height & ~1, LEAST_SIDE_PX))
        hush()
        with native_stderr():  # OpenCV prints that WebM has no such tag, and writes it rightly
            writer = cv2.VideoWriter(
                str(self._path), cv2.VideoWriter.fourcc(*FOURCC[self._codec]), self._fps, self._size
            )
        if writer.isOpened():
            self._writer = writer
            return
        writer.release()
        self.problem = (
            f"There is no annotated video: this machine's OpenCV {cv2.__version__} cannot write WebM "
            f"with {self._codec.upper()}; expected one with FFMPEG, as `pip install opencv-python-headless` has it."
        )

    def _fitted(self, picture: Pixels) -> Pixels:
        width, height = self._size
        even = picture[: picture.shape[0] & ~1, : picture.shape[1] & ~1]
        if even.shape[:2] == (height, width):
            return np.ascontiguousarray(even)
        return np.asarray(cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA), np.uint8)
