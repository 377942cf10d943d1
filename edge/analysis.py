"""The two ways frames reach the pipeline: the newest one at a time, or every one in turn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.capture import Capture
from edge.config import Config
from edge.demand import Demand
from edge.errors import SourceEnded
from edge.governor import Governor
from edge.pipeline import Pipeline
from edge.ports import FrameSource, Sink
from edge.slot import LatestSlot
from edge.types import Frame, Scene
from edge.worker import Control

LEAST_FPS = 2.0
"""While nobody watches: with fewer frames a second a face is somebody else on each."""

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


def always() -> bool:
    """Somebody is there."""
    return True


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
        unwatched_fps: float = 0.0,
        attended: Callable[[], bool] = always,
        demand: Demand | None = None,
    ) -> None:
        """Nothing is analysed yet.

        Args:
            frames: the newest is taken.
            pipeline: analyses it.
            outlet: takes the scenes.
            max_fps: more are not analysed; 0: no limit.
            governor: keeps the budget; None: there is none.
            retuned: asked before each frame.
            unwatched_fps: the same limit while nobody has use for the results, `LEAST_FPS` at least; 0: no limit.
            attended: whether somebody has; asked before each frame.
            demand: tells the source which frames it need not make; None: nobody asks.
        """
        self._frames = frames
        self._pipeline = pipeline
        self._outlet = outlet
        self._max_fps = max_fps
        self._governor = governor
        self._retuned = retuned
        self._unwatched_fps = unwatched_fps
        self._ask_attended = attended
        self._attended = attended()
        self._demand = demand or Demand()
        self._limited_by = self._spared_by = "rate"
        self._adapt()
        self._spared_by = self._limited_by

    def run(self, control: Control) -> None:
        """Analyse until told to stop, or until the source has ended."""
        taken, seen, spared = 0, 0, 0
        governor = self._governor
        while not control.stopping:
            control.beat()
            self._follow_settings()
            got = self._frames.wait_newer(taken, WAIT_S)
            if got is None:
                if self._frames.closed:
                    return
                continue
            number, frame = got
            # numbers that were put into the slot and never taken out
            busy = number - taken - 1
            # numbers that never reached the slot: nobody wanted them, or the source left them out to keep pace
            unwanted = frame.spared - spared
            late = frame.seq - seen - 1 - busy - unwanted
            taken, seen, spared = number, frame.seq, frame.spared
            if busy or late or unwanted:
                self._count(busy, late, unwanted)
            self._spared_by = self._limited_by
            if not self._demand.takes(frame.t_ns):
                self._outlet.observer.skipped(self._limited_by, 1)
                continue
            self._outlet.emit(self._pipeline.step(frame))
            if governor:
                governor.analysed(frame)

    def _count(self, busy: int, late: int, unwanted: int) -> None:
        observer = self._outlet.observer
        # what was spared before a change was spared for the reason of before
        for reason, frames in (("busy", busy), ("late", late), (self._spared_by, unwanted)):
            if frames:
                observer.skipped(reason, frames)
        if self._governor and (busy or late):
            self._governor.missed(busy + late)

    def _follow_settings(self) -> None:
        """Take over what has changed since the last frame."""
        lowered = self._governor is not None and self._governor.tick()
        changed = self._retuned()
        if changed is not None:
            self._max_fps = changed.source.max_fps
            self._unwatched_fps = changed.budget.unwatched_fps
        attended, before = self._ask_attended(), self._attended
        if lowered or changed is not None or attended != before:
            self._attended = attended
            self._adapt()

    def _adapt(self) -> None:
        """Spend what may be spent from now on."""
        unwatched_fps = max(self._unwatched_fps, LEAST_FPS) if self._unwatched_fps and not self._attended else 0.0
        offered = [(self._max_fps, "rate"), (unwatched_fps, "unwatched")]
        limits = offered
        if self._governor:
            self._governor.offer(_lowest(offered)[0])
            self._pipeline.effort = self._governor.effort
            limits = [*offered, (self._governor.effort.max_fps, "budget")]
        max_fps, self._limited_by = _lowest(limits)
        self._demand.limit(max_fps)


def _lowest(limits: list[tuple[float, str]]) -> tuple[float, str]:
    """The limit that counts, in frames a second, and what it comes from; 0: none."""
    return min((limit for limit in limits if limit[0]), default=(0.0, "rate"), key=lambda limit: limit[0])


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
