"""Measures what the analysis spends, asks the controller twice a second, and says what it decided."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

from edge.budget import Budget, Change, Controller, Reading
from edge.effort import Effort
from edge.logs import event, rfc3339
from edge.ports import Clock
from edge.status import BudgetChange, BudgetStatus
from edge.thermal import SLOWING, Heat
from edge.types import Frame

log = logging.getLogger(__name__)

TICK_NS = 500_000_000
WINDOW_NS = 1_000_000_000
FEWEST = 20
LONGEST_NS = 5_000_000_000
"""A percentile of fewer frames than these is one frame's luck: at low rates older ones are taken in, up to this age."""
WARM_UP_NS = 2_000_000_000
"""The first frames are slow: memory is not there yet, nor are the interpreters' own caches."""
HEAT_NS = 2_000_000_000
"""How often the sensors are read: heat changes slowly, and some sensors take a millisecond to answer."""
STOPPED_NS, STOPPED_SHARE = 1_500_000_000, 0.1
"""No reading for so long, and so little of the processor used meanwhile: the program did not run."""
KEPT = 8
"""Decisions that are shown."""


class _Sample(NamedTuple):
    """A frame that was analysed.

    Attributes:
        seq: its number.
        t_ns: when it was grabbed.
        done_ns: when its scene was done.
        missed: frames that were left out before it, since the start.
    """

    seq: int
    t_ns: int
    done_ns: int
    missed: int


