"""Videos and pictures made from the demo, for tests of what reads them."""

import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec
from edge.types import Pixels

SIZE = "160x120"


def scenes(count: int, fps: float = 25.0) -> list[Pixels]:
    """The first frames of the demo, each with a bar of white blocks in its lowest rows that spells its index."""
    source = DemoSource(DemoSpec(size=SIZE, fps=fps, realtime=False), time.monotonic_ns, time.sleep)
    pictures = []
    for index in range(count):
        picture = np.array(source.read(1.0).pixels)
        picture[104:] = 0
        for bit in range(8):
            if index >> bit & 1:
                picture[104:, 20 * bit : 20 * bit + 20] = 255
        pictures.append(picture)
    return pictures


def index_of(picture: Pixels) -> int:
    """Which of `scenes` a decoded picture shows; survives compression."""
    return sum(1 << bit for bit in range(8) if picture[108:116, 20 * bit + 6 : 20 * bit + 14].mean() > 127)


def film(path: Path, count: int, fps: float = 25.0) -> Path:
    """Write `scenes` as a video, see `written`."""
    return written(path, scenes(count, fps), fps)


def written(path: Path, pictures: Sequence[Pixels], fps: float) -> Path:
    """Write pictures of one size as a video; MJPEG for .avi, MPEG-4 otherwise."""
    code = "MJPG" if path.suffix == ".avi" else "mp4v"
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), fps, (width, height))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


def pictures(folder: Path, names: list[str]) -> Path:
    """Write `scenes` as picture files, in the order of `names`."""
    for name, picture in zip(names, scenes(len(names)), strict=True):
        assert cv2.imwrite(str(folder / name), picture)
    return folder
