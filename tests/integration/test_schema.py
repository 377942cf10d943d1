"""One schema for all results: what is told live, logged, and found off-line."""

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from edge.app import App
from edge.config import Config, DetectorConfig, EventsConfig, PrivacyConfig, SourceConfig
from edge.events import AggregateEvent, FaceEvent, SceneEvent, schema
from edge.server.settings import ServerSettings
from tests.serving import serve
from tests.stage import Stage
from tests.wire import Wire, get


@pytest.fixture
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def logged(path: Path, uri: str, privacy: PrivacyConfig) -> list[dict[str, Any]]:
    """What a run of the program leaves in its event log."""
    config = Config(
        source=SourceConfig(uri=uri),
        detector=DetectorConfig(name="haar"),
        server=ServerSettings(port=0),
        privacy=privacy,
        events=EventsConfig(path=str(path), flush_s=0.0),
    )
    app = App(config)
    asyncio.run(app.supervisor.run(app.backstage, config.server, announce=lambda _: None))
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_it_is_a_schema_and_asks_for_every_field_that_records_have():
    found = schema()
    jsonschema.Draft202012Validator.check_schema(found)
    for struct in (SceneEvent, FaceEvent, AggregateEvent):
        assert found["$defs"][struct.__name__]["required"] == list(struct.__struct_fields__)


def test_it_is_served():
    with serve(Stage().backstage(), ServerSettings(port=0)) as served:
        status, headers, body = get(served.port, "/api/v1/schema.json")
    assert (status, headers["content-type"]) == (200, "application/schema+json")
    assert json.loads(body) == schema()


def test_what_is_told_live_is_as_it_says(validator: jsonschema.Draft202012Validator):
    stage = Stage()
    with serve(stage.backstage(), ServerSettings(port=0)) as served, Wire(served.port) as wire:
        wire.send("/events").read_headers()
        wire.read_event()
        stage.step()
        record = json.loads(wire.read_event()["data"])
    validator.validate(record)
    assert record["faces"]


@pytest.mark.parametrize(
    "uri", ["demo:?size=320x240&duration=2", "demo:?size=320x240&duration=2&realtime=0"], ids=["live", "in lockstep"]
)
def test_what_is_logged_is_as_it_says(validator: jsonschema.Draft202012Validator, tmp_path: Path, uri: str):
    records = logged(tmp_path / "events.jsonl", uri, PrivacyConfig())
    assert records
    for record in records:
        validator.validate(record)
        assert msgspec.json.decode(msgspec.json.encode(record), type=SceneEvent).faces


def test_aggregates_are_too(validator: jsonschema.Draft202012Validator, tmp_path: Path):
    privacy = PrivacyConfig(events="aggregate", aggregate_s=1.0)
    records = logged(tmp_path / "events.jsonl", "demo:?size=320x240&duration=4&realtime=0", privacy)
    assert len(records) >= 2
    for record in records:
        validator.validate(record)
        assert record["kind"] == "aggregate"


def test_what_is_no_record_is_refused(validator: jsonschema.Draft202012Validator):
    record = msgspec.to_builtins(AggregateEvent(None, None, 0.0, 1.0, "x", 1, 0, 0.0, 0, {}))
    validator.validate(record)
    for broken in (
        {**record, "schema": 2},
        {**record, "kind": "scene"},
        {**record, "scenes": "one"},
        {key: value for key, value in record.items() if key != "most_faces"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(broken)
