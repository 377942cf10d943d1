"""A device that tells a broker what a made-up camera sees."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from edge.config import PrivacyConfig
from edge.contract.labels import FER2013_LABELS
from edge.events import SceneEvent
from edge.sinks.mqtt import MqttSink
from edge.sinks.mqtt_settings import MqttSettings
from edge.sinks.mqtt_topics import Addresses
from edge.status import Status
from edge.types import Scene
from edge.worker import Backoff
from tests.stage import Stage
from tests.wire import eventually

QUICK = Backoff(first_s=0.05, cap_s=0.2)


class Device:
    """The sink, with its thread at work.

    Attributes:
        sink: that is tested.
        stage: makes the scenes.
        privacy: what may be told.
        addresses: where pages are.
    """

    def __init__(self, port: int, **settings: Any) -> None:
        self.stage = Stage(faces=1)
        self.privacy = PrivacyConfig()
        self.addresses = Addresses()
        given = {"host": "127.0.0.1", "port": port, "device": "kitchen", "events_hz": 100.0, **settings}
        self.sink = MqttSink(
            MqttSettings(**given),
            self._event,
            labels=FER2013_LABELS,
            status=self._status,
            source=lambda: self.stage.source,
            privacy=lambda: self.privacy,
            backoff=QUICK,
        )

    def _status(self) -> Status:
        return replace(self.stage.status(), mqtt=self.sink.status())

    def _event(self, scene: Scene) -> SceneEvent | None:
        return None if self.privacy.events == "aggregate" else self.stage.event(scene)

    def see(self, faces: int) -> int:
        """Let the camera see so many happy faces once; gives the number of the frame."""
        self.stage.faces = faces
        scene = self.stage.step()
        tracks = tuple(replace(track, label="happy", confidence=0.9) for track in scene.tracks)
        self.sink.emit(replace(scene, tracks=tracks))
        return scene.frame.seq

    def see_changes(self, count: int) -> list[int]:
        """Let somebody come and go; the numbers of the frames."""
        seen = []
        for _ in range(count):
            time.sleep(0.011)  # records are made at most 100 times a second
            seen.append(self.see(2 if self.stage.faces == 1 else 1))
        return seen

    def wait_until_connected(self) -> None:
        eventually(lambda: self.sink.status().connected, "the device is connected")

    def wait_for_reason(self, *words: str) -> str:
        """Why it is not, once that is told in these words."""
        eventually(
            lambda: all(word in self.sink.status().reason for word in words),
            f"{words} are told; it is {self.sink.status().reason}",
        )
        return self.sink.status().reason


@contextmanager
def device(port: int, **settings: Any) -> Iterator[Device]:
    """A device at work; it has seen one face when it begins."""
    made = Device(port, **settings)
    made.see(1)
    made.sink.start(lambda: made.addresses)
    try:
        yield made
    finally:
        made.sink.close()
