"""What the assembled program says about itself."""

from edge.app import App
from edge.config import Config, DetectorConfig, SourceConfig
from edge.errors import TemporaryError
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
