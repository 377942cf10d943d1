"""Changed settings reach the parts that run, between two frames, and faces stay who they are."""

import threading
from typing import Any

import pytest

from edge.analysis import LiveAnalysis, LockstepAnalysis, Outlet
from edge.budget import Budget, Controller, Reading
from edge.capture import Capture
from edge.config import Config, ExpressionConfig
from edge.governor import Governor
from edge.live import LIVE, LiveSettings
from edge.parts import build_governor, build_pipeline
from edge.pipeline import Pipeline
from edge.slot import LatestSlot
from edge.telemetry import Telemetry
from edge.thermal import Heat
from edge.tuning import Retuning, budget, tuning
from edge.types import UNCERTAIN, Frame, Scene
from edge.worker import Control
from tests.fakes import FakeClassifier, FakeDetector, FakeSink, FakeSource, Ticking, face, frame

CONFIG = Config(expression=ExpressionConfig(interval_ms=0, smoothing_s=0, hysteresis=0, quality_gate=False))
FACES = (face(0.1), face(0.6))

VALUES: dict[str, Any] = {
    "source.max_fps": 12.0,
    "detector.interval": 3,
    "detector.max_roi_age_ms": 900.0,
    "detector.max_new_face_delay_ms": 500.0,
    "detector.tile_interval": 2,
    "expression.threshold": 0.7,
    "expression.smoothing_s": 1.0,
    "expression.hysteresis": 0.2,
    "expression.min_hold_s": 2.0,
    "expression.interval_ms": 500.0,
    "expression.max_faces": 1,
    "expression.faces": "largest",
    "expression.quality_gate": True,
    "expression.min_read_px": 30,
    "budget.target_fps": 10.0,
    "budget.max_latency_ms": 100.0,
    "budget.cpu_budget": 0.5,
    "budget.max_temperature_c": 60.0,
}


def patch(key: str) -> dict[str, dict[str, Any]]:
    section, name = key.split(".")
    # a limit on the size needs the gate
    more = {"quality_gate": True} if name == "min_read_px" else {}
    return {section: {name: VALUES[key], **more}}


def built(config: Config, *, stills: bool = False) -> Pipeline:
    return build_pipeline(config, FakeDetector(FACES), FakeClassifier(), stills=stills)  # type: ignore[arg-type]


def inside(core: Pipeline) -> tuple[object, ...]:
    return (core._lookout._policy, core._tracking, core._rule, core._attention, core._gate)


def all_of(governor: Governor) -> tuple[object, ...]:
    return (governor._controller._budget, governor._max_fps, governor.effort)


def test_there_is_a_value_to_try_for_every_setting_the_analysis_takes():
    keys = {f"{section}.{key}" for section in ("source", "detector", "expression", "budget") for key in LIVE[section]}
    assert set(VALUES) | {"budget.unwatched_fps"} == keys, "that one is the loop's own, and tested below"


@pytest.mark.parametrize("stills", [False, True])
@pytest.mark.parametrize("key", VALUES)
def test_parts_that_took_over_a_change_are_as_parts_that_were_built_so(key: str, stills: bool):
    settings = LiveSettings(CONFIG)
    core, governor = built(CONFIG, stills=stills), build_governor(CONFIG)
    before = (inside(core), all_of(governor))
    retuning = Retuning(settings, core, governor, stills=stills)
    changed = settings.change(patch(key))
    assert retuning() is changed
    anew = (inside(built(changed, stills=stills)), all_of(build_governor(changed)))
    assert (inside(core), all_of(governor)) == anew
    if not stills:
        assert anew != before, "the setting has no effect"


def test_as_long_as_nothing_changes_nothing_is_taken_over():
    settings = LiveSettings(CONFIG)
    core = built(CONFIG)
    rule = core._rule
    retuning = Retuning(settings, core, None)
    assert retuning() is None
    assert core._rule is rule
    settings.change({"stream": {"quality": 50}})
    assert retuning() is not None
    assert retuning() is None


