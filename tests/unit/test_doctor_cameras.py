"""The doctor on cameras, and on who may use them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.doctor import access, cameras
from edge.doctor.findings import Finding
from edge.doctor.world import Settings, Unit, World
from edge.errors import ConfigError, TemporaryError
from edge.sources.choosing import probe as take_picture
from edge.sources.picamera2 import RibbonCamera
from edge.sources.v4l2_modes import Card, Mode
from tests.doctoring import ILLEGAL, accounts, asked, library, machine, own_world, told

WEBCAM = Card("C920", "uvcvideo", "usb-1.3", True, (Mode("MJPG", 1280, 720, (30.0,)),))
UNIT = "/etc/systemd/system/emotion-edge.service"
RUNNING = Unit(systemd=True, path=UNIT, active="active", sub="running", pid=4711, says="online, 14.9 fps")


def no_library() -> tuple[RibbonCamera, ...]:
    raise ConfigError("picamera2 cannot be imported (No module named 'picamera2'); it comes from Debian")


def no_picture(uri: str) -> None:
    raise TemporaryError(f"{uri} has fallen silent")


def picture(_: str) -> None:
    """Delivers."""


def never(uri: str) -> None:
    raise AssertionError(f"{uri} was opened")


def camera(world: World, name: str = "video0") -> Path:
    """A node."""
    node = world.path("/dev") / name
    node.parent.mkdir(exist_ok=True)
    node.touch()
    return node


def held(world: World, node: Path, by: str) -> None:
    """Another program has it open."""
    files = world.path("/proc/99999/fd")
    files.mkdir(parents=True)
    (files / "5").symlink_to(node)
    (files.parent / "comm").write_text(f"{by}\n")


def look(
    world: World,
    uri: str = "auto",
    probe: Callable[[str], None] = picture,
    ribbon: Callable[[], tuple[RibbonCamera, ...]] = no_library,
) -> tuple[Finding, ...]:
    camera = uri.startswith(("auto", "v4l2", "picamera2", "0"))
    world = replace(world, settings=replace(world.settings, source=uri, camera=camera))
    return tuple(cameras.check(world, probe, ribbon, lambda _: WEBCAM))


def test_a_camera_that_delivers_a_picture_is_well(tmp_path: Path) -> None:
    world = machine(tmp_path)
    node = camera(world)
    assert f"v4l2:{node} has delivered a picture" in told(look(world), "camera-ok").found
    assert "v4l2:/dev/video0 has delivered a picture" in told(look(world, "v4l2:/dev/video0"), "camera-ok").found


def test_a_machine_without_cameras_is_told_that_the_demo_runs(tmp_path: Path) -> None:
    finding = told(look(machine(tmp_path), probe=never), "camera-none")
    assert "there is no" in finding.found
    assert "picamera2" not in finding.found
    assert "--device /dev/video0" in finding.fix


def test_a_camera_that_is_named_and_not_there_is_found(tmp_path: Path) -> None:
    world = machine(tmp_path)
    camera(world, "video2")
    finding = told(look(world, "v4l2:/dev/video0", never), "camera-missing")
    assert "there is no" in finding.found
    assert "video2" in finding.found
    assert finding.expected == f"a camera at {tmp_path}/dev/video0"


@pytest.mark.parametrize("uri", ["auto", "0"])
def test_a_camera_that_another_program_has_is_found_with_that_program(tmp_path: Path, uri: str) -> None:
    world = machine(tmp_path)
    node = camera(world)
    held(world, node, "motion")
    finding = told(look(world, uri, never), "camera-busy")
    assert "motion (process 99999)" in finding.found
    assert finding.command == f"sudo fuser -v {node}"


def test_a_camera_that_the_program_itself_has_is_well(tmp_path: Path) -> None:
    world = machine(tmp_path)
    node = camera(world)
    held(world, node, "emotion-edge")
    told(look(world, "v4l2:/dev/video0", never), "camera-of-service")


def test_a_running_service_keeps_its_camera(tmp_path: Path) -> None:
    world = machine(tmp_path, unit=RUNNING)
    camera(world)
    finding = told(look(world, probe=never), "camera-of-service")
    assert "process 4711" in finding.found
    assert "14.9 fps" in finding.found


def test_why_a_running_service_gets_no_pictures_is_looked_into_without_disturbing_it(tmp_path: Path) -> None:
    unit = replace(RUNNING, says="waiting for the camera v4l2:/dev/video0: there is no /dev/video0")
    world = machine(tmp_path, unit=unit)
    told(look(world, "v4l2:/dev/video0", never), "camera-missing")
    told(look(world, "auto", never), "camera-none")
    node = camera(world)
    told(look(world, "v4l2:/dev/video0", never), "camera-of-service")
    held(world, node, "motion")
    told(look(world, "v4l2:/dev/video0", never), "camera-busy")


def test_a_camera_that_gives_no_picture_is_found(tmp_path: Path) -> None:
    world = machine(tmp_path)
    camera(world)
    assert "has fallen silent" in told(look(world, "v4l2:/dev/video0", no_picture), "camera-no-picture").found


def test_a_network_cameras_password_is_not_told(tmp_path: Path) -> None:
    uri = "rtsp://admin:geheim@camera.local/stream?key=secret"
    finding = told(look(machine(tmp_path), uri, no_picture), "camera-no-picture")
    assert "rtsp://camera.local/stream has fallen silent" in finding.found
    assert "geheim" not in str(finding)
    assert "secret" not in str(finding)
    assert "geheim" not in str(look(machine(tmp_path), uri, picture))


def test_a_camera_that_never_answers_is_given_up(tmp_path: Path) -> None:
    library(tmp_path, "picamera2", "import time; time.sleep(1000)")
    findings = asked("cameras", own_world(tmp_path), tmp_path, limit_s=1.0)
    assert "no result after 1 s" in told(findings, "camera-hangs").found


def test_a_libcamera_that_crashes_is_found_and_kills_only_its_own_process(tmp_path: Path) -> None:
    library(tmp_path, "picamera2", ILLEGAL.replace("SIGILL", "SIGSEGV"))
    assert "SIGSEGV" in told(asked("cameras", own_world(tmp_path), tmp_path), "camera-crashes").found


def test_a_source_that_cannot_be_understood_is_found(tmp_path: Path) -> None:
    assert "/nowhere.mp4" in told(look(machine(tmp_path), "file:/nowhere.mp4", never), "source-unusable").found
    told(look(machine(tmp_path), "webcam", never), "source-unusable")


def test_a_file_that_holds_no_pictures_is_found(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("no film")
    (tmp_path / "face.jpg").write_text("no picture")
    for uri in (f"file:{tmp_path}/film.mp4", f"images:{tmp_path}/face.jpg"):
        assert told(look(machine(tmp_path), uri, take_picture), "source-unusable").severity == "fault"
        told(look(machine(tmp_path), uri, picture), "camera-ok")


@pytest.mark.parametrize("uri", ["demo", "push:"])
def test_a_source_that_needs_no_camera_is_well(tmp_path: Path, uri: str) -> None:
    told(look(machine(tmp_path), uri, never), "camera-ok")


def test_a_picamera2_that_is_wanted_and_missing_is_found(tmp_path: Path) -> None:
    told(look(machine(tmp_path), "picamera2:", never), "picamera2-unusable")


def test_a_picamera2_that_is_installed_and_broken_is_found_even_if_it_is_not_asked_for(tmp_path: Path) -> None:
    library(tmp_path / "packages", "picamera2", "")
    told(look(machine(tmp_path), "auto", never), "picamera2-unusable")


def test_a_ribbon_cable_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    def others() -> tuple[RibbonCamera, ...]:
        return (RibbonCamera(1, "imx708", "/base/soc"),)

    finding = told(look(machine(tmp_path), "picamera2:0", never, others), "camera-missing")
    assert "it sees 1: imx708" in finding.found
    told(look(machine(tmp_path), "picamera2:1", picture, others), "camera-ok")


def closed_to(world: World, name: str = "video0") -> tuple[Finding, ...]:
    """What is found where this node is closed to the user."""
    node = camera(world, name)
    return tuple(access.check(world, lambda found: found != node))


def owned(world: World, gid: int) -> None:
    """The node belongs to that group, whose number the temporary file has by chance."""
    accounts(world, f"video:x:{gid}:\nrender:x:993:\n")


def test_a_user_who_is_not_in_the_cameras_group_is_told_how_to_join_it(tmp_path: Path) -> None:
    world = machine(tmp_path)
    world = replace(world, user=replace(world.user, groups=("pi",)))
    owned(world, own_gid := camera(world).stat().st_gid)
    world.path("/etc/group").write_text(f"video:x:{own_gid}:\n")
    finding = told(closed_to(world), "user-not-in-group")
    assert finding.command == "sudo usermod -aG video pi"
    assert "log in again" in finding.fix


def test_a_user_who_joined_the_group_after_logging_in_is_told_to_log_in_again(tmp_path: Path) -> None:
    world = machine(tmp_path)
    world = replace(world, user=replace(world.user, groups=("pi",)))
    accounts(world)
    world.path("/etc/group").write_text(f"video:x:{camera(world).stat().st_gid}:pi\n")
    assert told(closed_to(world), "group-needs-login").command == "newgrp video"


def test_a_node_that_is_closed_even_to_its_group_is_found(tmp_path: Path) -> None:
    world = machine(tmp_path)
    accounts(world)
    world.path("/etc/group").write_text(f"video:x:{camera(world).stat().st_gid}:pi\n")
    assert "--group-add video" in told(closed_to(world), "camera-forbidden").fix


def test_cameras_that_are_closed_do_not_matter_to_who_needs_none(tmp_path: Path) -> None:
    world = machine(tmp_path, settings=Settings(source="demo", camera=False))
    told(closed_to(world), "access-ok")


@pytest.mark.parametrize(("uri", "code"), [("auto", "fault"), ("0", "fault"), ("v4l2:/dev/video2", "ok")])
def test_a_closed_camera_that_nobody_asked_for_does_not_matter(tmp_path: Path, uri: str, code: str) -> None:
    world = machine(tmp_path, settings=Settings(source=uri))
    accounts(world)
    world.path("/etc/group").write_text(f"video:x:{camera(world, 'video2').stat().st_gid}:\n")
    findings = closed_to(replace(world, user=replace(world.user, groups=("pi",))))
    told(findings, "access-ok" if code == "ok" else "user-not-in-group")


def test_a_closed_camera_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = machine(tmp_path)
    camera(world)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert look(world, "v4l2:/dev/video0", never) == ()


def test_without_the_group_render_a_user_of_picamera2_is_noted(tmp_path: Path) -> None:
    world = machine(tmp_path)
    accounts(world)
    library(tmp_path / "packages", "picamera2", "")
    world.path("/dev/dri").mkdir(parents=True)
    (world.path("/dev/dri") / "renderD128").touch()
    told(access.check(world, lambda node: "render" not in node.name), "user-not-in-render")
    told(access.check(world, lambda _: True), "access-ok")


def installed(tmp_path: Path, **unit: object) -> World:
    return machine(tmp_path, unit=replace(Unit(systemd=True, path=UNIT), **unit))


def test_a_service_whose_user_does_not_exist_is_found(tmp_path: Path) -> None:
    world = installed(tmp_path)
    accounts(world)
    finding = told(access.check(world, lambda _: True), "service-user-missing")
    assert "useradd --system" in finding.command
    assert finding.command.endswith(" emotion-edge")


@pytest.mark.parametrize(
    ("groups", "member", "code"), [((), "", "fault"), (("video",), "", "ok"), ((), "emotion-edge", "ok")]
)
def test_a_service_needs_the_cameras_group_from_its_unit_or_from_etc_group(
    tmp_path: Path, groups: tuple[str, ...], member: str, code: str
) -> None:
    world = installed(tmp_path, groups=groups)
    accounts(world, f"video:x:44:{member}\nemotion-edge:x:995:\n", "emotion-edge:x:995:995::/var/lib/emotion-edge:x\n")
    findings = tuple(access.check(world, lambda _: True))
    if code == "ok":
        told(findings, "access-ok")
    else:
        assert "emotion-edge is in emotion-edge" in told(findings, "service-user-not-in-group").found


def test_a_service_of_roots_or_without_a_camera_needs_no_group(tmp_path: Path) -> None:
    world = installed(tmp_path)
    accounts(world, "emotion-edge:x:995:\n", "root:x:0:0::/root:x\nemotion-edge:x:995:995::/var/lib/emotion-edge:x\n")
    told(access.check(replace(world, unit=replace(world.unit, user="root"))), "access-ok")
    demo = replace(world, settings=Settings(file="/etc/emotion-edge/config.toml", source="demo", camera=False))
    told(access.check(demo), "access-ok")
    of_another_file = replace(demo, settings=replace(demo.settings, file="/home/pi/demo.toml"))
    told(access.check(of_another_file), "service-user-not-in-group")
