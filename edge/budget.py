"""Keeps the analysis within a budget: a rung down the ladder of effort when it is exceeded, up again when it is not.

Down is fast, several rungs at once where one does not help; up is one rung at a time, and waits the longer the more
often it was in vain, but never so long that full effort would be back later than `RETURN_S` after the load has gone.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from edge.effort import LOWEST, LOWEST_AT_FULL_RATE, Effort, effort_at

Reason = Literal["latency", "fps", "cpu", "temperature", "throttled", "recovered"]

IN_A_ROW = 2
"""Readings over the budget before anything is lowered: one alone is a hiccup."""
MARGIN = 0.8
"""Only below this share of a limit is there room for more effort."""
ENOUGH = 0.85
"""Share of the target rate that is still as good as the target: cameras jitter."""
COOLER_C = 5.0
"""How far below its limit a temperature must fall before there is room for more effort."""
FALLING_C = 1.0
"""A temperature that has fallen by so much since the last step is given time."""
STILL_S = 3.0
"""Over the budget again within this time after a step down, it was too small."""
RETURN_S = 25.0
"""All effort is back so long after the load has gone, as far as the controller can help it."""
AGAIN_S = 60.0
"""Effort that has to be lowered again within this time was raised in vain."""
USUAL_FPS = 30.0
"""What a camera gives, until it is known."""


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast a cause answers to a change of effort; in seconds.

    Attributes:
        down_s: between two steps down.
        up_s: of room before a step up.
        first_s: before the first step up after a step down.
        trial_s: in this time after a step up, one reading over the budget is enough to take it back.
    """

    down_s: float
    up_s: float
    first_s: float
    trial_s: float


_WORK = _Pace(down_s=0.0, up_s=2.0, first_s=6.0, trial_s=4.0)
_HEAT = _Pace(down_s=5.0, up_s=3.0, first_s=6.0, trial_s=0.0)
_PACES = {"temperature": _HEAT, "throttled": _HEAT}


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent; of each, 0 is no limit.

    Attributes:
        target_fps: frames per second to analyse: no more, and no fewer if less searching and reading can help it.
        max_latency_ms: from a frame's grab to its scene, for 95 of 100 frames.
        cpu_budget: processor time of the whole program, as a share of one core.
        max_temperature_c: of the processor, in °C.
    """

    target_fps: float = 0.0
    max_latency_ms: float = 250.0
    cpu_budget: float = 0.0
    max_temperature_c: float = 80.0


class Reading(msgspec.Struct, frozen=True):
    """What was measured lately, and since the effort was last changed; None: unknown.

    Attributes:
        t_ns: now.
        latency_ms: from a frame's grab to its scene, 95th percentile; of few frames, the slowest but one.
        fps: scenes per second.
        offered_fps: frames per second that may be analysed of those the source gives.
        source_fps: frames per second that it gives.
        missed: frames not analysed because the analysis was busy.
        cpu_share: processor time of the program as a share of one core.
        temperature_c: of the processor, in °C.
        throttled: how the firmware slows the processor down now, in words.
    """

    t_ns: int
    latency_ms: float | None = None
    fps: float | None = None
    offered_fps: float | None = None
    source_fps: float | None = None
    missed: int = 0
    cpu_share: float | None = None
    temperature_c: float | None = None
    throttled: tuple[str, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """A decision.

    Attributes:
        t_ns: when.
        reason: what was exceeded; `recovered` for a step up.
        message: the same with figures, for people.
        before: level of effort.
        after: level of effort.
    """

    t_ns: int
    reason: Reason
    message: str
    before: int
    after: int


class _Excess(msgspec.Struct, frozen=True):
    """A limit that is exceeded: by what, how many rungs at least, down to which level that can help."""

    reason: Reason
    message: str
    rungs: int = 1
    lowest: int = LOWEST


class Controller:
    """Turns readings into effort. Owned by one thread; knows no time but that of the readings."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._source_fps = USUAL_FPS
        self._most_fps = 0.0
        self.effort = self._at(0)
        self._cause: Reason | None = None
        self._over = 0  # readings in a row for that cause
        self._room_ns: int | None = None
        self._changed_ns: int | None = None
        self._lowered_ns: int | None = None
        self._rungs = 0  # of the last step: negative if it was a step up
        self._wait_s = _WORK.first_s
        self._pace = _WORK
        self._hot_c = 0.0  # at the last step

    @property
    def budget(self) -> Budget:
        """What is kept to."""
        return self._budget

    def limit(self, budget: Budget) -> None:
        """Keep to another budget from now on; the level of effort stays until there is a reason to change it."""
        self._budget = budget
        self.effort = self._at(self.effort.level)

    def offer(self, max_fps: float) -> None:
        """More frames a second than these are not offered from now on, 0: no limit; lower rates are shares of them."""
        self._most_fps = max_fps
        self.effort = self._at(self.effort.level)

    def step(self, reading: Reading) -> tuple[Effort, Change | None]:
        """Take in a reading, about twice a second; the effort from now on, and the decision if it was changed."""
        if self.effort.level == 0 and reading.source_fps:
            self._source_fps = reading.source_fps
        excess = _excess(reading, self._budget, self.effort.level)
        self._over = self._over + 1 if excess and excess.reason == self._cause else 1
        self._cause = excess.reason if excess else None
        if excess:
            self._room_ns = None
            change = self._lower(reading, excess)
        else:
            change = self._raise(reading)
        return self.effort, change

    def _lower(self, reading: Reading, excess: _Excess) -> Change | None:
        pace = _PACES.get(excess.reason, _WORK)
        since_s = self._since_s(reading.t_ns)
        tried = self._rungs < 0
        on_trial = tried and since_s < pace.trial_s
        needed = 1 if on_trial else IN_A_ROW
        if self.effort.level >= excess.lowest or self._over < needed or (not tried and since_s < pace.down_s):
            return None
        if excess.reason == "temperature" and not tried and self._cooling(reading, since_s):
            return None
        # a step that was too small is followed by one twice as large; heat takes its time in any case
        too_small = self._rungs if pace is _WORK and self._rungs > 0 and since_s < STILL_S else 0
        rungs = 1 if on_trial else max(excess.rungs, 2 * too_small)
        before = self.effort.level
        after = min(before + rungs, excess.lowest)
        if before < LOWEST_AT_FULL_RATE:
            after = min(after, LOWEST_AT_FULL_RATE)  # whether that is enough is seen before the rate is touched
        if tried:
            in_vain = self._lowered_ns is not None and reading.t_ns - self._lowered_ns < AGAIN_S * 1e9
            self._wait_s = min(2 * self._wait_s, RETURN_S) if in_vain else pace.first_s
        elif pace is not self._pace:
            self._wait_s = max(self._wait_s, pace.first_s)
        self._pace = pace
        self._lowered_ns = reading.t_ns
        return self._changed(reading, after, rungs, excess.reason, excess.message)

    def _raise(self, reading: Reading) -> Change | None:
        if self.effort.level == 0 or not _has_room(reading, self._budget, self.effort.level):
            self._room_ns = None
            return None
        if self._room_ns is None:
            self._room_ns = reading.t_ns
        pace = self._pace
        # the steps after the first take their time, too
        wait_s = min(self._wait_s, RETURN_S - (self.effort.level - 1) * (pace.up_s + 0.5)) if self._rungs > 0 else 0.0
        room_s = (reading.t_ns - self._room_ns) / 1e9
        if room_s < pace.up_s or self._since_s(reading.t_ns) < wait_s:
            return None
        message = f"there has been room in the budget for {room_s:.1f} s"
        return self._changed(reading, self.effort.level - 1, -1, "recovered", message)

    def _changed(self, reading: Reading, level: int, rungs: int, reason: Reason, message: str) -> Change | None:
        before = self.effort.level
        if level == before:
            return None
        self.effort = self._at(level)
        self._changed_ns, self._rungs = reading.t_ns, rungs
        self._cause, self._room_ns = None, None
        self._hot_c = reading.temperature_c or 0.0
        return Change(reading.t_ns, reason, message, before, level)

    def _at(self, level: int) -> Effort:
        target_fps = self._budget.target_fps
        full_fps = min(fps for fps in (self._source_fps, self._most_fps, target_fps) if fps)
        return effort_at(level, full_fps, target_fps)

    def _since_s(self, t_ns: int) -> float:
        """Seconds since the last change."""
        return float("inf") if self._changed_ns is None else (t_ns - self._changed_ns) / 1e9

    def _cooling(self, reading: Reading, since_s: float) -> bool:
        """Whether the last step down already helps."""
        hot_c = reading.temperature_c or 0.0
        return since_s < AGAIN_S and hot_c <= self._hot_c - FALLING_C