class Governor:
    """Owned by the thread that analyses; any thread may read `status`, which is replaced as a whole.

    Attributes:
        status: what is spent, and the last decisions.
    """

    def __init__(
        self,
        controller: Controller,
        heat: Callable[[], Heat],
        *,
        max_fps: float = 0.0,
        clock: Clock = time.monotonic_ns,
        cpu_clock: Clock = time.process_time_ns,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is measured yet.

        Args:
            controller: decides.
            heat: asks the sensors.
            max_fps: more are not analysed in any case; 0: no limit.
            clock: that of the frames' times.
            cpu_clock: processor time of all threads so far.
            wall_s: seconds since 1970, for people.
        """
        self._controller = controller
        controller.offer(max_fps)
        self._sense = heat
        self._max_fps = max_fps
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._wall_s = wall_s
        self._samples: deque[_Sample] = deque(maxlen=600)
        self._spent: deque[tuple[int, int]] = deque(maxlen=8)
        self._missed = 0
        self._since_ns: int | None = None
        self._due_ns = 0
        self._heat = Heat()
        self._heat_due_ns = 0
        self._changes: deque[BudgetChange] = deque(maxlen=KEPT)
        self._counts: Counter[str] = Counter()
        self.status = self._summary(Reading(0))

    @property
    def effort(self) -> Effort:
        """What may be spent now."""
        return self._controller.effort

    def limit(self, budget: Budget, max_fps: float) -> None:
        """Keep to another budget from now on, at another limit on the frames (0: none)."""
        self._controller.limit(budget)
        self.offer(max_fps)

    def offer(self, max_fps: float) -> None:
        """More frames a second than these are not offered to the analysis from now on; 0: no limit."""
        if max_fps == self._max_fps:
            return
        self._max_fps = max_fps
        self._controller.offer(max_fps)
        if self._since_ns is not None:
            now_ns = self._clock()
            self._due_ns = now_ns + TICK_NS
            since_ns = max(now_ns, self._since_ns)  # not before the first frames are over
            self._start_over(now_ns)
            self._since_ns = since_ns

    def missed(self, frames: int) -> None:
        """Frames were not analysed because there was no time."""
        self._missed += frames

    def analysed(self, frame: Frame) -> None:
        """A scene is done."""
        self._samples.append(_Sample(frame.seq, frame.t_ns, self._clock(), self._missed))

    def tick(self) -> bool:
        """Look whether there is something to decide; whether the effort was changed."""
        now_ns = self._clock()
        if now_ns < self._due_ns or not self._samples:
            return False
        self._due_ns = now_ns + TICK_NS
        if self._since_ns is None:
            self._since_ns = now_ns + WARM_UP_NS
        if self._was_stopped(now_ns):
            self._start_over(now_ns)
        if now_ns <= self._since_ns:
            return False
        reading = self._read(now_ns)
        _, change = self._controller.step(reading)
        if change:
            self._tell(change, reading)
            self._start_over(now_ns)
        self.status = self._summary(reading)
        return change is not None

    def _start_over(self, now_ns: int) -> None:
        """What was measured until now says nothing of what comes."""
        self._since_ns = now_ns
        self._spent.clear()
        self._spent.append((now_ns, self._cpu_clock()))

    def _was_stopped(self, now_ns: int) -> bool:
        """Whether the whole program stood still for a while, by SIGSTOP or with its virtual machine."""
        if not self._spent:
            return False
        last_ns, last_cpu_ns = self._spent[-1]
        gap_ns = now_ns - last_ns
        return gap_ns > STOPPED_NS and self._cpu_clock() - last_cpu_ns < STOPPED_SHARE * gap_ns

    def _read(self, now_ns: int) -> Reading:
        recent = self._recent(now_ns)
        ages_ms = sorted(((one.done_ns - one.t_ns) / 1e6 for one in recent), reverse=True)
        slower = max(1, len(ages_ms) // 20)
        fps, source_fps, missed = None, None, 0
        if len(recent) > 2:
            first, last = recent[0], recent[-1]
            span_s = (last.t_ns - first.t_ns) / 1e9
            if span_s > 0:
                fps, source_fps = (len(recent) - 1) / span_s, (last.seq - first.seq) / span_s
                missed = last.missed - first.missed
        offered_fps = min(source_fps, self._max_fps) if source_fps and self._max_fps else source_fps
        if now_ns >= self._heat_due_ns:
            self._heat, self._heat_due_ns = self._sense(), now_ns + HEAT_NS
        return Reading(
            t_ns=now_ns,
            latency_ms=ages_ms[slower] if len(ages_ms) > slower else None,
            fps=fps,
            offered_fps=offered_fps,
            source_fps=source_fps,
            missed=missed,
            cpu_share=self._cpu_share(now_ns),
            temperature_c=self._heat.temperature_c,
            throttled=tuple(flag for flag in self._heat.throttled if flag in SLOWING),
        )

    def _recent(self, now_ns: int) -> list[_Sample]:
        """Frames of the last second, or of longer if those are few, grabbed since the last change; in their order."""
        recent: list[_Sample] = []
        for one in reversed(self._samples):
            age_ns = now_ns - one.done_ns
            if one.t_ns < (self._since_ns or 0) or age_ns > (WINDOW_NS if len(recent) >= FEWEST else LONGEST_NS):
                break
            recent.append(one)
        return recent[::-1]

    def _cpu_share(self, now_ns: int) -> float | None:
        """Since a window ago, or since the last change."""
        self._spent.append((now_ns, self._cpu_clock()))
        while len(self._spent) > 2 and self._spent[1][0] <= now_ns - WINDOW_NS:
            self._spent.popleft()
        (from_ns, from_cpu_ns), (to_ns, to_cpu_ns) = self._spent[0], self._spent[-1]
        return (to_cpu_ns - from_cpu_ns) / (to_ns - from_ns) if to_ns > from_ns else None

    def _tell(self, change: Change, reading: Reading) -> None:
        effort = self._controller.effort
        down = change.after > change.before
        self._counts[change.reason] += 1
        self._changes.append(
            BudgetChange(rfc3339(self._wall_s()), change.reason, change.message, change.before, change.after)
        )
        measured = {
            "latency_ms": reading.latency_ms,
            "fps": reading.fps,
            "cpu_share": reading.cpu_share,
            "temperature_c": reading.temperature_c,
        }
        event(
            log,
            logging.INFO,
            "budget.lowered" if down else "budget.raised",
            change.message,
            reason=change.reason,
            effort=effort.level,
            search_every=effort.search_every,
            read_every=effort.read_every,
            max_fps=effort.max_fps,
            **{name: round(value, 2) for name, value in measured.items() if value is not None},
        )

    def _summary(self, reading: Reading) -> BudgetStatus:
        effort, budget = self._controller.effort, self._controller.budget
        return BudgetStatus(
            level=effort.level,
            search_every=effort.search_every,
            read_every=effort.read_every,
            max_fps=effort.max_fps,
            latency_ms=None if reading.latency_ms is None else round(reading.latency_ms, 3),
            cpu_share=None if reading.cpu_share is None else round(reading.cpu_share, 3),
            temperature_c=reading.temperature_c,
            throttled=self._heat.throttled,
            counts=dict(self._counts),
            changes=tuple(self._changes),
            max_latency_ms=budget.max_latency_ms,
            max_cpu_share=budget.cpu_budget,
            max_temperature_c=budget.max_temperature_c,
        )
