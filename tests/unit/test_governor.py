"""The live analysis within its budget, on a machine whose clock is ours."""

import logging
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from edge.analysis import LiveAnalysis, Outlet
from edge.budget import Budget, Controller, Reading
from edge.effort import FULL, LOWEST, Effort
from edge.governor import HEAT_NS, Governor
from edge.pipeline import Pipeline
from edge.slot import LatestSlot
from edge.thermal import Heat
from edge.types import Decision, Frame, Scene
from edge.worker import Control
from tests.fakes import FakeClassifier, FakeDetector, Ticking, frame
from tests.world import World

PERIOD_NS = 33_333_333
TRACKED_MS, DETECTED_MS, READ_MS = 4, 30, 8
QUIET = Heat(50.0)
Slow = Callable[[float], float]


class Camera(LatestSlot[Frame]):
    """Thirty frames a second of the world's time, until its end; who is late finds the newest."""

    def __init__(self, world: World, end_s: float) -> None:
        super().__init__()
        self._world = world
        self._end_ns = round(end_s * 1e9)

    def wait_newer(self, seq: int, timeout_s: float) -> tuple[int, Frame] | None:
        world = self._world
        if world.now_ns >= self._end_ns:
            self.close()
            return None
        number = max(seq + 1, world.now_ns // PERIOD_NS)
        world.now_ns = max(world.now_ns, number * PERIOD_NS)
        return number, frame(number, t_ns=number * PERIOD_NS)


class Working(Pipeline):
    """Takes as long as the effort and the machine's slowness want."""

    def __init__(self, world: World, slow: Slow) -> None:
        super().__init__(FakeDetector(), FakeClassifier(), Ticking())
        self.effort: Effort = FULL
        self.efforts: list[tuple[float, Effort]] = []
        self._world, self._slow, self._steps = world, slow, 0

    def step(self, frame: Frame) -> Scene:
        self._steps += 1
        self.efforts.append((self._world.now_ns / 1e9, self.effort))
        detected = self._steps % round(5 * self.effort.search_every) == 0
        read = self._steps % round(self.effort.read_every) == 0
        spent_ms = TRACKED_MS + DETECTED_MS * detected + READ_MS * read
        self._world.pass_by(spent_ms * self._slow(self._world.now_ns / 1e9) / 1e3)
        return Scene(frame, (), (), Decision(detected, "interval"), {})


class Machine:
    """A run of the live analysis in a world of its own."""

    def __init__(
        self,
        seconds: float,
        *,
        budget: Budget | None = None,
        slow: Slow = lambda _: 1.0,
        heat: Callable[[float], Heat] = lambda _: QUIET,
        cpu: Callable[[int], int] = lambda _: 0,
        max_fps: float = 0.0,
    ) -> None:
        self.world = World(now_ns=0)
        self.heats = 0
        self.ages: list[tuple[float, float]] = []
        self.skips: dict[str, list[float]] = {}
        self.pipeline = Working(self.world, slow)

        def sense() -> Heat:
            self.heats += 1
            return heat(self.world.now_ns / 1e9)

        self.governor = Governor(
            Controller(budget or Budget()),
            sense,
            max_fps=max_fps,
            clock=self.world.clock,
            cpu_clock=lambda: cpu(self.world.now_ns),
            wall_s=lambda: self.world.now_ns / 1e9,
        )
        outlet = Outlet(LatestSlot(), (), self)
        live = LiveAnalysis(Camera(self.world, seconds), self.pipeline, outlet, max_fps, self.governor)
        live.run(Control(Ticking()))

    def analysed(self, scene: Scene) -> None:
        now_ns = self.world.now_ns
        self.ages.append((now_ns / 1e9, (now_ns - scene.frame.t_ns) / 1e6))

    def skipped(self, reason: str, frames: int) -> None:
        self.skips.setdefault(reason, []).extend([self.world.now_ns / 1e9] * frames)

    def p95_ms(self, from_s: float, to_s: float) -> float:
        ages = sorted(ms for second, ms in self.ages if from_s <= second < to_s)
        return ages[int(0.95 * (len(ages) - 1))]

    def share_above(self, limit_ms: float, from_s: float, to_s: float) -> float:
        ages = [ms for second, ms in self.ages if from_s <= second < to_s]
        return sum(ms > limit_ms for ms in ages) / len(ages)

    def fps(self, from_s: float, to_s: float) -> float:
        return sum(from_s <= second < to_s for second, _ in self.ages) / (to_s - from_s)


def busy(from_s: float, to_s: float, slow: float) -> Slow:
    return lambda second: slow if from_s <= second < to_s else 1.0


@pytest.mark.parametrize("slow", [7.0, 8.5, 10.0])
def test_latency_is_back_in_five_seconds_and_the_rate_within_thirty_after(
    slow: float, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "edge.governor")
    machine = Machine(100, slow=busy(10, 60, slow))
    assert machine.p95_ms(5, 10) < 60
    assert machine.p95_ms(10, 12) > 250
    assert machine.p95_ms(15, 20) <= 250
    assert machine.share_above(250, 15, 60) < 0.06  # trying whether the load has gone costs something
    assert machine.fps(90, 100) == pytest.approx(30, abs=1)
    assert machine.p95_ms(90, 100) < 60
    first = caplog.records[0]
    assert (first.event, first.fields["reason"]) == ("budget.lowered", "latency")
    assert first.fields["latency_ms"] > 250
    assert first.fields["search_every"] > 1
    assert {record.event for record in caplog.records} == {"budget.lowered", "budget.raised"}
    assert caplog.records[-1].fields["effort"] == 0


def test_without_a_load_nothing_is_lowered():
    machine = Machine(60)
    assert machine.governor.status.changes == ()
    assert machine.pipeline.efforts[-1][1] == FULL
    assert machine.skips == {}


def test_heat_lowers_the_rate_and_the_old_one_is_back_within_thirty_seconds():
    machine = Machine(90, heat=lambda second: Heat(85.0) if 10 <= second < 40 else Heat(60.0))
    assert machine.fps(30, 40) == pytest.approx(30 / 8, abs=0.5)
    assert machine.fps(70, 90) == pytest.approx(30, abs=0.5)
    assert set(machine.skips) == {"budget"}
    assert 10 <= min(machine.skips["budget"]) < max(machine.skips["budget"]) < 70
    assert machine.governor.status.counts == {"temperature": 4, "recovered": LOWEST}
    assert machine.heats <= 90 * 1e9 / HEAT_NS


def test_a_pi_that_is_throttled_is_relieved_and_one_at_its_soft_limit_is_not():
    assert Machine(20, heat=lambda _: Heat(70.0, ("throttled",))).governor.status.level > 0
    assert Machine(20, heat=lambda _: Heat(62.0, ("soft temperature limit",))).governor.status.level == 0


def test_the_status_tells_what_was_decided_and_why():
    machine = Machine(12, heat=lambda _: Heat(85.0, ("soft temperature limit",)))
    status = machine.governor.status
    assert (status.temperature_c, status.throttled) == (85.0, ("soft temperature limit",))
    assert status.level == status.changes[-1].after > 0
    first = status.changes[0]
    assert (first.reason, first.before) == ("temperature", 0)
    assert first.time.startswith("1970-01-01T00:00:02.")
    assert "85.0 °C" in first.message


def test_the_share_of_the_processor_is_measured_and_kept():
    machine = Machine(20, budget=Budget(cpu_budget=0.5), cpu=lambda now_ns: now_ns * 3 // 4)
    assert machine.governor.status.cpu_share == pytest.approx(0.75)
    assert machine.governor.status.changes[0].reason == "cpu"


def test_frames_above_the_sources_limit_are_no_business_of_the_budget():
    machine = Machine(30, max_fps=10)
    assert set(machine.skips) == {"rate"}
    assert machine.fps(10, 30) == pytest.approx(10, abs=0.5)


def test_the_lower_of_both_limits_counts():
    hot = Machine(40, max_fps=10, heat=lambda _: Heat(90.0))
    assert set(hot.skips) == {"rate", "budget"}
    assert hot.fps(35, 40) == pytest.approx(2, abs=0.3)
    aimed = Machine(20, budget=Budget(target_fps=12))
    assert set(aimed.skips) == {"budget"}
    assert aimed.fps(5, 20) == pytest.approx(12, abs=0.5)


@pytest.mark.parametrize(("cpu", "lowered"), [(0.0, False), (1.0, True)])
def test_a_program_that_was_stopped_is_not_slow(cpu: float, lowered: bool):
    machine = Machine(20.5, slow=busy(10, 20, 170.0), cpu=lambda now_ns: round(now_ns * cpu))
    assert machine.p95_ms(10, 20) > 2000
    assert (machine.governor.status.level > 0) == lowered


def test_the_first_frames_may_be_slow():
    machine = Machine(20, slow=busy(0, 1.9, 30.0))
    assert machine.governor.status.changes == ()


def test_a_rate_that_was_offered_while_nobody_watched_is_not_taken_for_the_sources():
    controller = Controller(Budget())
    controller.offer(10.0)
    for number in range(3):
        controller.step(Reading(number * 500_000_000, latency_ms=5.0, fps=10.0, offered_fps=10.0, source_fps=30.0))
    throttled = Reading(2_000_000_000, 5.0, 10.0, 10.0, 30.0, throttled=("throttled",))
    for number in range(80):
        controller.step(replace(throttled, t_ns=throttled.t_ns + number * 500_000_000))
    assert controller.effort.level == 4
    assert controller.effort.max_fps == 5.0
    controller.offer(0.0)
    assert controller.effort.max_fps == 15.0, "half of what the source gives, now that somebody watches"


def test_another_rate_on_offer_is_measured_anew_and_the_warm_up_is_not_cut_short():
    world, spent = World(now_ns=0), [0]
    governor = Governor(Controller(Budget()), lambda: QUIET, clock=world.clock, cpu_clock=lambda: spent[0])
    governor.analysed(frame(1, t_ns=0))
    governor.tick()
    began_ns = governor._since_ns
    world.pass_by(0.1)
    governor.offer(10.0)
    assert governor._since_ns == began_ns
    world.pass_by(3.0)
    governor.offer(0.0)
    spent[0] += 6_000_000
    world.pass_by(0.002)
    assert not governor.tick()
    assert governor.status.cpu_share is None, "two milliseconds say nothing"