def test_the_next_scene_has_other_labels_and_the_same_faces():
    settings = LiveSettings(CONFIG)
    core = built(CONFIG)
    retuning = Retuning(settings, core, None)
    seen = []
    for seq, threshold in enumerate((0.5, 0.95, 0.95, 0.5), 1):
        settings.change({"expression": {"threshold": threshold}})
        retuning()
        scene = core.step(frame(seq))
        seen.append([(track.id, track.label) for track in scene.tracks])
        assert scene.decision.reason == ("first" if seq == 1 else "roi"), "a threshold is no reason to search"
    named, uncertain = [(1, "happy"), (2, "happy")], [(1, UNCERTAIN), (2, UNCERTAIN)]
    assert seen == [named, uncertain, uncertain, named]


def test_after_a_change_of_where_to_look_the_frame_is_searched_anew_and_faces_keep_their_ids():
    settings = LiveSettings(CONFIG)
    core = built(CONFIG)
    retuning = Retuning(settings, core, None)
    core.step(frame(1))
    assert core.step(frame(2)).decision.reason == "roi"
    settings.change({"detector": {"interval": 1}})
    retuning()
    scenes = [core.step(frame(seq)) for seq in (3, 4)]
    assert [scene.decision.reason for scene in scenes] == ["first", "interval"]
    assert [[track.id for track in scene.tracks] for scene in scenes] == [[1, 2], [1, 2]]


def test_a_budget_is_kept_from_the_next_reading_on_at_the_level_that_was_reached():
    controller = Controller(Budget(max_latency_ms=100))
    governor = Governor(controller, Heat, clock=Ticking(), cpu_clock=Ticking())
    slow = [Reading(t_ns, latency_ms=150.0, fps=30.0, offered_fps=30.0) for t_ns in range(0, 10**9, 10**8)]
    for reading in slow[:2]:
        controller.step(reading)
    level = controller.effort.level
    assert level > 0
    governor.limit(Budget(target_fps=10, max_latency_ms=200), 0.0)
    assert (controller.effort.level, controller.effort.max_fps) == (level, 10)
    for reading in slow[2:]:
        controller.step(reading)
    assert controller.effort.level == level, "150 ms are within the new limit"


def test_a_limit_that_is_lifted_leaves_no_trace():
    controller = Controller(Budget(max_latency_ms=100))
    slow = [Reading(t_ns, latency_ms=500.0, fps=30.0, offered_fps=30.0) for t_ns in range(0, 10**10, 10**9)]
    untouched = Controller(Budget(max_latency_ms=100))
    for number, reading in enumerate(slow):
        controller.step(reading)
        untouched.step(reading)
        if number == 3:
            controller.limit(Budget(target_fps=1e-3, max_latency_ms=100))
            controller.limit(Budget(max_latency_ms=100))
    assert controller.effort == untouched.effort
    assert 0 < controller.effort.max_fps < 30


