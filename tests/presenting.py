"""The real presenter behind a stage, for tests of more than one kind of picture."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from edge.present import Present
from edge.press import Press
from edge.worker import Worker
from tests.stage import Stage


@contextmanager
def presenting(stage: Stage) -> Iterator[Stage]:
    """Pictures are drawn and encoded as in the program, on a thread, for as long as the context lasts."""
    lock = threading.Lock()

    def encoded(*_spent_ns: int) -> None:
        with lock:
            stage.encoded += 1

    stage.encodes = False
    clock = time.monotonic_ns
    press = Press(stage.settings, clock, encoded, stage.event)
    present = Present(stage.scenes, stage.audience, lambda: stage.source, stage.settings, clock, press)
    worker = Worker("present", present.run, on_end=lambda _: None)
    worker.start()
    try:
        yield stage
    finally:
        worker.stop()
        worker.join(5)
        assert worker.failure is None
