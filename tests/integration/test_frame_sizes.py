"""Pictures of all sizes and formats, upright and on their side, through detector, tracker and classifier."""

import asyncio
from functools import cache

import cv2
import numpy as np
import pytest

from edge import model_store
from edge.app import App
from edge.config import Config, DetectorConfig, SourceConfig
from edge.detectors.blazeface import VARIANTS
from edge.parts import DOUBT, build_classifier, build_detector, build_pipeline
from edge.pipeline import Pipeline
from edge.server.settings import ServerSettings
from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec
from edge.sources.turned import turned
from edge.types import Box, Frame, PixelFormat, Pixels, Scene
from tests.fakes import FakeSource
from tests.world import World

T_S = 2.0


@cache
def demo(size: str, faces: int) -> DemoSource:
    world = World()
    return DemoSource(DemoSpec(size=size, faces=faces, realtime=False), world.clock, world.sleep)


def picture(width: int, height: int) -> Pixels:
    """A drawn face of two fifths of the width or height, whichever is less, a little beside the middle."""
    drawn = demo("640x480", 1).draw(T_S)
    (face,) = demo("640x480", 1).script.at(T_S)
    x, y, side = face.box.x * 640, face.box.y * 480, face.box.w * 640
    left, top = max(round(x - 0.5 * side), 0), max(round(y - 0.4 * side), 0)
    head = drawn[top : top + round(2 * side), left : left + round(2 * side)]
    scale = 0.8 * min(width, height) / max(head.shape[:2])
    head = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    wall = np.full((height, width, 3), drawn[2, 2], np.uint8)
    below, beside = (height - head.shape[0]) // 2, (width - head.shape[1]) // 3
    wall[below : below + head.shape[0], beside : beside + head.shape[1]] = head
    return wall


def frame_of(bgr: Pixels, picture_format: PixelFormat) -> Frame:
    conversions = {PixelFormat.I420: cv2.COLOR_BGR2YUV_I420, PixelFormat.GREY: cv2.COLOR_BGR2GRAY}
    pixels = bgr if picture_format is PixelFormat.BGR else cv2.cvtColor(bgr, conversions[picture_format])
    return Frame(1, 0, pixels.copy(), picture_format)


def pipeline() -> Pipeline:
    if model_store.find(VARIANTS["blazeface-full"].file) is None:
        pytest.skip("the face detectors are not here: emotion-edge models fetch")
    config = Config()
    detector, _ = build_detector(config.detector, doubt=DOUBT)
    classifier, _ = build_classifier(config.expression)
    return build_pipeline(config, detector, classifier)


def boxes(scene: Scene) -> list[Box]:
    return sorted((track.box for track in scene.tracks), key=lambda box: box.x)


@pytest.mark.parametrize("picture_format", list(PixelFormat))
@pytest.mark.parametrize(
    ("width", "height"),
    [(160, 120), (120, 160), (320, 240), (640, 480), (480, 640), (1280, 720), (1080, 1920), (3840, 2160)],
)
def test_a_face_is_found_and_read_at_every_size(width: int, height: int, picture_format: PixelFormat):
    steps = pipeline()
    frame = frame_of(picture(width, height), picture_format)
    scenes = [steps.step(Frame(seq, seq * 40_000_000, frame.pixels, picture_format)) for seq in range(1, 5)]
    # a face of which the first look was not sure is shown after a closer one
    (track,) = scenes[-1].tracks
    assert track.scores is not None
    assert 0.2 < track.box.w * width / min(width, height) < 0.8


@pytest.mark.parametrize("picture_format", list(PixelFormat))
@pytest.mark.parametrize(("width", "height"), [(3840, 40), (40, 3840), (2, 2), (16, 12)])
def test_odd_shapes_do_no_harm(width: int, height: int, picture_format: PixelFormat):
    steps = pipeline()
    pixels = frame_of(picture(width, height), picture_format).pixels
    for seq in range(1, 9):
        assert steps.step(Frame(seq, seq * 40_000_000, pixels, picture_format)).frame.seq == seq


def test_a_picture_turned_on_its_side_and_back_has_the_same_faces():
    upright = [Frame(1, 0, demo("640x480", 3).draw(T_S))]
    sideways = turned(FakeSource(upright), 90, mirror=False)
    back = turned(sideways, 270, mirror=False).read(1.0)
    expected = pipeline().step(upright[0])
    assert len(expected.tracks) >= 2
    assert boxes(pipeline().step(back)) == boxes(expected)
    side = turned(FakeSource(upright), 90, mirror=False).read(1.0)
    assert (side.width, side.height) == (480, 640)
    assert boxes(pipeline().step(side)) != boxes(expected), "the detector was asked about the turned picture"


def test_the_mirror_image_has_the_faces_on_the_other_side():
    upright = Frame(1, 0, demo("640x480", 3).draw(T_S))
    there = boxes(pipeline().step(upright))
    mirrored = boxes(pipeline().step(turned(FakeSource([upright]), 0, mirror=True).read(1.0)))
    assert len(mirrored) == len(there)
    for box, twin in zip(there, reversed(mirrored), strict=True):
        assert twin.x + twin.w / 2 == pytest.approx(1 - box.x - box.w / 2, abs=0.02)


def test_the_program_turns_what_the_settings_want_turned():
    source = SourceConfig(uri="demo:?size=640x480&duration=0.1&realtime=0", rotate=90, mirror=True)
    config = Config(source=source, detector=DetectorConfig(name="haar"), server=ServerSettings(port=0))
    app = App(config)
    asyncio.run(app.supervisor.run(app.backstage, config.server, announce=lambda _: None))
    shown = app.status().source
    assert (shown.width, shown.height) == (480, 640)
    assert shown.name == "demo 640×480, turned by 90°, mirrored"
    newest = app.backstage.scenes.newer(0)
    assert newest is not None
    assert newest[1].frame.bgr.shape == (640, 480, 3)
    # the third and last; turned by 90° and mirrored: rows and columns swapped
    np.testing.assert_array_equal(newest[1].frame.bgr, demo("640x480", 3).draw(2 / 30).transpose(1, 0, 2))


@pytest.mark.parametrize("picture_format", [PixelFormat.GREY, PixelFormat.I420])
def test_with_the_shipped_model_nobody_makes_bgr_while_nobody_watches(
    picture_format: PixelFormat, monkeypatch: pytest.MonkeyPatch
):
    def refuse(frame: Frame) -> Pixels:
        raise AssertionError(f"a BGR picture of {frame.width}×{frame.height} px was made")

    steps = pipeline()
    frames = [frame_of(demo("640x480", 3).draw(T_S + index / 30), picture_format).pixels for index in range(12)]
    monkeypatch.setattr(Frame, "bgr", property(refuse))
    scenes = [steps.step(Frame(seq, seq * 33_333_333, pixels, picture_format)) for seq, pixels in enumerate(frames, 1)]
    assert sum(scene.decision.detect for scene in scenes) >= 2
    assert any(scene.decision.search is not None and scene.decision.search.region for scene in scenes), "parts as well"
    assert all(track.scores is not None for track in scenes[-1].tracks)
    assert len(scenes[-1].tracks) >= 2
