"""How deploy/install.sh puts a release to use, and what it does when one does not start or it is broken off itself."""

import subprocess
from pathlib import Path

import pytest

from tests.install_script import Place

SYSTEMD = """
running=$(dirname "$0")/running
case $1 in
  is-enabled) [ ENABLED = yes ] ;;
  enable) echo enabled >>"$running.log" ;;
  is-active) [ -e "$running" ] ;;
  restart)
    release=$(readlink -f "$VENV")
    echo "started ${release##*/}" >>"$running.log"
    if [ -e "$release/broken" ]; then rm -f "$running"; exit 1; fi
    echo "$release" >"$running"
    ;;
  show) echo 42 ;;
  daemon-reload) echo reloaded >>"$running.log" ;;
esac
"""
"""A systemctl for which a release with a file `broken` does not get ready."""


class Device(Place):
    """A place with releases that hold a unit and nothing else."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.home = self.root / "opt" / "emotion-edge"
        self.home.mkdir(parents=True)
        self.systemd()
        self.program("journalctl", "echo its log")
        self.program("sleep", "exit 0")
        self.program("runuser", 'test ! -e "$(dirname "$(dirname "$9")")/damaged"')

    def systemd(self, enabled: str = "yes") -> None:
        """Have one, for which the service is enabled or not."""
        self.program("systemctl", f"VENV={self.home}/venv\n{SYSTEMD.replace('ENABLED', enabled)}")

    def release(self, name: str, *marks: str) -> None:
        """Make one; `broken` and `damaged` are what can be wrong with it."""
        path = f"opt/emotion-edge/releases/{name}"
        self.write(f"{path}/share/emotion-edge/systemd/emotion-edge.service", f"the unit of {name}")
        for mark in (".complete", *marks):
            self.write(f"{path}/{mark}", name)

    def use(self, name: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Put a release to use."""
        return self.steps(f"use {self.home}/releases/{name}", **settings)

    def link(self, name: str) -> str:
        """To which release a link leads."""
        return (self.home / name).resolve(strict=True).name

    @property
    def releases(self) -> list[str]:
        return sorted(path.name for path in (self.home / "releases").iterdir())

    @property
    def unit(self) -> str:
        return (self.root / "etc" / "systemd" / "system" / "emotion-edge.service").read_text()

    @property
    def started(self) -> list[str]:
        """The releases that were started, in their order."""
        return [line.removeprefix("started ") for line in self.log if line.startswith("started ")]

    @property
    def log(self) -> list[str]:
        """What systemd was told to do."""
        log = self._programs / "running.log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def device(tmp_path: Path) -> Device:
    device = Device(tmp_path)
    for name in ("1", "2", "3"):
        device.release(name)
    return device


def test_the_one_before_is_kept_and_no_other(device: Device) -> None:
    for name in ("1", "2", "3"):
        device.release(name)
        assert device.use(name).returncode == 0
    assert (device.link("venv"), device.link("previous"), device.releases) == ("3", "2", ["2", "3"])
    assert device.unit == "the unit of 3"
    assert device.started == ["1", "2", "3"]


def test_with_the_one_in_use_nothing_is_done(device: Device) -> None:
    device.use("1")
    assert device.use("1").stdout == ""
    assert device.started == ["1"]


def test_what_has_been_lost_is_put_right(device: Device) -> None:
    device.use("1")
    device.write("etc/systemd/system/emotion-edge.service", "somebody's own")
    device.use("1")
    assert device.unit == "the unit of 1"
    assert device.started == ["1", "1"]


def test_the_drop_in_for_ribbon_cables_comes_and_goes_with_its_release(device: Device) -> None:
    drop_in = device.root / "etc" / "systemd" / "system" / "emotion-edge.service.d" / "picamera2.conf"
    device.write("opt/emotion-edge/releases/2/share/emotion-edge/systemd/picamera2.conf", "more devices")
    device.steps(f"use {device.home}/releases/2", picamera2="yes")
    assert drop_in.read_text() == "more devices"
    device.release("3")
    # the same unit, so that only the drop-in differs
    device.write("opt/emotion-edge/releases/3/share/emotion-edge/systemd/emotion-edge.service", device.unit)
    device.use("3")
    assert not drop_in.exists()
    assert device.log == ["reloaded", "started 2", "reloaded", "started 3"]


