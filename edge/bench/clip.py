"""What is measured on: frames as an MJPEG camera delivers them."""

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.encode import encode_jpeg
from edge.errors import ConfigError, PermanentError, SourceEnded
from edge.sources import open_source
from edge.types import Frame, Pixels

WIDTH_PX, HEIGHT_PX = 640, 480
FPS = 30
CAMERA_QUALITY = 90
GENERATED = "demo:?realtime=0&faces=1"


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Frames as a camera delivers them.

    Attributes:
        name: of what is shown.
        jpegs: each frame 640×480, as an MJPEG camera would send it.
    """

    name: str
    jpegs: tuple[bytes, ...]

    def frame(self, index: int) -> Frame:
        """Decode a frame, as the capture thread does."""
        return Frame(index + 1, index * 1_000_000_000 // FPS, decode(self.jpegs[index % len(self.jpegs)]))

    def write(self, path: Path) -> None:
        """As a Motion JPEG film (.avi) of `FPS` frames a second, which FFMPEG decodes as it would a camera's."""
        writer = cv2.VideoWriter(
            str(path),
            cv2.CAP_OPENCV_MJPEG,
            cv2.VideoWriter.fourcc(*"MJPG"),
            FPS,
            (WIDTH_PX, HEIGHT_PX),
            (cv2.VIDEOWRITER_PROP_QUALITY, CAMERA_QUALITY),
        )
        if not writer.isOpened():
            raise ConfigError(f"cannot write a film to {path}; is there room, and may this user write there?")
        for jpeg in self.jpegs:
            writer.write(decode(jpeg))
        writer.release()


def decode(jpeg: bytes) -> Pixels:
    """A JPEG to uint8 (H, W, 3) BGR."""
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise PermanentError("a frame of the clip is no JPEG")
    bgr: Pixels = pixels
    return bgr


def load_clip(source: str | None, frames: int) -> Clip:
    """The first frames of a source at 640×480; None: drawn by code.

    Raises:
        ConfigError: the source has no frames.
    """
    uri = GENERATED if source is None else f"file:{source}?realtime=0"
    opened = open_source(uri, clock=time.monotonic_ns, sleep=time.sleep)
    jpegs = []
    try:
        for _ in range(frames):
            picture = cv2.resize(opened.read(5.0).bgr, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
            jpegs.append(encode_jpeg(picture, CAMERA_QUALITY))
    except SourceEnded:
        pass  # shorter than asked for: it is measured as it is
    finally:
        opened.close()
    if not jpegs:
        raise ConfigError(f"{uri} has no frames to measure on; give a video")
    return Clip("generated clip" if source is None else source.rpartition("/")[2], tuple(jpegs))
