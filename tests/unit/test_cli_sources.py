import errno
import json
import sys
from pathlib import Path

import pytest

from edge.cli import main
from edge.cli_sources import page
from edge.errors import ConfigError
from edge.sources.cameras import Survey, survey
from edge.sources.picamera2 import RibbonCamera
from edge.sources.uri import parse
from edge.sources.v4l2_modes import Card, Mode

WEBCAM = Card("C920", "uvcvideo", "usb-1.3", True, (Mode("YUYV", 640, 480, (30.0, 15.0)), Mode("MJPG", 1280, 720, ())))
METADATA = Card("C920", "uvcvideo", "usb-1.3", False, ())
ISP = Card("bcm2835-isp", "bcm2835-isp", "platform:isp", True, ())


def no_library() -> tuple[RibbonCamera, ...]:
    raise ConfigError("picamera2 cannot be imported; install it")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A place for nodes and processes, with none."""
    (tmp_path / "dev" / "v4l" / "by-id").mkdir(parents=True)
    (tmp_path / "proc").mkdir()
    return tmp_path


def look(machine: Path, cards: dict[str, Card], ribbon: tuple[RibbonCamera, ...] | None = None) -> Survey:
    for name in cards:
        (machine / "dev" / name).touch()
    return survey(
        dev=machine / "dev",
        proc=machine / "proc",
        card_of=lambda node: cards[node.name],
        ribbon=no_library if ribbon is None else lambda: ribbon,
        linux=True,
    )


def test_a_webcam_is_shown_with_all_it_offers_and_its_lasting_name(machine: Path) -> None:
    link = machine / "dev" / "v4l" / "by-id" / "usb-C920-index0"
    link.symlink_to("../../video0")
    found = look(machine, {"video0": WEBCAM, "video1": METADATA})
    assert found.auto == f"v4l2:{machine}/dev/video0"
    assert page(found) == [
        "C920 (uvcvideo, usb-1.3)",
        f"    --source v4l2:{machine}/dev/video0",
        f"    --source v4l2:{link}   (stays the same when it is plugged in anew)",
        "    YUYV: 640x480 at 30/15",
        "    MJPG: 1280x720",
        "",
        "- picamera2 cannot be imported; install it",
        f"- {machine}/dev/video1 of C920 gives no pictures; a camera has another node for these",
        "",
        f"`emotion-edge run` (--source auto) would try {found.auto} first.",
    ]


def test_a_pi_camera_comes_first_and_the_parts_of_its_pipeline_are_no_cameras(machine: Path) -> None:
    ribbon = (RibbonCamera(0, "imx708", "/base/soc/imx708@1a"),)
    found = look(machine, {"video0": WEBCAM, "video13": ISP}, ribbon)
    assert [camera.uri for camera in found.cameras] == ["picamera2:0", f"v4l2:{machine}/dev/video0"]
    assert found.auto == "picamera2:0"
    assert "use picamera2" in found.notes[0]


def test_a_camera_in_use_is_named_with_its_user_and_passed_over(machine: Path) -> None:
    files = machine / "proc" / "4711" / "fd"
    files.mkdir(parents=True)
    (files / "5").symlink_to(machine / "dev" / "video0")
    (files.parent / "comm").write_text("motion\n")
    found = look(machine, {"video0": WEBCAM, "video2": WEBCAM})
    assert found.cameras[0].used_by == ("motion (process 4711)",)
    assert found.auto == f"v4l2:{machine}/dev/video2"
    assert any("in use by motion (process 4711)" in line for line in page(found))


def test_a_node_that_cannot_be_asked_says_why(machine: Path) -> None:
    (machine / "dev" / "video0").touch()

    def forbidden(_: Path) -> Card:
        raise PermissionError(errno.EACCES, "Permission denied")

    found = survey(dev=machine / "dev", proc=machine / "proc", card_of=forbidden, ribbon=no_library, linux=True)
    assert found.cameras == ()
    assert "video0 does not say what it is (Permission denied)" in found.notes[1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nodes and ioctl are Linux's")
def test_a_file_that_is_no_device_is_told_from_a_camera(machine: Path) -> None:
    (machine / "dev" / "video0").touch()
    found = survey(dev=machine / "dev", proc=machine / "proc", ribbon=no_library, linux=True)
    assert found.cameras == ()
    assert "does not say what it is" in found.notes[1]


def test_a_machine_without_cameras_says_what_to_check(machine: Path) -> None:
    found = look(machine, {}, ())
    assert found.auto == "demo"
    text = "\n".join(page(found))
    for words in ("No camera was found", "ribbon cable", "dmesg", "--device /dev/video0", "demo"):
        assert words in text


def test_the_command_lists_what_is_here_in_words_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources"]) == 0
    words = capsys.readouterr().out
    assert main(["sources", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"cameras", "auto", "notes"}
    parse(found["auto"])
    assert found["auto"] in words
    for camera in found["cameras"]:
        parse(camera["uri"])
        assert camera["uri"] in words
