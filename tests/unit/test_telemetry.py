"""The figures."""

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry, generate_latest

from edge.metrics import StatusCollector
from edge.status import BudgetStatus, SourceStatus, Status
from edge.telemetry import COUNTED_AT_ONCE, WINDOW_S, Telemetry
from edge.types import Box, Decision, JpegPacket, Scene, Track
from tests.fakes import frame

S = 1_000_000_000


class Now:
    """A clock set by hand."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


def scene(seq: int, t_ns: int, label: str | None = "happy", reason: str = "roi") -> Scene:
    tracks = () if label is None else (Track(1, Box(0, 0, 1, 1), 0.9, None, 2, 0, 1, 0, label=label),)
    return Scene(frame(seq, t_ns=t_ns), tracks, (), Decision(False, reason), {"detect": 2_000_000})


@pytest.fixture
def now() -> Now:
    return Now()


def test_fps_and_latency_are_those_of_the_last_seconds(now: Now):
    telemetry = Telemetry(now, live=True)
    for seq in range(100):
        now.ns = seq * S // 20
        telemetry.analysed(scene(seq, now.ns - 10_000_000))
    assert telemetry.fps == pytest.approx(20)
    assert telemetry.latency_ms is not None
    assert telemetry.latency_ms.p50 == 10.0
    assert telemetry.stages_ms["detect"].p95 == 2.0
    now.ns += int((WINDOW_S + 1) * S)
    assert telemetry.fps == 0
    assert telemetry.latency_ms is None
    assert telemetry.stages_ms == {}


def test_media_analysed_off_line_has_no_latency(now: Now):
    telemetry = Telemetry(now, live=False)
    telemetry.analysed(scene(1, 5 * S))
    assert telemetry.latency_ms is None


def test_decisions_skips_and_expressions_are_counted(now: Now):
    telemetry = Telemetry(now, live=True)
    for seq, (label, reason) in enumerate([("happy", "first"), ("happy", "roi"), ("sad", "roi"), (None, "idle")]):
        telemetry.analysed(scene(seq, seq * S // 2, label, reason))
    telemetry.skipped("busy", 3)
    telemetry.presented(1, 2)
    assert telemetry.decisions == {"first": 1, "roi": 2, "idle": 1}
    assert telemetry.skipped_frames == {"busy": 3}
    assert telemetry.label_seconds == {"happy": 0.5, "sad": 0.5}
    assert (telemetry.scenes, telemetry.scenes_with_faces, telemetry.encoded) == (4, 3, 1)


def test_the_time_of_an_outage_is_nobodys_expression(now: Now):
    telemetry = Telemetry(now, live=True)
    telemetry.analysed(scene(1, 0))
    new_face = scene(2, 3600 * S)
    track = replace(new_face.tracks[0], age=1)
    telemetry.analysed(replace(new_face, tracks=(track,)))
    assert sum(telemetry.label_seconds.values()) == 0


def test_the_age_of_a_picture_counts_when_a_client_has_it_and_a_notice_has_none(now: Now):
    telemetry = Telemetry(now, live=True)
    assert telemetry.delivery_ms is None
    now.ns = 10 * S
    telemetry.delivered(JpegPacket(1, 10 * S - 40_000_000, b"", 64, 48))
    telemetry.delivered(JpegPacket(1, 10 * S, b"", 64, 48, notice=True))
    assert telemetry.delivery_ms is not None
    assert telemetry.delivery_ms.p50 == 40.0
    text = metrics_of(some_status(), telemetry)
    assert "emotion_edge_delivery_age_seconds_count 1.0" in text
    assert 'emotion_edge_delivery_age_seconds_bucket{le="0.05"} 1.0' in text
    film = Telemetry(now, live=False)
    film.delivered(JpegPacket(1, 0, b"", 64, 48))
    assert film.delivery_ms is None


def test_each_face_counts_once_however_long_it_stays(now: Now):
    telemetry = Telemetry(now, live=True)
    first = scene(1, 0)
    second = replace(first.tracks[0], id=2)
    telemetry.analysed(first)
    telemetry.analysed(replace(first, tracks=(first.tracks[0], second)))
    telemetry.analysed(replace(first, tracks=(second,)))
    telemetry.analysed(replace(first, tracks=()))
    assert telemetry.faces == 2


def some_status(budget: BudgetStatus | None = None) -> Status:
    return Status(
        version="1",
        uptime_s=1,
        source=SourceStatus("cam", "online", "asked for", 640, 480, 7, 2),
        detector="d",
        model="m",
        runtime="r",
        labels=("happy",),
        threshold=0.4,
        fps=20,
        faces=1,
        latency_ms=None,
        stages_ms={},
        skipped={"busy": 3},
        decisions={"roi": 1},
        viewers=2,
        encoded=5,
        budget=budget,
    )


def metrics_of(status: Status, telemetry: Telemetry) -> str:
    registry = CollectorRegistry()
    registry.register(StatusCollector(lambda: status, telemetry))
    return generate_latest(registry).decode()


def test_the_budgets_figures_are_metrics_where_there_is_one(now: Now):
    telemetry = Telemetry(now, live=True)
    counts = {"latency": 2, "recovered": 1}
    text = metrics_of(some_status(BudgetStatus(3, 8, 4, 15, 31.0, 0.42, 71.5, (), counts, ())), telemetry)
    for line in (
        "emotion_edge_effort_level 3.0",
        "emotion_edge_temperature_celsius 71.5",
        "emotion_edge_cpu_share 0.42",
        'emotion_edge_budget_changes_total{reason="latency"} 2.0',
        'emotion_edge_budget_changes_total{reason="recovered"} 1.0',
    ):
        assert line in text
    unknown = metrics_of(some_status(BudgetStatus(0, 1, 1, 0, None, None, None, (), {}, ())), telemetry)
    assert "emotion_edge_effort_level 0.0" in unknown
    assert "emotion_edge_temperature_celsius" not in unknown
    assert "emotion_edge_effort_level" not in metrics_of(some_status(), telemetry)


def test_metrics_have_base_units_and_no_track_ids(now: Now):
    telemetry = Telemetry(now, live=True)
    telemetry.analysed(scene(1, 0))
    text = metrics_of(some_status(), telemetry)
    for line in (
        'emotion_edge_build_info{detector="d",model="m",runtime="r",version="1"} 1.0',
        "emotion_edge_frames_total 7.0",
        "emotion_edge_source_reconnects_total 2.0",
        'emotion_edge_skipped_frames_total{reason="busy"} 3.0',
        "emotion_edge_viewers 2.0",
        'emotion_edge_stage_seconds_sum{stage="detect"} 0.002',
        'emotion_edge_stage_seconds_bucket{le="0.001",stage="detect"} 0.0',
        'emotion_edge_stage_seconds_bucket{le="0.002",stage="detect"} 1.0',
        'emotion_edge_stage_seconds_bucket{le="+Inf",stage="detect"} 1.0',
        'emotion_edge_stage_seconds_count{stage="detect"} 1.0',
        "emotion_edge_frame_age_seconds_count 1.0",
        "emotion_edge_source_online 1.0",
    ):
        assert line in text
    assert "track" not in text


def test_every_time_is_counted_once_whenever_it_is_asked_for(now: Now):
    telemetry = Telemetry(now, live=True)
    for seq in range(COUNTED_AT_ONCE + 10):
        telemetry.analysed(scene(seq, 0))
        if seq in (3, COUNTED_AT_ONCE):
            metrics_of(some_status(), telemetry)
    telemetry.presented(1_000_000, 3_000_000)
    text = metrics_of(some_status(), telemetry)
    assert f'emotion_edge_stage_seconds_count{{stage="detect"}} {COUNTED_AT_ONCE + 10}.0' in text
    assert 'emotion_edge_stage_seconds_sum{stage="encode"} 0.003' in text
    assert telemetry.stages_ms["draw"].p50 == 1.0
