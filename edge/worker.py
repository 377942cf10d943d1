"""A named thread that can be stopped, tries again where that helps, and says so where it does not."""

import logging
import random
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from edge.errors import TemporaryError
from edge.ports import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between tries: doubled each time up to a cap, each shortened by chance so that tries do not march in step.

    Attributes:
        first_s: before the first retry.
        cap_s: longest wait.
        jitter: share of the wait that chance may take off, 0..1.
    """

    first_s: float = 0.5
    cap_s: float = 10.0
    jitter: float = 0.3

    def wait_s(self, tries: int, chance: float) -> float:
        """The wait after `tries` failures in a row (from 1); `chance` in [0, 1)."""
        full: float = min(self.cap_s, self.first_s * 2.0 ** min(tries - 1, 30))
        return full * (1 - self.jitter * chance)


class Control:
    """A worker body's view of its worker: whether to go on, and how to show that it does."""

    def __init__(self, clock: Clock) -> None:
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._clock = clock
        self._failures = 0
        self._progress_ns = clock()

    @property
    def stopping(self) -> bool:
        """Whether the body should return."""
        return self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but not into a stop; whether a stop was asked for."""
        return self._stop.wait(seconds)

    def hurry(self) -> None:
        """Cut short the wait before the next try, now or next time; any thread may."""
        self._hurry.set()

    def beat(self) -> None:
        """Show a sign of life: the body is not stuck."""
        self._progress_ns = self._clock()

    def recovered(self) -> None:
        """Work was done again: the next failure starts with the shortest wait."""
        self._failures = 0
        if self._hurry.is_set():  # hardly ever, and this is called for each frame
            self._hurry.clear()
        self.beat()


Body = Callable[[Control], None]


def outcome(call: Callable[[], None]) -> Exception | None:
    """Make a call on behalf of another thread, which is to raise what it raised."""
    try:
        call()
    except Exception as error:
        return error
    return None


async def outcome_of(call: Awaitable[T]) -> T | Exception:
    """What a coroutine gives, or what it raised, for whoever has to answer in either case."""
    try:
        return await call
    except Exception as error:
        return error


class Worker:
    """Runs a body on a thread of its own.

    A `TemporaryError` starts the body again after a growing wait; any other exception ends the worker, is kept in
    `failure` and told to `on_end`.
    """

    def __init__(
        self,
        name: str,
        body: Body,
        *,
        on_end: Callable[["Worker"], None],
        on_retry: Callable[[TemporaryError, float], None] | None = None,
        backoff: Backoff | None = None,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        self.name = name
        self.failure: Exception | None = None
        self._body = body
        self._on_end = on_end
        self._on_retry = on_retry
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._control = Control(clock)
        # a daemon, so that a native call that never returns cannot keep the process alive
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._control.beat()  # what was built between making and starting it may have taken long
        self._thread.start()

    def stop(self) -> None:
        """Ask the body to return; does not wait."""
        self._control._stop.set()
        self._control.hurry()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def silent_s(self) -> float:
        """Seconds since the body's last sign of life."""
        return (self._clock() - self._control._progress_ns) / 1e9

    def _run(self) -> None:
        control = self._control
        while not control.stopping:
            control._hurry.clear()
            control.beat()  # a new try, after a wait: the two must not add up to a silence
            try:
                self._body(control)
                break
            except TemporaryError as error:
                control._failures += 1
                control.beat()
                wait_s = self._backoff.wait_s(control._failures, random.random())
                if self._on_retry:
                    self._on_retry(error, wait_s)
                if not control.stopping:
                    control._hurry.wait(wait_s)
            except Exception as error:
                self.failure = error
                break
        self._on_end(self)