class Changing(LatestSlot[Frame]):
    """Frames without end, until it has given so many."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self._frames = frames

    def wait_newer(self, seq: int, timeout_s: float) -> tuple[int, Frame] | None:
        if seq == self._frames:
            self.close()
            return None
        return seq + 1, frame(seq + 1)


class Noting(Pipeline):
    """Notes what it goes by, before and after each step."""

    def __init__(self) -> None:
        super().__init__(FakeDetector(), FakeClassifier(), Ticking())
        self.noted: list[tuple[float, int]] = []

    def step(self, frame: Frame) -> Scene:
        self._note()
        scene = super().step(frame)
        self._note()
        return scene

    def _note(self) -> None:
        self.noted.append((self._rule.threshold, self._attention.max_faces))


def outlet() -> Outlet:
    return Outlet(LatestSlot(), (FakeSink(),), Telemetry(Ticking(), live=False))


def test_each_scene_is_made_with_exactly_one_snapshot():
    settings = LiveSettings(CONFIG)
    settings.change({"expression": {"threshold": 0.01, "max_faces": 1}})
    core, over = Noting(), threading.Event()
    core.retune(tuning(settings.current))

    def change() -> None:
        step = 0
        while not over.is_set():
            step = step % 100 + 1
            settings.change({"expression": {"threshold": step / 100, "max_faces": step}})

    thread = threading.Thread(target=change)
    thread.start()
    LiveAnalysis(Changing(300), core, outlet(), retuned=Retuning(settings, core, None)).run(Control(Ticking()))
    over.set()
    thread.join()
    assert len(core.noted) == 600
    assert all(round(threshold * 100) == faces for threshold, faces in core.noted)
    assert all(one == other for one, other in zip(core.noted[::2], core.noted[1::2], strict=True))
    assert len(set(core.noted)) > 1


def test_a_limit_on_the_frame_rate_holds_at_once():
    settings = LiveSettings(CONFIG)
    core, sink = built(CONFIG), FakeSink()
    governor = build_governor(CONFIG)
    retuning = Retuning(settings, core, governor)
    analysis = LiveAnalysis(
        Changing(20), core, Outlet(LatestSlot(), (sink,), Telemetry(Ticking(), live=False)), 0.0, governor, retuning
    )
    settings.change({"source": {"max_fps": 5}})
    analysis.run(Control(Ticking()))
    assert [scene.frame.seq for scene in sink.scenes] == [1, 6, 11, 16]  # of 25 a second


def test_the_rate_while_nobody_watches_can_be_changed_too():
    settings = LiveSettings(CONFIG)
    core, sink = built(CONFIG), FakeSink()
    retuning = Retuning(settings, core, None)
    out = Outlet(LatestSlot(), (sink,), Telemetry(Ticking(), live=False))
    analysis = LiveAnalysis(Changing(20), core, out, retuned=retuning, unwatched_fps=12.5, attended=lambda: False)
    settings.change({"budget": {"unwatched_fps": 5}})
    analysis.run(Control(Ticking()))
    assert [scene.frame.seq for scene in sink.scenes] == [1, 6, 11, 16]


@pytest.mark.parametrize("limit", [5e-324, 1e-300, 1e-3, 1000])
def test_no_limit_on_the_frame_rate_is_beyond_the_analysis(limit: float):
    settings = LiveSettings(CONFIG)
    core, sink = built(CONFIG), FakeSink()
    governor = build_governor(CONFIG)
    out = Outlet(LatestSlot(), (sink,), Telemetry(Ticking(), live=False))
    retuning = Retuning(settings, core, governor)
    settings.change({"source": {"max_fps": limit}, "budget": {"target_fps": limit}})
    LiveAnalysis(Changing(3), core, out, 0.0, governor, retuning).run(Control(Ticking()))
    assert len(sink.scenes) == (3 if limit == 1000 else 1)


def test_media_that_are_taken_in_turn_follow_changes_too():
    settings = LiveSettings(CONFIG)
    core, sink = built(CONFIG), FakeSink()
    retuning = Retuning(settings, core, None)
    settings.change({"expression": {"threshold": 0.95}})
    source = FakeSource([frame(1), frame(2)])
    capture = Capture("film", "asked for", lambda: source, LatestSlot(), 1.0)
    out = Outlet(LatestSlot(), (sink,), Telemetry(Ticking(), live=False))
    LockstepAnalysis(capture, lambda: source, core, out, retuning).run(Control(Ticking()))
    assert [[track.label for track in scene.tracks] for scene in sink.scenes] == [[UNCERTAIN] * 2] * 2


def test_the_budget_is_that_of_the_settings_within_the_sources_limit():
    settings = LiveSettings(CONFIG)
    changed = settings.change({"source": {"max_fps": 5}, "budget": {"target_fps": 10, "cpu_budget": 0.5}})
    assert budget(changed) == Budget(5, 250, 0.5, 80)