def test_one_that_does_not_get_ready_makes_way_for_the_one_that_did(device: Device) -> None:
    device.use("1")
    device.release("2")
    device.use("2")
    device.release("3", "broken")
    done = device.use("3")
    assert done.returncode == 1
    assert "3 did not get ready and is not used; 2 runs again." in done.stderr
    assert "its log" in done.stdout
    assert (device.link("venv"), device.link("previous"), device.releases) == ("2", "1", ["1", "2"])
    assert device.unit == "the unit of 2"
    assert device.started == ["1", "2", "3", "2"]
    assert not (device.home / "switching").exists()


def test_the_first_one_stays_even_if_it_does_not_get_ready(device: Device) -> None:
    device.release("1", "broken")
    done = device.use("1")
    assert done.returncode == 1
    assert "1 is installed, but does not get ready" in done.stderr
    assert device.link("venv") == "1"
    assert device.use("1").returncode == 1, "it is not said to be well the second time"
    (device.home / "releases" / "1" / "broken").unlink()
    assert device.use("1").returncode == 0


def broken_off(device: Device) -> None:
    """As a killed upgrade from 1 to 2 leaves it: switched, and not started yet."""
    device.use("1")
    device.release("2")
    device.write("opt/emotion-edge/switching", f"{device.home}/releases/1\n")
    (device.home / "venv").unlink()
    (device.home / "venv").symlink_to("releases/2")


def test_broken_off_after_the_switch_it_goes_on(device: Device) -> None:
    broken_off(device)
    assert device.use("2").returncode == 0
    assert (device.link("venv"), device.link("previous")) == ("2", "1")
    assert device.started == ["1", "2"]
    assert not (device.home / "switching").exists()


def test_broken_off_after_the_switch_it_still_knows_what_had_worked(device: Device) -> None:
    broken_off(device)
    device.release("2", "broken")
    assert device.use("2").returncode == 1
    assert device.link("venv") == "1"
    assert device.started == ["1", "2", "1"]


def test_broken_off_after_the_switch_what_had_worked_is_not_tidied_away(device: Device) -> None:
    broken_off(device)
    device.steps("drop_others")
    assert device.releases == ["1", "2"]


def test_releases_that_were_broken_off_are_removed(device: Device) -> None:
    device.use("1")
    device.release("2")
    (device.home / "releases" / "2" / ".complete").unlink()
    device.steps("drop_others")
    assert device.releases == ["1"]


def test_what_still_runs_is_not_tidied_away(device: Device) -> None:
    device.use("1")
    # as an interpreter's name is given to it: with zeros between the words
    python = f"{device.home}/releases/1/bin/python3"
    device.write("proc/42/cmdline", f"{python}\0{device.home}/venv/bin/emotion-edge\0run\0")
    for name in ("2", "3"):
        device.release(name)
        assert device.use(name, start="no").returncode == 0
    assert (device.link("venv"), device.link("previous"), device.releases) == ("3", "2", ["1", "2", "3"])
    device.write("proc/42/cmdline", python.replace("/1/", "/3/"))
    device.steps("drop_others")
    assert device.releases == ["2", "3"]


def test_one_that_was_disabled_is_not_enabled_again(device: Device) -> None:
    device.systemd(enabled="no")
    device.use("1")
    assert device.log == ["reloaded", "enabled", "started 1"]
    for name in ("1", "2"):
        device.release(name)
        assert "is disabled and stays so" in device.use(name).stdout
    assert device.log.count("enabled") == 1


def test_a_first_one_that_was_broken_off_before_it_was_enabled_is_enabled(device: Device) -> None:
    device.systemd(enabled="no")
    device.write("opt/emotion-edge/switching", "\n")
    device.write("etc/systemd/system/emotion-edge.service", "the unit of 1")
    device.use("1")
    assert "enabled" in device.log


def test_broken_off_during_the_switch_it_says_so(device: Device) -> None:
    ended = "trap leave EXIT; get_ready() { exit 130; }; use $releases/1"
    done = device.steps(ended)
    assert done.returncode == 130
    assert done.stderr == "    Broken off while switching; run this again.\n"
    assert device.steps(ended, dry_run="yes").stderr == ""
    done = device.steps("trap leave EXIT; use $releases/1")
    assert (done.returncode, done.stderr) == (0, "")


