import os
import sys
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

from edge.errors import ConfigError
from edge.sources import refused, v4l2
from edge.sources.opening import open_source
from edge.sources.v4l2 import device_path, explain, holders, video_devices
from edge.sources.v4l2_modes import Card, Mode
from edge.types import Pixels


def test_devices_are_listed_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("video10", "video2", "video0", "video-codec", "vcsa"):
        (tmp_path / name).touch()
    assert [path.name for path in video_devices(tmp_path)] == ["video0", "video2", "video10"]


def test_a_number_is_a_device() -> None:
    assert device_path("3") == Path("/dev/video3")
    assert device_path("/dev/v4l/by-id/cam") == Path("/dev/v4l/by-id/cam")


def test_a_missing_device_is_told_from_a_missing_camera(tmp_path: Path) -> None:
    said = explain(tmp_path / "video0", dev=tmp_path)
    assert "nor any other V4L2 device" in said
    assert "ls -l /dev/video*" in said
    (tmp_path / "video2").touch()
    said = explain(tmp_path / "video0", dev=tmp_path)
    assert f"there is no {tmp_path}/video0, but {tmp_path}/video2" in said


def test_a_forbidden_device_names_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "video0"
    device.touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    said = explain(device, dev=tmp_path, proc=tmp_path)
    assert "no permission" in said
    assert "usermod -aG video" in said


def test_a_busy_device_names_the_program(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    process = tmp_path / "proc" / "4711"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("motion\n")
    (process / "fd" / "5").symlink_to(device)
    (tmp_path / "proc" / "4712").mkdir()  # has no fd that we may see
    said = explain(device, dev=tmp_path, proc=tmp_path / "proc")
    assert f"{device} is in use by motion (process 4711)" in said


def test_a_user_without_a_name_is_told_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    monkeypatch.setattr(os, "access", lambda *_: False)
    device = tmp_path / "video0"
    device.touch()
    assert "usermod -aG video 54321" in explain(device, dev=tmp_path, proc=tmp_path)


def test_a_programs_name_that_was_cut_inside_a_character_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    process = tmp_path / "proc" / "4711"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_bytes("überwachung-grün".encode()[:15] + b"\xc3\n")
    (process / "fd" / "5").symlink_to(device)
    assert holders(device, tmp_path / "proc") == ("überwachung-gr\ufffd (process 4711)",)


def test_otherwise_it_says_where_to_look(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    assert "fuser -v" in explain(device, dev=tmp_path, proc=tmp_path)


def test_this_process_is_not_its_own_rival(tmp_path: Path) -> None:
    held = tmp_path / "held"
    with held.open("w"):
        assert holders(held) == ()


class Webcam:
    """A VideoCapture that gives 640x480 YUYV at 15, whatever it is asked for."""

    opened: ClassVar[list[tuple[object, int]]] = []
    took: ClassVar[dict[int, float]] = {
        cv2.CAP_PROP_FRAME_WIDTH: 640,
        cv2.CAP_PROP_FRAME_HEIGHT: 480,
        cv2.CAP_PROP_FPS: 15,
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"YUYV"),
    }

    def __init__(self, device: object, backend: int) -> None:
        self.opened.append((device, backend))
        self.asked: dict[int, float] = {}

    def isOpened(self) -> bool:
        return True

    def set(self, key: int, value: float) -> bool:
        self.asked[key] = value
        return key in self.took

    def get(self, key: int) -> float:
        return self.took.get(key, -1.0)

    def grab(self) -> bool:
        return True

    def retrieve(self) -> tuple[bool, Pixels]:
        return True, np.random.default_rng().integers(0, 256, (480, 640, 3), np.uint8)

    def release(self) -> None:
        pass


@pytest.fixture
def webcam(monkeypatch: pytest.MonkeyPatch) -> type[Webcam]:
    monkeypatch.setattr(cv2, "VideoCapture", Webcam)
    monkeypatch.setattr(Webcam, "opened", [])
    monkeypatch.setattr(refused, "_said", set())
    return Webcam


def test_a_mode_that_the_camera_did_not_take_stands_in_its_name(
    webcam: type[Webcam], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for _ in range(2):
        source = open_source("v4l2:/dev/video7?size=1280x720&format=mjpg")
        source.close()
        assert source.name == "v4l2:/dev/video7 640×480, asked for 1280x720 MJPG 30, got 640x480 YUYV 15"
    assert webcam.opened[0] == ("/dev/video7", cv2.CAP_V4L2)
    assert caplog.text.count("got 640x480 YUYV 15") == 1


def test_the_format_is_chosen_from_what_the_driver_offers(
    webcam: type[Webcam], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    modes = (Mode("YUYV", 1280, 720, (10.0,)), Mode("MJPG", 1280, 720, (30.0,)))
    monkeypatch.setattr(v4l2, "read_card", lambda _: Card("C920", "uvcvideo", "usb", True, modes))
    asked: list[str | None] = []
    monkeypatch.setattr(v4l2, "settle", lambda _capture, _spec, code: asked.append(code) or "")
    open_source("v4l2:0?size=1280x720").close()
    assert asked == ["MJPG"]


def test_elsewhere_a_camera_is_a_number_for_opencvs_own_backend(
    webcam: type[Webcam], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    for uri, number in (("v4l2:1?fps=15", 1), ("v4l2?fps=15", 0), ("/dev/video2?fps=15", 2)):
        open_source(uri).close()
        assert webcam.opened[-1] == (number, cv2.CAP_ANY)
    source = open_source("v4l2:0?fps=15&exposure=5000")
    source.close()
    assert source.name.endswith("exposure is not set on this system")
    with pytest.raises(ConfigError, match=r"name of Linux; here cameras have numbers"):
        open_source("v4l2:/dev/v4l/by-id/usb-C920")


def test_a_link_is_as_good_as_the_node_it_names(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    link = tmp_path / "by-id-cam"
    link.symlink_to("video0")
    process = tmp_path / "proc" / "4711"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("motion\n")
    (process / "fd" / "5").symlink_to(tmp_path / "video0")
    assert "in use by motion" in explain(link, dev=tmp_path, proc=tmp_path / "proc")
    (tmp_path / "video0").unlink()
    assert f"there is no {link}" in explain(link, dev=tmp_path, proc=tmp_path / "proc")
