import logging
from collections.abc import Iterator

import cv2
import pytest

from edge.sources import refused
from edge.sources.refused import tell_refused
from edge.sources.specs import V4l2Spec
from edge.sources.v4l2_modes import Mode
from edge.sources.v4l2_settings import best_format, settle

W, H, FPS, CODE = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS, cv2.CAP_PROP_FOURCC
AUTO, EXPOSURE, BUFFERS = cv2.CAP_PROP_AUTO_EXPOSURE, cv2.CAP_PROP_EXPOSURE, cv2.CAP_PROP_BUFFERSIZE
WEBCAM = (
    Mode("YUYV", 640, 480, (30.0, 15.0)),
    Mode("YUYV", 1280, 720, (10.0,)),
    Mode("MJPG", 640, 480, (60.0, 30.0)),
    Mode("MJPG", 1280, 720, (30.0,)),
)


class Camera:
    """Takes what is asked for, but for what its driver fixes."""

    def __init__(self, fixed: dict[int, float] | None = None) -> None:
        self.fixed = fixed or {}
        self.values: dict[int, float] = {}
        self.order: list[int] = []

    def set(self, propId: int, value: float) -> bool:
        self.order.append(propId)
        self.values[propId] = value
        return True

    def get(self, propId: int) -> float:
        return self.fixed.get(propId, self.values.get(propId, -1.0))


def code(name: str) -> float:
    return float(cv2.VideoWriter.fourcc(*name))


def test_a_camera_that_does_as_asked_has_nothing_to_tell() -> None:
    camera = Camera({FPS: 29.97})
    assert settle(camera, V4l2Spec(size="1280x720", format="mjpg", exposure=10_000), "MJPG") == ""
    expected = {W: 1280, H: 720, FPS: 30.0, CODE: code("MJPG"), BUFFERS: 1, AUTO: 1, EXPOSURE: 100}
    assert camera.values == expected
    assert camera.order[0] == CODE, "the driver offers other sizes and rates for each format"


def test_a_mode_that_was_not_taken_is_told() -> None:
    camera = Camera({W: 640, H: 480, FPS: 15, CODE: code("YUYV")})
    said = settle(camera, V4l2Spec(size="1280x720", format="mjpg"), "MJPG")
    assert said == "asked for 1280x720 MJPG 30, got 640x480 YUYV 15"


@pytest.mark.parametrize(
    ("fixed", "said"),
    [
        ({W: 1920}, "asked for 640x480 30, got 1920x480 30"),
        ({FPS: 15}, "asked for 640x480 30, got 640x480 15"),
        ({FPS: 60}, ""),
        ({CODE: 0x47504A4D}, ""),
        ({W: 0, H: 0, FPS: 0, CODE: -1}, ""),
    ],
    ids=["another size", "slower", "faster", "any format will do", "nothing is known"],
)
def test_only_what_was_asked_for_can_be_missed(fixed: dict[int, float], said: str) -> None:
    assert settle(Camera(fixed), V4l2Spec(), None) == said


@pytest.mark.parametrize(
    ("exposure", "fixed", "said"),
    [
        (None, {}, ""),
        ("auto", {}, ""),
        ("auto", {AUTO: 0}, ""),
        ("auto", {AUTO: 1}, "asked for automatic exposure, which it does not have"),
        (10_000, {EXPOSURE: 156}, "asked for an exposure of 10000 µs, got 15600"),
        (10_000, {EXPOSURE: 0}, "asked for an exposure of 10000 µs, which it cannot set"),
        (60, {}, ""),
    ],
)
def test_exposure_is_set_and_read_back(exposure: int | None, fixed: dict[int, float], said: str) -> None:
    camera = Camera(fixed)
    assert settle(camera, V4l2Spec(exposure=exposure), None) == said
    assert (AUTO in camera.order) == (exposure is not None), "it is left alone unless asked for"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (V4l2Spec(), "YUYV"),
        (V4l2Spec(size="1280x720"), "MJPG"),
        (V4l2Spec(fps=60), "MJPG"),
        (V4l2Spec(size="1280x720", fps=10), "YUYV"),
        (V4l2Spec(size="1280x720", format="yuyv"), "YUYV"),
        (V4l2Spec(size="1920x1080"), None),
    ],
)
def test_no_picture_is_decoded_that_could_come_as_it_is(uri: V4l2Spec, expected: str | None) -> None:
    assert best_format(WEBCAM, uri) == expected
    assert best_format((), V4l2Spec()) is None


class Source:
    name = "v4l2:/dev/video0 640×480"
    live = True

    def read(self, timeout_s: float) -> None: ...
    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def nothing_said() -> Iterator[None]:
    refused._said.clear()
    yield
    refused._said.clear()


def test_what_was_refused_is_in_the_log_once_and_in_the_name_always(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            source = Source()
            tell_refused(source, ["asked for 30, got 15"])  # type: ignore[arg-type]
            assert source.name == "v4l2:/dev/video0 640×480, asked for 30, got 15"
        tell_refused(Source(), [])  # type: ignore[arg-type]
    assert len(caplog.records) == 1
    assert "emotion-edge sources" in caplog.text
