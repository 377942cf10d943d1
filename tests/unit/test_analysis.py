"""How frames reach the pipeline."""

import threading

import pytest

from edge.analysis import LiveAnalysis, LockstepAnalysis, Outlet
from edge.capture import Capture
from edge.pipeline import Pipeline
from edge.slot import LatestSlot
from edge.telemetry import Telemetry
from edge.types import Frame, Scene
from edge.worker import Control
from tests.fakes import FakeClassifier, FakeDetector, FakeSink, FakeSource, Ticking, frame


class Stage:
    """A pipeline of fakes with everything around it."""

    def __init__(self) -> None:
        self.frames: LatestSlot[Frame] = LatestSlot()
        self.scenes: LatestSlot[Scene] = LatestSlot()
        self.sink = FakeSink()
        self.telemetry = Telemetry(Ticking(), live=False)
        self.pipeline = Pipeline(FakeDetector(), FakeClassifier(), Ticking())
        self.outlet = Outlet(self.scenes, (self.sink,), self.telemetry)

    def seen(self) -> list[int]:
        return [scene.frame.seq for scene in self.sink.scenes]


class Feeding(LatestSlot[Frame]):
    """Puts the next frames whenever somebody waits, then closes."""

    def __init__(self, *batches: list[Frame]) -> None:
        super().__init__()
        self._batches = list(batches)

    def wait_newer(self, seq: int, timeout_s: float) -> tuple[int, Frame] | None:
        if not self._batches:
            self.close()
        else:
            for item in self._batches.pop(0):
                self.put(item)
        return super().wait_newer(seq, 0)


def test_the_newest_frame_wins_and_the_others_count_as_busy():
    stage = Stage()
    feeding = Feeding([frame(1)], [frame(2), frame(3), frame(4)], [frame(5)])
    LiveAnalysis(feeding, stage.pipeline, stage.outlet).run(Control(Ticking()))
    assert stage.seen() == [1, 4, 5]
    assert stage.telemetry.skipped_frames == {"busy": 2}


def test_frames_the_source_left_out_count_as_late():
    stage = Stage()
    feeding = Feeding([frame(1)], [frame(4), frame(6)])
    LiveAnalysis(feeding, stage.pipeline, stage.outlet).run(Control(Ticking()))
    assert stage.seen() == [1, 6]
    assert stage.telemetry.skipped_frames == {"busy": 1, "late": 3}


def test_frames_above_the_rate_limit_are_skipped_with_that_reason():
    stage = Stage()
    feeding = Feeding(*[[frame(n)] for n in range(1, 9)])  # 25 a second
    LiveAnalysis(feeding, stage.pipeline, stage.outlet, max_fps=12.5).run(Control(Ticking()))
    assert stage.seen() == [1, 3, 5, 7]
    assert stage.telemetry.skipped_frames == {"rate": 4}


@pytest.mark.parametrize(
    ("limit", "share"), [(25, 5 / 6), (20, 2 / 3), (12, 0.4), (27.5, 11 / 12), (30, 1.0), (60, 1.0)]
)
def test_a_limit_holds_on_average_whatever_the_cameras_rate(limit: float, share: float):
    stage = Stage()
    thirty = [[frame(n, t_ns=n * 33_333_333)] for n in range(1, 601)]
    LiveAnalysis(Feeding(*thirty), stage.pipeline, stage.outlet, max_fps=limit).run(Control(Ticking()))
    assert len(stage.seen()) == pytest.approx(600 * share, abs=3)


def test_after_a_pause_frames_are_not_made_up_for():
    stage = Stage()
    times_ms = [0, 100, 200, 5000, 5033, 5066, 5100, 5133]
    feeding = Feeding(*[[frame(n, t_ns=ms * 1_000_000)] for n, ms in enumerate(times_ms, start=1)])
    LiveAnalysis(feeding, stage.pipeline, stage.outlet, max_fps=10).run(Control(Ticking()))
    assert stage.seen() == [1, 2, 3, 4, 7]


def test_jitter_does_not_halve_a_rate_that_equals_the_limit():
    stage = Stage()
    feeding = Feeding(*[[frame(n, t_ns=n * 40_000_000 - (n % 2) * 3_000_000)] for n in range(1, 9)])
    LiveAnalysis(feeding, stage.pipeline, stage.outlet, max_fps=25).run(Control(Ticking()))
    assert len(stage.seen()) == 8


def test_it_ends_when_the_source_has_ended():
    stage = Stage()
    stage.frames.close()
    thread = threading.Thread(
        target=LiveAnalysis(stage.frames, stage.pipeline, stage.outlet).run, args=[Control(Ticking())]
    )
    thread.start()
    thread.join(5)
    assert not thread.is_alive()


def test_in_lockstep_every_frame_is_analysed_in_turn():
    stage = Stage()
    source = FakeSource(frame(n) for n in range(1, 21))
    capture = Capture("fake", "asked for", lambda: source, stage.frames, 1)
    LockstepAnalysis(capture, lambda: source, stage.pipeline, stage.outlet).run(Control(Ticking()))
    assert stage.seen() == list(range(1, 21))
    assert source.closed == 1
    assert (capture.status.state, capture.status.frames) == ("ended", 20)


def test_in_lockstep_a_pause_keeps_the_place():
    stage = Stage()
    source = FakeSource(frame(n) for n in range(1, 21))
    capture = Capture("fake", "asked for", lambda: source, stage.frames, 1)
    control = Control(Ticking())
    capture.ask("pause")
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        assert capture.status.state == "paused"
        assert stage.seen() == []
        if len(waited) == 3:
            capture.ask("resume")
        return False

    control.wait = wait  # type: ignore[method-assign]
    LockstepAnalysis(capture, lambda: source, stage.pipeline, stage.outlet).run(control)
    assert stage.seen() == list(range(1, 21))
    assert capture.status.state == "ended"
