from pathlib import Path

import pytest

from edge.sources.whereabouts import Whereabouts


class Machine:
    """Folders that look like a computer's cameras."""

    def __init__(self, root: Path) -> None:
        self.dev, self.sys = root / "dev", root / "sys"
        for folder in (self.dev / "v4l/by-id", self.sys):
            folder.mkdir(parents=True)

    def plug(self, node: str, name: str, index: int = 0, link: str = "") -> Path:
        (self.dev / node).touch()
        (self.sys / node).mkdir()
        (self.sys / node / "name").write_text(f"{name}\n")
        (self.sys / node / "index").write_text(f"{index}\n")
        if link:
            (self.dev / "v4l/by-id" / link).symlink_to(f"../../{node}")
        return self.dev / node

    def unplug(self, node: str) -> None:
        for link in (self.dev / "v4l/by-id").iterdir():
            if link.resolve() == (self.dev / node).resolve():
                link.unlink()
        (self.dev / node).unlink()
        for part in ("name", "index"):
            (self.sys / node / part).unlink()
        (self.sys / node).rmdir()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def known(machine: Machine) -> Whereabouts:
    return Whereabouts(machine.dev, machine.sys)


@pytest.mark.parametrize("link", ["", "usb-046d_C270_1234-video-index0"])
def test_a_camera_that_returns_under_another_number_is_found(machine: Machine, known: Whereabouts, link: str) -> None:
    camera = machine.plug("video0", "C270", link=link)
    machine.plug("video1", "C270", index=1)  # its metadata
    known.worked(camera, known.find(camera))
    machine.unplug("video0")
    machine.unplug("video1")
    assert known.find(camera) == camera, "it is away"
    there = machine.plug("video2", "C270", link=link)
    machine.plug("video3", "C270", index=1)
    assert known.find(camera) == there
    known.worked(camera, there)
    machine.unplug("video2")
    assert known.find(camera) == camera


def test_another_camera_that_took_its_number_is_not_taken_for_it(machine: Machine, known: Whereabouts) -> None:
    camera = machine.plug("video0", "C270")
    known.worked(camera, camera)
    machine.unplug("video0")
    machine.plug("video0", "Capture card")
    assert known.find(camera) == camera, "nothing better is there"
    there = machine.plug("video1", "C270")
    assert known.find(camera) == there


def test_a_twin_that_was_there_all_the_time_is_another_camera(machine: Machine, known: Whereabouts) -> None:
    camera, twin = machine.plug("video0", "C270"), machine.plug("video2", "C270")
    known.worked(camera, camera)
    machine.unplug("video0")
    assert known.find(camera) == camera != twin


def test_two_that_could_be_it_are_left_alone(machine: Machine, known: Whereabouts) -> None:
    camera = machine.plug("video0", "C270")
    known.worked(camera, camera)
    machine.unplug("video0")
    machine.plug("video1", "C270")
    machine.plug("video2", "C270")
    assert known.find(camera) == camera


def test_a_link_is_followed_by_the_system_and_a_camera_nobody_knows_is_what_was_asked_for(
    machine: Machine, known: Whereabouts
) -> None:
    machine.plug("video0", "C270", link="usb-1")
    link = machine.dev / "v4l/by-id/usb-1"
    known.worked(link, link)
    assert known.find(link) == link
    assert known.find(machine.dev / "video7") == machine.dev / "video7"
