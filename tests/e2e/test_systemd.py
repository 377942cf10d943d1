"""The unit of `deploy/`, as it is, under a real systemd. `test_systemd_*.py` hold what takes longer."""

import re
import time

import cv2
import numpy as np
import pytest

from tests.e2e.installed import DEPLOY
from tests.e2e.throwaway_systemd import Machine
from tests.service import EVENTS, STATE, TOKEN, UNIT, UNIT_FILE, WATCH_DEMO, Service
from tests.viewer import Viewer

pytestmark = pytest.mark.systemd

EXPOSURE_LIMIT = 15
"""In tenths, for `systemd-analyze security`; a service without any protection has 96."""


@pytest.fixture
def running(service: Service) -> Service:
    """The service, started on the demo."""
    service.start()
    return service


def test_systemd_has_nothing_to_say_about_the_unit(machine: Machine) -> None:
    assert machine.text("systemd-analyze", "verify", UNIT_FILE) == ""


def test_systemd_has_nothing_to_say_about_the_drop_in_for_ribbon_cables(machine: Machine) -> None:
    path = "/etc/systemd/system/with-ribbon.service"
    machine.write(path, (DEPLOY / UNIT).read_text())
    machine.write(f"{path}.d/picamera2.conf", (DEPLOY / "picamera2.conf").read_text())
    assert machine.text("systemd-analyze", "verify", path) == ""


def test_the_unit_exposes_little(machine: Machine) -> None:
    machine.run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_LIMIT}", UNIT_FILE)


def test_the_service_streams_pictures(running: Service) -> None:
    assert running.properties()["ActiveState"] == "active"
    with Viewer(running) as viewer:
        viewer.wait(3)
    answer = running.ask("/snapshot.jpg")
    picture = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (480, 640, 3)
    assert picture.std() > 10, "an empty picture"


def test_systemctl_status_tells_how_fast_it_is_and_how_many_faces_it_sees(running: Service) -> None:
    end_s = time.monotonic() + 30
    while True:
        shown = running.machine.text("systemctl", "status", "--no-pager", UNIT)
        found = re.search(r'Status: "online, (\d+\.\d) fps, ([1-9]\d*) faces"', shown)
        if found and float(found[1]) > 0:
            return
        assert time.monotonic() < end_s, shown
        time.sleep(0.3)


def test_the_service_runs_as_its_own_user_without_privileges(running: Service) -> None:
    text = running.machine.text
    pid = running.properties()["MainPID"]
    status = dict(line.split(":\t", 1) for line in text("cat", f"/proc/{pid}/status").splitlines())
    own = text("id", "-u", "emotion-edge")
    assert own != "0"
    assert status["Uid"].split() == [own] * 4
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    video = text("getent", "group", "video").split(":")[2]
    assert video in status["Groups"].split()


def test_who_watches_needs_the_token_of_the_unit(running: Service) -> None:
    assert running.ask("/state", token=None).status == 401
    assert running.ask("/state", token="another-one").status == 401
    assert running.ask("/state", token=TOKEN).status == 200


def test_stopping_takes_no_longer_than_two_seconds_and_keeps_what_was_seen(running: Service) -> None:
    wait_for_events(running)
    took_s = running.stop()
    after = running.properties()
    assert (after["ActiveState"], after["Result"], after["ExecMainStatus"]) == ("inactive", "success", "0")
    assert took_s <= 2.0
    assert running.machine.text("stat", "--format=%U %a", STATE) == "emotion-edge 700"


def wait_for_events(service: Service) -> None:
    """Until something was seen and is on disk."""
    end_s = time.monotonic() + 30
    while service.machine.run("test", "-s", EVENTS, check=False).returncode:
        assert time.monotonic() < end_s, service.journal()
        time.sleep(0.2)


def test_a_bad_configuration_ends_the_service_for_good(service: Service) -> None:
    service.configure('[source]\nurl = "demo"\n')
    assert service.machine.run("systemctl", "start", UNIT, check=False).returncode != 0
    after = service.wait_for(ActiveState="failed")  # not "activating": no restart is under way
    assert (after["ExecMainStatus"], after["NRestarts"]) == ("78", "0")
    assert "did you mean `source.uri`?" in service.journal()


def test_a_crash_is_followed_by_a_restart(running: Service) -> None:
    running.machine.run("kill", "-KILL", running.properties()["MainPID"])
    after = running.wait_for(NRestarts="1", ActiveState="active")
    assert after["SubState"] == "running"


def test_the_guide_tells_how_to_open_the_page_to_the_network(service: Service) -> None:
    drop_in = re.search(r"```ini\n(.*?)```", (DEPLOY / "README.md").read_text(), re.DOTALL)
    assert drop_in
    service.configure(WATCH_DEMO)
    with service.overridden(drop_in[1]):
        service.start()
        assert ":8080/" in service.journal()
        assert TOKEN not in service.journal()
        assert service.ask("/", token=None).status == 401
        assert service.ask("/").status == 200


def test_a_program_that_hangs_is_killed_and_started_again(running: Service) -> None:
    assert running.properties()["WatchdogUSec"] not in ("0", "infinity")
    # the same rules, sooner
    with running.overridden("[Service]\nWatchdogSec=2\nTimeoutStopSec=1\nRestartSec=1\n"):
        running.machine.run("systemctl", "restart", UNIT)
        running.machine.run("kill", "-STOP", running.properties()["MainPID"])
        running.wait_for(NRestarts="1", ActiveState="active")
        assert "Watchdog timeout" in running.journal()
