"""Signs of life, and what may be used, as Prometheus reads them."""

import time

from msgspec.structs import replace
from prometheus_client import CollectorRegistry, generate_latest

from edge.app import App
from edge.config import Config, DetectorConfig, SourceConfig
from edge.errors import TemporaryError
from edge.metrics import StatusCollector
from edge.status import SOURCE_STATES, BudgetStatus
from edge.supervisor import Supervisor, Task
from edge.telemetry import Telemetry
from edge.vitals_collector import VitalsCollector
from tests.fakes import frame
from tests.stage import Stage
from tests.wire import eventually

HAAR = DetectorConfig(name="haar")


def lines(collector: StatusCollector | VitalsCollector) -> list[str]:
    registry = CollectorRegistry()
    registry.register(collector)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_each_worker_has_its_silence_and_all_have_one_verdict():
    silent_s = {"infer": 21.5, "present": 0.1}
    assert lines(VitalsCollector(lambda: (False, "why"), lambda: silent_s, lambda: 4.0, lambda: 7)) == [
        "emotion_edge_alive 0.0",
        'emotion_edge_worker_silent_seconds{worker="infer"} 21.5',
        'emotion_edge_worker_silent_seconds{worker="present"} 0.1',
        "emotion_edge_source_silent_seconds 4.0",
        "emotion_edge_memory_limit_bytes 7.0",
    ]


def test_what_is_unknown_is_left_out():
    found = lines(VitalsCollector(lambda: (True, "fine"), lambda: {}, lambda: None, lambda: None))
    assert found == ["emotion_edge_alive 1.0"]


def test_the_source_is_in_exactly_one_state_and_every_state_is_known():
    stage = Stage()
    for state in SOURCE_STATES:
        stage.source = replace(stage.source, state=state)
        told = lines(StatusCollector(stage.status, Telemetry(lambda: 0, live=True)))
        found = [line for line in told if line.startswith("emotion_edge_source_state{")]
        assert len(found) == len(SOURCE_STATES)
        on = [line for line in found if line.endswith(" 1.0")]
        assert on == [f'emotion_edge_source_state{{state="{state}"}} 1.0']


def test_what_the_firmware_says_and_what_may_be_spent_are_told():
    stage = Stage()
    budget = BudgetStatus(0, 1, 1, 0, None, None, None, ("throttled",), {}, (), 250.0, 0.0, 80.0)
    found = lines(StatusCollector(lambda: replace(stage.status(), budget=budget), Telemetry(lambda: 0, live=True)))
    assert 'emotion_edge_throttled{flag="throttled"} 1.0' in found
    assert 'emotion_edge_throttled{flag="under-voltage"} 0.0' in found
    assert "emotion_edge_latency_limit_seconds 0.25" in found
    assert "emotion_edge_temperature_limit_celsius 80.0" in found
    assert not [line for line in found if "cpu_limit" in line], "0 is no limit"


def test_the_budget_that_is_kept_to_is_the_one_of_the_settings():
    budget = App(Config(source=SourceConfig(uri="demo:"), detector=HAAR)).status().budget
    assert budget is not None
    assert (budget.max_latency_ms, budget.max_cpu_share, budget.max_temperature_c) == (250.0, 0.0, 80.0)


def test_the_silence_of_the_source_is_counted_from_the_newest_frame():
    app = App(Config(source=SourceConfig(uri="demo:"), detector=HAAR))
    before = app._source_silent_s()
    assert before is not None, "since the start, before the first"
    app.capture.grabbed(frame(1, t_ns=time.monotonic_ns() - 30_000_000_000))
    app.capture.retrying(TemporaryError("the camera is gone"), 1.0)
    silent_s = app._source_silent_s()
    assert silent_s is not None
    assert 30.0 <= silent_s < before + 30.0 + 60.0
    app.capture.grabbed(frame(2, t_ns=time.monotonic_ns()))
    assert (app._source_silent_s() or 99.0) < silent_s


def test_frames_on_the_medias_clock_have_no_silence():
    assert App(Config(source=SourceConfig(uri="demo:?realtime=0"), detector=HAAR))._source_silent_s() is None


def test_a_worker_that_hangs_grows_silent():
    supervisor = Supervisor([Task("infer", lambda control: None)], ())
    first = supervisor.silent_s
    assert set(first) == {"infer"}
    eventually(lambda: supervisor.silent_s["infer"] > first["infer"], "the silence grows")
