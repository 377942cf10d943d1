"""What the assembled program says about itself."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.app import App
from edge.config import BudgetConfig, Config, DetectorConfig, EventsConfig, SourceConfig
from edge.errors import TemporaryError
from edge.parts import build_pipeline
from edge.pipeline import Pipeline
from edge.server.settings import ServerSettings
from edge.types import Box, Decision, Scene, Track
from tests.fakes import frame


def scene(seq: int) -> Scene:
    track = Track(1, Box(0.3, 0.3, 0.2, 0.2), 0.9, None, 1, 0, seq, 0)
    return Scene(frame(seq), (track,), (), Decision(True, "interval"), {})


def test_a_face_from_before_an_outage_is_not_counted_as_there():
    app = App(Config(source=SourceConfig(uri="demo:"), detector=DetectorConfig(name="haar")))
    assert app.status().faces == 0
    app.capture.grabbed(frame(5))
    app.backstage.scenes.put(scene(5))
    assert app.status().faces == 1
    app.capture.retrying(TemporaryError("the camera is gone"), 1.0)
    assert app.status().faces == 0
    app.capture.grabbed(frame(6))  # back, and not analysed yet
    assert app.status().source.state == "online"
    assert app.status().faces == 0
    app.backstage.scenes.put(scene(6))
    assert app.status().faces == 1


def test_no_thread_that_logs_is_begun_before_the_last_model_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What it says would be caught as if a runtime had said it."""
    before, begun = set(threading.enumerate()), []

    def build(*args: Any, **settings: Any) -> Pipeline:
        begun.extend(set(threading.enumerate()) - before)
        return build_pipeline(*args, **settings)

    monkeypatch.setattr("edge.app.build_pipeline", build)
    events = EventsConfig(path=str(tmp_path / "events.jsonl"))
    app = App(Config(source=SourceConfig(uri="demo:"), detector=DetectorConfig(name="haar"), events=events))
    assert len(app._logs) == 1
    app._logs[0].close()
    assert begun == []


def test_a_live_source_has_a_budget_and_one_that_takes_its_time_has_none():
    haar = DetectorConfig(name="haar")
    live = App(Config(source=SourceConfig(uri="demo:"), detector=haar)).status().budget
    assert live is not None
    assert (live.level, live.search_every, live.changes) == (0, 1.0, ())
    lockstep = Config(source=SourceConfig(uri="demo:?realtime=0"), detector=haar)
    assert App(lockstep).status().budget is None
    fixed = Config(source=SourceConfig(uri="demo:"), detector=haar, budget=BudgetConfig(adapt=False))
    assert App(fixed).status().budget is None


def test_the_temperature_is_read_where_the_settings_say_and_shown_in_state(tmp_path: Path):
    zone = tmp_path / "class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "temp").write_text("85000\n")
    config = Config(
        source=SourceConfig(uri="demo:?duration=6"),
        detector=DetectorConfig(name="haar"),
        server=ServerSettings(port=0),
        budget=BudgetConfig(sysfs=str(tmp_path)),
    )
    app = App(config)
    asyncio.run(app.supervisor.run(app.backstage, config.server, announce=lambda _: None))
    budget = app.status().budget
    assert budget is not None
    assert budget.temperature_c == 85.0
    assert budget.level > 0
    assert budget.changes[0].reason == "temperature"
    assert b'"reason":"temperature"' in msgspec.json.encode(app.status())
