"""What the MQTT sink makes of scenes, without a broker, and what it costs."""

import builtins
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from edge.config import PrivacyConfig
from edge.errors import ConfigError
from edge.events import AggregateEvent, SceneEvent, scene_event
from edge.sinks import mqtt
from edge.sinks.mqtt import MqttSink
from edge.sinks.mqtt_client import Connection
from edge.sinks.mqtt_failures import Refused
from edge.sinks.mqtt_settings import MqttSettings
from edge.types import Scene
from edge.worker import Backoff
from tests.stage import Stage
from tests.unit.test_mqtt_parts import scene, track
from tests.world import World

pytest.importorskip("paho.mqtt.client", reason="needs paho-mqtt: pip install -e '.[mqtt]'")
ROOT = Path(__file__).parents[2]


class Told:
    """A sink that is never started, and what it would tell.

    Attributes:
        aggregate: whether records of faces are held back, as the composition root does.
    """

    def __init__(self, **settings: object) -> None:
        self.world = World()
        self.aggregate = False
        stage = Stage()
        self.sink = MqttSink(
            MqttSettings(host="broker", **settings),  # type: ignore[arg-type]
            self._event,
            labels=("happy", "sad"),
            status=stage.status,
            source=lambda: stage.source,
            privacy=PrivacyConfig,
            clock=self.world.clock,
        )

    def _event(self, scene: Scene) -> SceneEvent | None:
        return None if self.aggregate else scene_event(scene, "camera", "2026-01-01T00:00:00.000Z")

    def records(self) -> list[SceneEvent]:
        """All that waits, taken out."""
        waiting = iter(lambda: self.sink._outbox.take(of_faces=True), None)
        return [msgspec.json.decode(told.payload, type=SceneEvent) for told in waiting]


def labels(records: list[SceneEvent]) -> list[list[str | None]]:
    return [[face.label for face in record.faces] for record in records]


def test_a_record_is_made_of_changes_and_not_of_frames():
    told = Told()
    for seq, faces in enumerate([(), (), (track(1, "happy"),), (track(1, "happy"),), (track(1, "sad"),), ()], 1):
        told.sink.emit(scene(*faces, seq=seq))
        told.world.pass_by(1.5)
    records = told.records()
    assert labels(records) == [["happy"], ["sad"], []]
    assert [record.seq for record in records] == [3, 5, 6]


def test_changes_that_come_too_soon_are_told_as_one_and_the_last_is_never_lost():
    told = Told(events_hz=2.0)
    for seq, label in enumerate(("happy", "sad", "happy", "sad"), 1):
        told.sink.emit(scene(track(1, label), seq=seq))
        told.world.pass_by(0.1)
    assert labels(told.records()) == [["happy"]]
    told.world.pass_by(0.2)
    told.sink.emit(scene(track(1, "sad"), seq=5))
    told.world.pass_by(1.0)
    told.sink.emit(scene(track(1, "sad"), seq=6))
    assert labels(told.records()) == [["sad"]]


def test_with_aggregates_only_no_record_of_a_scene_is_made_but_aggregates_are():
    told = Told()
    told.aggregate = True
    for seq, label in enumerate(("happy", "sad", "happy"), 1):
        told.sink.emit(scene(track(1, label), seq=seq))
        told.world.pass_by(2.0)
    assert told.sink.status().waiting == 0
    told.sink.write(AggregateEvent("a", "b", None, 60.0, "camera", 9, 9, 1.0, 1, {"happy": 9.0}))
    aggregate = told.sink._outbox.take(of_faces=False)
    assert aggregate is not None
    assert msgspec.json.decode(aggregate.payload)["kind"] == "aggregate"


def test_no_records_are_made_if_none_are_wanted():
    told = Told(events_hz=0.0)
    told.sink.emit(scene(track(1, "happy")))
    told.sink.write(AggregateEvent("a", "b", None, 60.0, "camera", 9, 9, 1.0, 1, {}))
    assert told.sink.status().waiting == 0


def test_while_there_is_no_broker_the_oldest_records_are_dropped_and_counted(caplog):
    told = Told(buffer=3)
    for seq in range(1, 9):
        told.sink.emit(scene(track(seq, "happy"), seq=seq))
        told.world.pass_by(1.0)
    assert told.sink.status().waiting == 3
    assert told.sink.status().dropped == 5
    assert [record.seq for record in told.records()] == [6, 7, 8]
    assert "the oldest go" in caplog.text


def test_what_a_person_has_to_mend_is_tried_again_after_its_own_wait_and_no_longer_one(monkeypatch):
    sink = Told().sink
    in_a_row: list[int] = []

    def refused(*_: object) -> bool:
        raise Refused("the password is wrong")

    def counted(_: Backoff, failures: int, __: float) -> float:
        in_a_row.append(failures)
        if len(in_a_row) == 5:
            sink._worker.stop()
        return 0.0

    monkeypatch.setattr(mqtt, "REFUSED_S", 0.0)
    monkeypatch.setattr(Connection, "open", refused)
    monkeypatch.setattr(Backoff, "wait_s", counted)
    sink._worker._run()
    assert in_a_row == [1] * 5, "the further wait is the shortest, each time"
    assert sink.status().reason == "the password is wrong"


def test_who_connects_is_told_as_whom_and_where():
    told = Told(username="kitchen", device="raspberrypi")
    assert told.sink._welcome().endswith("broker:1883 as 'kitchen'; topics begin with emotion_edge/raspberrypi/")


def test_a_sink_that_was_never_started_can_be_closed():
    Told().sink.close()


def test_without_the_extra_its_name_is_told(monkeypatch):
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.startswith("paho"):
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'emotion-edge\[mqtt\]'"):
        Told()


def test_an_authority_that_cannot_be_read_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        Told(tls=True, ca=str(tmp_path / "none.pem"))
    (tmp_path / "text.pem").write_text("this is no certificate")
    with pytest.raises(ConfigError, match="holds no certificate"):
        Told(tls=True, ca=str(tmp_path / "text.pem"))


def test_who_has_no_broker_loads_nothing_of_it():
    code = (
        "import sys, edge.app, edge.cli, edge.supervisor;"
        "print([name for name in sys.modules if name.startswith('paho') or name == 'edge.sinks.mqtt'])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"
