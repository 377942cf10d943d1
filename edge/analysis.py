"""The two ways frames reach the pipeline: the newest one at a time, or every one in turn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.capture import Capture
from edge.config import Config
from edge.errors import SourceEnded
from edge.governor import Governor
from edge.pipeline import Pipeline
from edge.ports import FrameSource, Sink
from edge.slot import LatestSlot
from edge.types import Frame, Scene
from edge.worker import Control

LONGEST_NS = 10**15
"""Between two frames: a rate next to nothing is taken as one in eleven days."""

WAIT_S = 0.2
"""How often a worker that has nothing to do looks whether it should stop."""


class Observer(Protocol):
    """Who keeps the figures."""

    def analysed(self, scene: Scene) -> None:
        """A scene is done."""

    def skipped(self, reason: str, frames: int) -> None:
        """Frames were not analysed."""


Retuned = Callable[[], Config | None]
"""Takes changed settings over into the parts the analysis owns; the new snapshot, None where nothing has changed."""


def unchanged() -> None:
    """For settings that stay."""


@dataclass(frozen=True, slots=True, eq=False)
class Outlet:
    """Where a finished scene goes."""

    scenes: LatestSlot[Scene]
    sinks: tuple[Sink, ...]
    observer: Observer

    def emit(self, scene: Scene) -> None:
        """Publish a scene: first to people, who watch it, then to whatever keeps it."""
        self.observer.analysed(scene)
        self.scenes.put(scene)
        for sink in self.sinks:
            sink.emit(scene)


class LiveAnalysis:
    """Body of the infer worker: newest frame wins, what is skipped is counted with its reason."""

    def __init__(
        self,
        frames: LatestSlot[Frame],
        pipeline: Pipeline,
        outlet: Outlet,
        max_fps: float = 0.0,
        governor: Governor | None = None,
        retuned: Retuned = unchanged,
    ) -> None:
        """Nothing is analysed yet.

        Args:
            frames: the newest is taken.
            pipeline: analyses it.
            outlet: takes the scenes.
            max_fps: more are not analysed; 0: no limit.
            governor: keeps the budget; None: there is none.
            retuned: asked before each frame.
        """
        self._frames = frames
        self._pipeline = pipeline
        self._outlet = outlet
        self._max_fps = max_fps
        self._governor = governor
        self._retuned = retuned
        self._adapt()

    def run(self, control: Control) -> None:
        """Analyse until told to stop, or until the source has ended."""
        taken = seen = 0
        governor = self._governor
        while not control.stopping:
            control.beat()
            if governor and governor.tick():
                self._adapt()
            got = self._frames.wait_newer(taken, WAIT_S)
            if got is None:
                if self._frames.closed:
                    return
                continue
            changed = self._retuned()
            if changed is not None:
                self._max_fps = changed.source.max_fps
                self._adapt()
            number, frame = got
            observer = self._outlet.observer
            # numbers that were put into the slot and never taken out
            busy = number - taken - 1
            # numbers that never reached the slot: the source itself left them out to keep pace
            late = frame.seq - seen - 1 - busy
            taken, seen = number, frame.seq
            if busy:
                observer.skipped("busy", busy)
            if late:
                observer.skipped("late", late)
            if governor and (busy or late):
                governor.missed(busy + late)
            if not self._pace.takes(frame.t_ns):
                observer.skipped(self._limited_by, 1)
                continue
            self._outlet.emit(self._pipeline.step(frame))
            if governor:
                governor.analysed(frame)

    def _adapt(self) -> None:
        """Spend what may be spent from now on."""
        budget_fps = 0.0
        if self._governor:
            self._pipeline.effort = self._governor.effort
            budget_fps = self._governor.effort.max_fps
        by_budget = budget_fps > 0 and (not self._max_fps or budget_fps < self._max_fps)
        self._limited_by = "budget" if by_budget else "rate"
        self._pace = _Pace(budget_fps if by_budget else self._max_fps)


class _Pace:
    """Holds a rate on average, whatever the camera's."""

    def __init__(self, max_fps: float) -> None:
        """`max_fps`: 0 for no limit."""
        self._period_ns = round(min(1e9 / max_fps, LONGEST_NS)) if max_fps else 0
        # a tenth of slack: a 30 fps camera's jitter must not halve a limit of 30
        self._slack_ns = self._period_ns // 10
        self._due_ns: int | None = None

    def takes(self, t_ns: int) -> bool:
        """Whether the frame of that time is within the rate."""
        if self._due_ns is None or t_ns >= self._due_ns + self._period_ns:
            self._due_ns = t_ns  # the first, or after a pause
        if t_ns < self._due_ns - self._slack_ns:
            return False
        self._due_ns += self._period_ns
        return True


class LockstepAnalysis:
    """Body of the one worker of a `realtime=0` source: reads and analyses each frame in turn, on the media's clock."""

    def __init__(
        self,
        capture: Capture,
        open_source: Callable[[], FrameSource],
        pipeline: Pipeline,
        outlet: Outlet,
        retuned: Retuned = unchanged,
    ) -> None:
        """Arguments as `LiveAnalysis` takes them."""
        self._retuned = retuned
        self._capture = capture
        self._open = open_source
        self._pipeline = pipeline
        self._outlet = outlet

    def run(self, control: Control) -> None:
        """Analyse until told to stop, or until the source has ended."""
        source = self._open()
        try:
            self._capture.opened(source)
            while not control.stopping:
                if self._capture.asked.paused:
                    self._capture.paused()
                    control.beat()
                    control.wait(WAIT_S)
                    continue
                frame = source.read(WAIT_S)
                self._capture.grabbed(frame)
                self._retuned()
                self._outlet.emit(self._pipeline.step(frame))
                control.beat()
        except SourceEnded:
            self._capture.ended()
        finally:
            source.close()
