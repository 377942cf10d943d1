"""What Prometheus reads."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from edge.classifier import SHIPPED
from edge.config import ExpressionConfig
from edge.metrics import ModelCollector, StatusCollector, build_registry
from edge.model_store import fingerprints
from edge.parts import model_files
from edge.server.clients import Clients
from edge.server.clients_collector import ClientsCollector
from edge.telemetry import Telemetry
from edge.vitals_collector import VitalsCollector
from tests.stage import Stage, make_track
from tests.tools import require_tool


class Told:
    """What aggregates tell; None: scenes are told too."""

    seconds: dict[str, float] | None = None


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def telemetry(stage: Stage) -> Telemetry:
    telemetry = Telemetry(lambda: 5_000_000_000, live=True)
    for _ in range(3):
        telemetry.analysed(stage.step())
    telemetry.presented(1_000_000, 2_000_000)
    telemetry.skipped("busy", 3)
    return telemetry


def collectors(stage: Stage, telemetry: Telemetry, told: Told | None = None) -> list[Collector]:
    aggregated = told or Told()
    return [
        StatusCollector(stage.status, telemetry, lambda: aggregated.seconds),
        ModelCollector(fingerprints(model_files(ExpressionConfig()))),
        ClientsCollector(Clients()),
        VitalsCollector(lambda: (True, ""), lambda: {"infer": 0.1}, lambda: 0.1, lambda: 2**30),
    ]


def exported(stage: Stage, telemetry: Telemetry, told: Told | None = None) -> str:
    return generate_latest(build_registry(collectors(stage, telemetry, told))).decode()


def families(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_it_is_what_prometheus_parses_and_each_metric_says_what_it_is(stage: Stage, telemetry: Telemetry):
    found = families(exported(stage, telemetry))
    assert len(found) > 25
    for name, family in found.items():
        assert re.fullmatch("emotion_edge_[a-z_]+|process_[a-z_]+|python_info", name)
        assert family.documentation
        assert family.type in ("counter", "gauge", "histogram", "info")
        for sample in family.samples:
            assert (family.type == "counter") == sample.name.endswith("_total"), sample.name
            assert not set(sample.labels) & {"track", "face", "id", "address", "client"}


def test_everything_worth_watching_is_there(stage: Stage, telemetry: Telemetry):
    found = families(exported(stage, telemetry))
    wanted = {
        "emotion_edge_stage_seconds": "histogram",
        "emotion_edge_frame_age_seconds": "histogram",
        "emotion_edge_delivery_age_seconds": "histogram",
        "emotion_edge_skipped_frames": "counter",
        "emotion_edge_faces": "gauge",
        "emotion_edge_faces_followed": "counter",
        "emotion_edge_label_seconds": "counter",
        "emotion_edge_clients": "gauge",
        "emotion_edge_source_reconnects": "counter",
        "emotion_edge_source_state": "gauge",
        "emotion_edge_alive": "gauge",
        "emotion_edge_uptime_seconds": "gauge",
        "emotion_edge_worker_silent_seconds": "gauge",
        "emotion_edge_memory_limit_bytes": "gauge",
        "emotion_edge_build_info": "gauge",
        "emotion_edge_model_info": "gauge",
        "python_info": "gauge",
    }
    assert {name: found[name].type for name in wanted} == wanted


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_process_has_its_usual_figures(stage: Stage, telemetry: Telemetry):
    found = families(exported(stage, telemetry))
    values = {name: found[name].samples[0].value for name in found if name.startswith("process_")}
    assert values["process_resident_memory_bytes"] > 10e6
    assert 0 < values["process_cpu_seconds"] < 1e5
    assert 0 < values["process_open_fds"] < values["process_max_fds"]
    assert values["process_threads"] == len(os.listdir("/proc/self/task"))  # noqa: PTH208
    assert values["process_start_time_seconds"] > 1.7e9


def test_the_model_is_known_by_its_content(stage: Stage, telemetry: Telemetry):
    (sample,) = families(exported(stage, telemetry))["emotion_edge_model_info"].samples
    assert sample.labels == {"file": SHIPPED.name, "sha256": hashlib.sha256(SHIPPED.read_bytes()).hexdigest()}


def test_each_of_several_models_is_named(tmp_path: Path):
    settings = ExpressionConfig(model=("shipped", str(tmp_path / "mine.tflite")), still_model="shipped")
    assert [path.name for path in model_files(settings)] == [SHIPPED.name, "mine.tflite"]
    assert model_files(settings, stills=True) == (SHIPPED,)


def label_seconds(stage: Stage, collector: Collector) -> dict[str, float]:
    (family,) = [found for found in collector.collect() if found.name == "emotion_edge_label_seconds"]
    assert isinstance(family, CounterMetricFamily)
    return {sample.labels["label"]: sample.value for sample in family.samples}


def test_while_only_aggregates_may_be_told_the_newest_expression_is_not_in_the_figures(stage: Stage):
    telemetry, told = Telemetry(lambda: 0, live=True), Told()
    collector = collectors(stage, telemetry, told)[0]
    for _ in range(3):
        telemetry.analysed(stage.step())
    before = label_seconds(stage, collector)
    assert sum(before.values()) > 0
    told.seconds = {}
    for _ in range(3):
        telemetry.analysed(stage.step())
        assert label_seconds(stage, collector) == before, "counters stay, and tell nothing new"
    told.seconds = {"uncertain": 2.5, "fear": 1.0}
    after = label_seconds(stage, collector)
    assert after["uncertain"] == before["uncertain"] + 2.5
    assert after["fear"] == before.get("fear", 0.0) + 1.0
    assert make_track(2, 1).label == "uncertain"


def test_promtool_finds_nothing_to_complain_of(stage: Stage, telemetry: Telemetry):
    promtool = require_tool("promtool", "apt-get install -y --no-install-recommends prometheus")
    text = exported(stage, telemetry)
    result = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
