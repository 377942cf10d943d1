import os
import sys
import threading
import time
import types
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

from edge.errors import ConfigError, PermanentError, TemporaryError
from edge.ports import FrameSource
from edge.sources import newest
from edge.sources.choosing import choose
from edge.sources.opening import open_source
from edge.sources.picamera2 import cameras, from_nv12, without_padding
from edge.types import PixelFormat, Pixels, planes_of

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


def as_nv12(picture: Pixels) -> Pixels:
    """The same I420 picture with U and V in turn."""
    luma, u, v = planes_of(picture)
    return np.concatenate([luma, np.stack([u, v], axis=2).reshape(-1, picture.shape[1])])


class FakePicamera2:
    """What the adapter uses of Picamera2."""

    connected: ClassVar[list[dict[str, Any]]] = []
    opened: ClassVar[list["FakePicamera2"]] = []
    fault: ClassVar[Exception | None] = None
    stride: ClassVar[int] = 12
    format: ClassVar[str] = "YUV420"
    camera_controls: ClassVar[dict[str, Any]] = {"FrameDurationLimits": (), "AeEnable": (), "ExposureTime": ()}

    def __init__(self, number: int) -> None:
        if self.fault:
            raise self.fault
        self.info = self.connected[number]
        self.calls: list[str] = []
        self.held = 0
        self.copies = 0
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
        return {"main": {"size": (12, 8), "format": self.format, "stride": self.stride}}

    def start(self) -> None:
        self.calls.append("start")

    def capture_request(self) -> "FakePicamera2":
        if self.hangs.is_set():
            self.released.wait(30)
        self.held += 1
        return self

    def release(self) -> None:
        self.held -= 1

    def make_array(self, name: str) -> Pixels:
        assert name == "main"
        self.copies += 1
        return as_nv12(BLUE_I420) if self.format == "NV12" else with_padding(BLUE_I420, self.stride)

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


def test_a_pipeline_that_has_nv12_only_comes_as_i420_as_well(library: type[FakePicamera2]) -> None:
    library.format = "NV12"
    source = open_source("picamera2:0")
    frame = source.read(5.0)
    source.close()
    assert frame.format is PixelFormat.I420
    assert np.array_equal(frame.pixels, BLUE_I420)


def test_colours_taken_apart_stay_in_their_places() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (15, 12), np.uint8)
    padded = np.pad(as_nv12(picture), ((0, 2), (0, 4)))
    assert np.array_equal(from_nv12(padded, 12, 10), picture)


def test_a_format_that_cannot_be_read_is_named_and_the_camera_given_back(library: type[FakePicamera2]) -> None:
    library.format = "YUYV"
    with pytest.raises(PermanentError, match=r"delivers YUYV, expected YUV420 or NV12"):
        open_source("picamera2:0")
    assert library.opened[0].calls[-1] == "close"


def test_what_the_camera_is_told_beside_its_size(library: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch) -> None:
    libcamera = types.ModuleType("libcamera")
    libcamera.Transform = dict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "libcamera", libcamera)
    library.camera_controls = {"AeEnable": (), "ExposureTime": (), "AfMode": (), "LensPosition": ()}
    source = open_source("picamera2:0?exposure=8000&autofocus=2.5&hflip=1")
    source.close()
    (camera,) = library.opened
    assert camera.config["controls"] == {"FrameRate": 30.0, "ExposureTime": 8000, "AfMode": 0, "LensPosition": 2.5}
    assert camera.config["transform"] == {"hflip": True, "vflip": False}
    assert source.name == "picamera2:0 12×8"
    open_source("picamera2:0?exposure=auto&autofocus=continuous").close()
    assert library.opened[1].config["controls"] == {"FrameRate": 30.0, "AeEnable": True, "AfMode": 2}
    assert "transform" not in library.opened[1].config


def test_a_control_that_a_camera_lacks_is_told_and_does_not_stop_it(
    library: type[FakePicamera2], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        source = open_source("picamera2:0?autofocus=continuous&exposure=8001")
        assert source.name == "picamera2:0 12×8, asked for continuous autofocus, which it does not have"
        source.close()
    assert library.opened[0].config["controls"] == {"FrameRate": 30.0, "ExposureTime": 8001}
    assert caplog.text.count("continuous autofocus") == 1


def test_a_stop_that_fails_gives_the_camera_back_all_the_same(
    library: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(camera: FakePicamera2) -> None:
        raise RuntimeError("Camera frontend has timed out")

    monkeypatch.setattr(library, "stop", fails)
    open_source("picamera2:0").close()
    assert library.opened[0].calls == ["start", "close"]


def test_a_stop_that_hangs_holds_nobody_up(library: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "CLOSE_S", 0.05)
    returns = threading.Event()
    monkeypatch.setattr(library, "stop", lambda _: returns.wait(30))
    source = open_source("picamera2:0")
    start_s = time.monotonic()
    source.close()
    assert time.monotonic() - start_s < 10, "the stop alone would take 30 s"
    assert library.opened[0].calls == ["start"]
    returns.set()


def test_libraries_built_for_another_numpy_are_told_from_missing_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as raised on import of Debian's simplejpeg beside a newer numpy
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed, may indicate binary ...')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    with pytest.raises(ConfigError, match=r"numpy\.dtype size changed.*pip install --ignore-installed.*simplejpeg"):
        open_source("picamera2:0")


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


def test_no_such_camera_as_later_versions_tell_it(library: type[FakePicamera2]) -> None:
    library.fault = RuntimeError("No camera number 1 found")
    with pytest.raises(TemporaryError, match="picamera2:1: libcamera sees no camera with this number"):
        open_source("picamera2:1")


def test_a_busy_camera(library: type[FakePicamera2]) -> None:
    library.fault = RuntimeError("Camera __init__ sequence did not complete.")
    with pytest.raises(TemporaryError, match=r"another program using it.*crashed.*fuser"):
        open_source("picamera2:0")


def test_an_opening_that_fails_leaves_no_handle_behind(library: type[FakePicamera2]) -> None:
    def half_made(self: Any, number: int) -> None:
        read, self.notifyme_w = os.pipe()
        self.notifymeread = os.fdopen(read, "rb")
        self.kept = self
        raise RuntimeError("Camera __init__ sequence did not complete.")

    library.__init__ = half_made  # type: ignore[method-assign,assignment]
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(TemporaryError, match="another program using it"):
            open_source("picamera2:0")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


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
