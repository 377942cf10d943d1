"""Videos and pictures made from the demo, for tests of what reads them."""

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from edge.errors import SourceEnded
from edge.sources.demo import DemoSource
from edge.sources.file import FileSource
from edge.sources.specs import DemoSpec
from edge.sources.stretch import Stretch
from edge.types import Pixels
from tests.tools import require_tool

SIZE = "160x120"
# key frames are far apart, and frames are not stored in the order they are shown
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-g", "90", "-pix_fmt", "yuv420p")
_THINNED = "select='not(mod(n,7))+lt(mod(n,11),6)'"
ENCODINGS: Final = {
    "plain.avi": (),
    "mpeg4.mp4": ("-c:v", "mpeg4", "-g", "100", "-bf", "2", "-q:v", "3"),
    "h264.mp4": _H264,
    "h264.mkv": _H264,
    "h264.ts": _H264,
    "begins_late.mp4": (*_H264, "-output_ts_offset", "3.5"),
    "odd.mp4": (*_H264, "-r", "30000/1001"),
    "vp8.webm": ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M"),
    "varies.mp4": ("-vf", _THINNED, "-fps_mode", "vfr", *_H264),
    "varies.mkv": ("-vf", _THINNED, "-fps_mode", "vfr", *_H264),
    "varies_odd.mkv": ("-vf", f"fps=30000/1001,{_THINNED}", "-fps_mode", "vfr", *_H264),
    "mpeg2.mpg": ("-c:v", "mpeg2video", "-q:v", "3", "-g", "40"),
}
"""Name → how FFMPEG makes it: as films come from cameras, phones and the Web."""


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


def ffmpeg(source: Path, to: Path, *options: str) -> Path:
    tool = require_tool("ffmpeg", "apt-get install ffmpeg")
    command = [str(tool), "-v", "error", "-i", str(source), *options, str(to)]
    subprocess.run(command, check=True, timeout=60)
    return to


def encoder(folder: Path) -> Callable[[str], Path]:
    """What makes films of 251 frames whose pictures tell their index, by their names in `ENCODINGS`."""
    plain = film(folder / "plain.avi", 251)

    def made(name: str) -> Path:
        path = folder / name
        return path if path.exists() else ffmpeg(plain, path, *ENCODINGS[name])

    return made


def read(one: Stretch | FileSource) -> list[tuple[int, int]]:
    """Time and index of each of its frames."""
    found = []
    try:
        while True:
            frame = one.read() if isinstance(one, Stretch) else one.read(0.0)
            found.append((frame.t_ns, index_of(frame.pixels)))
    except SourceEnded:
        return found
    finally:
        one.close()
