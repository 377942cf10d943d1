import sys
import threading
import types
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

from edge.errors import ConfigError, TemporaryError
from edge.ports import FrameSource
from edge.sources import newest
from edge.sources.choosing import choose
from edge.sources.opening import open_source
from edge.sources.picamera2 import cameras, without_padding
from edge.types import PixelFormat, Pixels

BLUE_I420 = cv2.cvtColor(np.full((8, 12, 3), (220, 30, 20), np.uint8), cv2.COLOR_BGR2YUV_I420)


def with_padding(picture: Pixels, stride: int) -> Pixels:
    """As libcamera lays it out: every row padded, chroma rows half as long."""
    rows, width = picture.shape
    height = rows * 2 // 3
    luma = np.full((height, stride), 77, np.uint8)
    luma[:, :width] = picture[:height]
    chroma = np.full((height, stride // 2), 77, np.uint8)
    chroma[:, : width // 2] = picture[height:].reshape(height, width // 2)
    return np.concatenate([luma.reshape(-1), chroma.reshape(-1)]).reshape(rows, stride)


class FakePicamera2:
    """What the adapter uses of Picamera2."""

    connected: ClassVar[list[dict[str, Any]]] = []
    opened: ClassVar[list["FakePicamera2"]] = []
    fault: ClassVar[Exception | None] = None
    stride: ClassVar[int] = 12

    def __init__(self, number: int) -> None:
        if self.fault:
            raise self.fault
        self.info = self.connected[number]
        self.calls: list[str] = []
        self.hangs = threading.Event()
        self.released = threading.Event()
        self.config: dict[str, Any] = {}
        self.opened.append(self)

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        return cls.connected

    def create_video_configuration(self, **config: Any) -> dict[str, Any]:
        return config

    def configure(self, config: dict[str, Any]) -> None:
        self.config = config

    def camera_configuration(self) -> dict[str, Any]:
        return {"main": {"size": (12, 8), "format": "YUV420", "stride": self.stride}}

    def start(self) -> None:
        self.calls.append("start")

    def capture_array(self, name: str) -> Pixels:
        assert name == "main"
        if self.hangs.is_set():
            self.released.wait(30)
        return with_padding(BLUE_I420, self.stride)

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> type[FakePicamera2]:
    class Library(FakePicamera2):
        connected: ClassVar[list[dict[str, Any]]] = [{"Num": 0, "Id": "/base/soc/i2c0mux/imx708@1a"}]
        opened: ClassVar[list[FakePicamera2]] = []

    module = types.ModuleType("picamera2")
    module.Picamera2 = Library  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    return Library


@pytest.mark.parametrize("stride", [12, 16, 64])
def test_frames_come_as_i420_without_padding(library: type[FakePicamera2], stride: int) -> None:
    library.stride = stride
    source = open_source("picamera2:0?size=640x480&fps=25")
    frame = source.read(5.0)
    assert frame.format is PixelFormat.I420
    assert (frame.width, frame.height) == (12, 8)
    assert np.array_equal(frame.pixels, BLUE_I420)
    assert source.name == "picamera2:0 12×8"
    source.close()
    (camera,) = library.opened
    assert camera.config["main"] == {"size": (640, 480), "format": "YUV420"}
    assert camera.config["controls"] == {"FrameRate": 25.0}
    assert camera.calls == ["start", "stop", "close"]


@pytest.mark.parametrize(("width", "height", "stride"), [(6, 6, 8), (6, 10, 64), (640, 480, 704), (4, 2, 32)])
def test_padding_is_cut_from_luma_and_from_both_chroma_planes(width: int, height: int, stride: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (height * 3 // 2, width), np.uint8)
    assert np.array_equal(without_padding(with_padding(picture, stride), width, height), picture)


def test_a_camera_that_stops_delivering_hangs_nobody(
    library: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest, "CLOSE_S", 0.05)
    source = open_source("picamera2:0")
    (camera,) = library.opened
    camera.hangs.set()
    source.read(5.0)  # the first picture; one more may have been under way
    with pytest.raises(TemporaryError, match="ribbon cable"):
        drain(source)
    source.close()
    assert "close" not in camera.calls
    camera.released.set()


def drain(source: FrameSource) -> None:
    for _ in range(100_000):
        source.read(0.05)


def test_no_such_camera(library: type[FakePicamera2]) -> None:
    with pytest.raises(TemporaryError, match=r"picamera2:1: libcamera sees no camera with this number.*rpicam-hello"):
        open_source("picamera2:1")


def test_a_busy_camera(library: type[FakePicamera2]) -> None:
    library.fault = RuntimeError("Camera __init__ sequence did not complete.")
    with pytest.raises(TemporaryError, match="another program using it"):
        open_source("picamera2:0")


def test_without_the_library_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(ConfigError, match=r"apt install python3-picamera2.*--system-site-packages"):
        open_source("picamera2:0")


def test_usb_cameras_are_left_to_v4l2(library: type[FakePicamera2]) -> None:
    library.connected = [
        {"Num": 0, "Id": "/base/scb/pcie@7d500000/pci@0,0/usb@0,0-1.3:1.0-046d:0825"},
        {"Num": 1, "Id": "/base/soc/i2c0mux/i2c@1/imx219@10"},
    ]
    assert cameras() == (1,)
    assert choose(candidates=lambda: iter(())).uri == "picamera2:1"
