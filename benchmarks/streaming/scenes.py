"""What cameras made of code show: people who move, at a camera's pace, the moment drawn into each picture."""

import threading
import time
from collections.abc import Iterator

from benchmarks.streaming import timecode
from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec
from edge.types import Pixels

FPS = 30


def pictures(stop: threading.Event, faces: int = 1, seconds: int = 1) -> Iterator[Pixels]:
    """Pictures uint8 (480, 640, 3), each stamped with the moment it is given out.

    Args:
        stop: ends it.
        faces: how many people.
        seconds: of film, shown there and back, so that nobody ever jumps.
    """
    demo = DemoSource(DemoSpec(faces=faces, realtime=False), time.monotonic_ns, time.sleep)
    film = [demo.read(1).bgr for _ in range(seconds * FPS)]
    film += film[-2:0:-1]
    start_s, index = time.monotonic(), 0
    while not stop.wait(max(0.0, start_s + index / FPS - time.monotonic())):
        yield timecode.stamped(film[index % len(film)], timecode.now_ns())
        index += 1