def test_back_and_forth(device: Device) -> None:
    for name in ("1", "2"):
        device.release(name)
        device.use(name)
    assert device.steps("roll_back").returncode == 0
    assert (device.link("venv"), device.link("previous"), device.unit) == ("1", "2", "the unit of 1")
    assert device.steps("roll_back").returncode == 0
    assert (device.link("venv"), device.link("previous"), device.unit) == ("2", "1", "the unit of 2")


def test_back_to_nothing_is_refused(device: Device) -> None:
    device.use("1")
    done = device.steps("roll_back")
    assert done.returncode == 1
    assert "There is no release before the one in use" in done.stderr


def test_back_to_what_does_not_work_any_more_is_refused(device: Device) -> None:
    for name in ("1", "2"):
        device.release(name)
        device.use(name)
    device.release("1", "damaged")
    done = device.steps("roll_back")
    assert done.returncode == 1
    assert "1 does not work any more; 2 stays in use." in done.stderr
    assert device.started == ["1", "2"]


def test_back_to_what_does_not_take_the_settings_is_refused(device: Device) -> None:
    for name in ("1", "2"):
        device.release(name)
        device.use(name)
    program = device.write(
        "opt/emotion-edge/releases/1/bin/emotion-edge",
        '#!/bin/sh\ncase $* in *--help) ;; *) echo "there is no stream.colour"; exit 78 ;; esac\n',
    )
    program.chmod(0o755)
    done = device.steps("roll_back")
    assert done.returncode == 1
    assert "there is no stream.colour" in done.stderr
    assert "nothing was switched" in done.stderr
    assert (device.link("venv"), device.started) == ("2", ["1", "2"])


def test_without_a_start_it_is_switched_and_nothing_runs(device: Device) -> None:
    assert device.steps(f"use {device.home}/releases/1", start="no").returncode == 0
    assert device.link("venv") == "1"
    assert device.started == []


def test_a_service_that_ends_right_after_it_was_ready_is_not_ready(device: Device) -> None:
    device.use("1")
    device.release("2")
    # another process each time it is asked
    device.program("sleep", f"sed -i 's/echo 42/echo $$/' {device._programs}/systemctl")
    assert device.use("2").returncode == 1
    assert device.link("venv") == "1"


def test_removal_does_not_look_like_a_wish_to_a_package_that_comes_again(device: Device) -> None:
    remembered = "var/lib/systemd/deb-systemd-helper-enabled"
    own = f"{remembered}/emotion-edge.service.dsh-also", f"{remembered}/multi-user.target.wants/emotion-edge.service"
    other = f"{remembered}/multi-user.target.wants/cron.service"
    for name in (*own, other):
        device.write(name, "")
    device.use("1")
    device.steps("remove", purge="no", shortcut="/nonexistent")
    assert [(device.root / name).exists() for name in (*own, other)] == [False, False, True]


def test_removal_leaves_what_is_not_the_programs(device: Device) -> None:
    device.use("1")
    kept = [
        device.write(path, "mine")
        for path in ("etc/emotion-edge/token", "etc/systemd/system/emotion-edge.service.d/own")
    ]
    done = device.steps("remove", purge="no", shortcut="/nonexistent")
    assert done.returncode == 0, done.stderr
    assert all(path.read_text() == "mine" for path in kept)
    assert not device.home.exists()
    device.program("userdel", "exit 0")
    device.steps("remove", purge="yes", shortcut="/nonexistent")
    assert not any(path.parent.exists() for path in kept)


@pytest.mark.parametrize(("folder", "start", "told"), [("run", "yes", 1), ("ran", "yes", 0), ("run", "no", 0)])
def test_it_is_said_to_be_ready_only_if_it_was_started(device: Device, folder: str, start: str, told: int) -> None:
    device.write("etc/emotion-edge/config.toml", "")
    device.write("etc/emotion-edge/token", "abc-_\n")
    (device.root / "run").rename(device.root / folder)
    assert device.steps("tell_addresses", start=start).stdout.count("is ready") == told
