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
GENERATED = "generated clip"

Size = tuple[int, int]
"""Width and height in px."""

_CODECS = {
    ".avi": ("MJPG", cv2.CAP_OPENCV_MJPEG, (cv2.VIDEOWRITER_PROP_QUALITY, CAMERA_QUALITY)),
    ".mp4": ("mp4v", cv2.CAP_FFMPEG, ()),
}


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Frames as a camera delivers them.

    Attributes:
        name: of what is shown.
        jpegs: each frame, as an MJPEG camera would send it.
        size: of the frames.
    """

    name: str
    jpegs: tuple[bytes, ...]
    size: Size = (WIDTH_PX, HEIGHT_PX)

    def frame(self, index: int) -> Frame:
        """Decode a frame, as the capture thread does."""
        return Frame(index + 1, index * 1_000_000_000 // FPS, decode(self.jpegs[index % len(self.jpegs)]))

    def write(self, path: Path, first: int = 0) -> None:
        """As a film of `FPS` frames a second.

        Args:
            path: of the film; .avi: Motion JPEG, which FFMPEG decodes as it would a camera's; .mp4: MPEG-4.
            first: the frame it begins with; those before it come at its end.
        """
        codec, backend, options = _CODECS[path.suffix]
        writer = cv2.VideoWriter(str(path), backend, cv2.VideoWriter.fourcc(*codec), FPS, self.size, options)
        if not writer.isOpened():
            raise ConfigError(f"cannot write a film to {path}; is there room, and may this user write there?")
        for jpeg in (*self.jpegs[first:], *self.jpegs[:first]):
            writer.write(decode(jpeg))
        writer.release()


def decode(jpeg: bytes) -> Pixels:
    """A JPEG to uint8 (H, W, 3) BGR."""
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise PermanentError("a frame of the clip is no JPEG")
    bgr: Pixels = pixels
    return bgr


def load_clip(source: str | None, frames: int, *, size: Size = (WIDTH_PX, HEIGHT_PX), faces: int = 1) -> Clip:
    """The first frames of a source.

    Args:
        source: a video; None: drawn by code.
        frames: how many at most.
        size: to have them in.
        faces: how many are drawn, 0 to 8.

    Raises:
        ConfigError: the source is not there, or has no frames.
        PermanentError: it is no video.
    """
    width, height = size
    drawn = f"demo:?realtime=0&faces={faces}&size={width}x{height}"
    uri = drawn if source is None else f"file:{source}?realtime=0"
    opened = open_source(uri, clock=time.monotonic_ns, sleep=time.sleep)
    jpegs = []
    try:
        for _ in range(frames):
            picture = cv2.resize(opened.read(5.0).bgr, size, interpolation=cv2.INTER_LINEAR)
            jpegs.append(encode_jpeg(picture, CAMERA_QUALITY))
    except SourceEnded:
        pass  # shorter than asked for: it is measured as it is
    finally:
        opened.close()
    if not jpegs:
        raise ConfigError(f"{uri} has no frames to measure on; give a video")
    return Clip(name_of(source), tuple(jpegs), size)


def name_of(source: str | None) -> str:
    """What a clip of that source is called."""
    return GENERATED if source is None else Path(source).name