def _excess(reading: Reading, budget: Budget, level: int) -> _Excess | None:
    """The limit that is exceeded; of several the one that answers soonest."""
    limit_ms, found_ms = budget.max_latency_ms, reading.latency_ms
    if limit_ms and found_ms is not None and found_ms > limit_ms and level < LOWEST:
        message = f"a frame takes {found_ms:.0f} ms (95th percentile), above max_latency_ms = {limit_ms:g}"
        return _Excess("latency", message, 2 if found_ms > 2 * limit_ms else 1)
    share, found = budget.cpu_budget, reading.cpu_share
    if share and found is not None and found > share and level < LOWEST:
        message = f"the program uses {found:.2f} of a core, above cpu_budget = {share:g}"
        return _Excess("cpu", message, 2 if found > 2 * share else 1)
    if level < LOWEST_AT_FULL_RATE and _falls_short(reading, budget, ENOUGH):
        message = f"{reading.fps or 0:.1f} frames a second are analysed, fewer than target_fps = {budget.target_fps:g}"
        return _Excess("fps", message, lowest=LOWEST_AT_FULL_RATE)
    limit_c, found_c = budget.max_temperature_c, reading.temperature_c
    if limit_c and found_c is not None and found_c >= limit_c:
        message = f"the processor has {found_c:.1f} °C, max_temperature_c = {limit_c:g}"
        return _Excess("temperature", message, 2 if found_c >= limit_c + COOLER_C else 1)
    if reading.throttled:
        # what the firmware does already need not be done twice
        message = f"the firmware slows the processor down: {', '.join(reading.throttled)}"
        return _Excess("throttled", message, lowest=LOWEST_AT_FULL_RATE + 1)
    return None


def _has_room(reading: Reading, budget: Budget, level: int) -> bool:
    """Whether a step up may be tried."""
    return not (
        reading.throttled
        or (budget.max_latency_ms and (reading.latency_ms or 0.0) > MARGIN * budget.max_latency_ms)
        or (budget.cpu_budget and (reading.cpu_share or 0.0) > MARGIN * budget.cpu_budget)
        or (budget.max_temperature_c and (reading.temperature_c or 0.0) > budget.max_temperature_c - COOLER_C)
        or (level <= LOWEST_AT_FULL_RATE and _falls_short(reading, budget, (1 + ENOUGH) / 2))
    )


def _falls_short(reading: Reading, budget: Budget, share: float) -> bool:
    """Whether frames the source gave were left out and are lacking; a slow camera is nobody's fault."""
    if not budget.target_fps or reading.fps is None or not reading.missed:
        return False
    return reading.fps < share * min(budget.target_fps, reading.offered_fps or budget.target_fps)
