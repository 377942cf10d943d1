import os
from pathlib import Path

import pytest

from edge.sources.v4l2 import device_path, explain, holders, video_devices


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


def test_otherwise_it_says_where_to_look(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    assert "fuser -v" in explain(device, dev=tmp_path, proc=tmp_path)


def test_this_process_is_not_its_own_rival(tmp_path: Path) -> None:
    held = tmp_path / "held"
    with held.open("w"):
        assert holders(held) == ()
