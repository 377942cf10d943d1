"""The demo as files: films and pictures whose faces are found and read."""

import subprocess
import sys
import time
from pathlib import Path

import cv2

from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec
from edge.types import Pixels
from tests.films import written

WIDTH_PX, HEIGHT_PX = 320, 240
FPS = 25.0


def drawn(count: int, seed: int = 0) -> list[Pixels]:
    """The first frames of the demo, uint8 (240, 320, 3) BGR."""
    spec = DemoSpec(size=f"{WIDTH_PX}x{HEIGHT_PX}", fps=FPS, seed=seed, faces=2, realtime=False)
    source = DemoSource(spec, time.monotonic_ns, time.sleep)
    return [source.read(1.0).pixels for _ in range(count)]


def clip(path: Path, count: int, seed: int = 0) -> Path:
    """Write them as a film; MJPEG for .avi, MPEG-4 otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return written(path, drawn(count, seed), FPS)


def picture(path: Path, seed: int = 0) -> Path:
    """Write the demo's first frame as a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), drawn(1, seed)[0])
    return path


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it has 60000×60000 pixels."""
    small = cv2.imencode(".png", drawn(1)[0][:8, :8])[1].tobytes()
    head = bytearray(small)
    head[16:24] = (60_000).to_bytes(4, "big") * 2
    return bytes(head)


def recorded_by_run(uri: str, log: Path) -> bytes:
    """The event log of the program on a source that ends."""
    command = (sys.executable, "-m", "edge", "run", "--port", "0", "--source", uri, "--events", str(log))
    subprocess.run(command, check=True, capture_output=True)
    return log.read_bytes()
