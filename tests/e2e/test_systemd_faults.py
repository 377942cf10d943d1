"""What becomes of the service when the program fails: it comes back, and neither at once for ever nor too late."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.service import PYTHON, STATE, TOKEN_FILE, UNIT, Service
from tests.viewer import Viewer

pytestmark = [pytest.mark.systemd, pytest.mark.slow]

CAN_FAIL = f"[Service]\nExecStart=\nExecStart={PYTHON} -m tests.stages.inside.wedged run\n"
SOONER = "Environment=SILENT_S=2\nWatchdogSec=3\nRestartSec=1\n"
"""The same rules as the unit's and the program's, with shorter times."""
CRASHES = f"[Service]\nExecStart=\nExecStart={PYTHON} -c 'raise SystemExit(1)'\n"

LONGEST_STOP_S = 2.0

Show = Callable[[str], None]


@contextmanager
def able_to_fail(service: Service, settings: str = "") -> Iterator[str]:
    """The service on the demo, with a program that fails when told to; gives its process."""
    with service.overridden(CAN_FAIL + settings):
        service.start()
        service.online()
        yield service.properties()["MainPID"]


def tell(service: Service, fault: str) -> float:
    """Let the program fail; returns the time."""
    service.machine.run("touch", f"{STATE}/wedge-{fault}")
    return time.monotonic()


def back(service: Service, pid: str, since_s: float) -> tuple[dict[str, str], str]:
    """Its properties once it streams again, and how long that took, in words."""
    found = service.restarted(pid)
    ready_s = time.monotonic() - since_s
    service.online()
    with Viewer(service) as viewer:
        viewer.wait(1)
    return found, f"READY again after {ready_s:.1f} s, the next picture after {time.monotonic() - since_s:.1f} s"


def test_a_wedged_analysis_ends_in_a_restart_within_the_units_own_times(service: Service, show: Show) -> None:
    with able_to_fail(service) as pid, Viewer(service) as viewer:
        viewer.wait(3)
        found, told = back(service, pid, tell(service, "infer"))
        assert found["NRestarts"] == "1"
        log = service.journal()
        assert "infer has been silent for" in log
        assert "in forever" in log, "where the threads were is not in the log"
        assert "Watchdog timeout" in log
        show(f"wedged inference thread, the unit's own limits (watchdog {found['WatchdogUSec']}): {told}")


@pytest.mark.parametrize("part", ["capture", "present"])
def test_any_other_wedged_worker_ends_in_a_restart(service: Service, show: Show, part: str) -> None:
    with able_to_fail(service, SOONER) as pid, Viewer(service) as viewer:
        viewer.wait(3)
        found, told = back(service, pid, tell(service, part))
        assert found["NRestarts"] == "1"
        log = service.journal()
        assert f"{part} has been silent for" in log
        assert "Watchdog timeout" in log
        show(f"wedged {part} thread, shortened limits (2 s and 3 s): {told}")


def test_a_wedged_event_loop_ends_in_a_restart(service: Service, show: Show) -> None:
    with able_to_fail(service, SOONER) as pid:
        found, told = back(service, pid, tell(service, "loop"))
        assert found["NRestarts"] == "1"
        assert "Watchdog timeout" in service.journal()
        show(f"wedged event loop, shortened limits (3 s): {told}")


@pytest.mark.parametrize("part", ["infer", "loop"])
def test_stopping_does_not_wait_for_what_is_wedged(service: Service, show: Show, part: str) -> None:
    with able_to_fail(service):
        told = f"{STATE}/wedge-{part}"
        tell(service, part)
        end_s = time.monotonic() + 20
        while service.machine.run("test", "-e", told, check=False).returncode == 0:
            assert time.monotonic() < end_s, f"{part} was not called"
            time.sleep(0.1)
        took_s = service.stop()
        assert service.properties()["Result"] == "success"
        assert took_s <= LONGEST_STOP_S
        show(f"stop with a wedged {part}: {took_s:.2f} s")


def test_an_error_nobody_expected_ends_in_a_restart_and_is_in_the_log(service: Service, show: Show) -> None:
    with able_to_fail(service) as pid:
        found, told = back(service, pid, tell(service, "crash"))
        assert found["NRestarts"] == "1"
        log = service.journal()
        assert "ZeroDivisionError" in log
        assert "status=1/FAILURE" in log
        show(f"unexpected error in the analysis: {told}")


def test_a_killed_program_is_started_again(service: Service, show: Show) -> None:
    service.start()
    service.online()
    pid = service.properties()["MainPID"]
    since_s = time.monotonic()
    service.machine.run("kill", "-KILL", pid)
    found, told = back(service, pid, since_s)
    assert found["NRestarts"] == "1"
    show(f"kill -9: {told}")


def test_one_that_never_starts_is_given_up_and_can_be_started_by_hand(service: Service, show: Show) -> None:
    with service.overridden(CRASHES + "RestartSec=0.1\n"):
        service.machine.run("systemctl", "start", UNIT, check=False)
        found = service.wait_for(ActiveState="failed", timeout_s=120)
        log = service.journal()
        assert "Start request repeated too quickly" in log
        assert service.machine.run("systemctl", "start", UNIT, check=False).returncode != 0
    # the drop-in is gone, and with it what was wrong; leaving it has also done `systemctl reset-failed`
    service.configure()
    service.start()
    service.online()
    assert service.properties()["NRestarts"] == "0"
    burst, over = found["StartLimitBurst"], found["StartLimitIntervalUSec"]
    show(f"never starts: given up after {found['NRestarts']} restarts ({burst} starts in {over}); started by hand: ok")


def test_the_limit_holds_until_somebody_resets_it(service: Service) -> None:
    with service.overridden(CRASHES + "RestartSec=0.1\n"):
        service.machine.run("systemctl", "start", UNIT, check=False)
        service.wait_for(ActiveState="failed", timeout_s=120)
        service.machine.run("systemctl", "reset-failed", UNIT)
        assert service.properties()["ActiveState"] == "inactive"
        # tried again: what it fails of now is itself, not the limit
        service.machine.run("systemctl", "start", UNIT, check=False)
        assert service.wait_for(ActiveState="failed", timeout_s=120)["ExecMainStatus"] == "1"


def test_a_token_that_is_missing_is_told_and_not_tried_again(service: Service, show: Show) -> None:
    service.machine.run("mv", TOKEN_FILE, f"{TOKEN_FILE}.away")
    try:
        service.machine.run("systemctl", "start", UNIT, check=False)
        found = service.wait_for(ActiveState="failed")
        assert (found["ExecMainStatus"], found["NRestarts"]) == ("78", "0")
        assert "the credential token is empty" in service.journal()
        show("no token: exit 78, 0 restarts")
    finally:
        service.machine.run("mv", f"{TOKEN_FILE}.away", TOKEN_FILE)


def test_a_configuration_that_is_wrong_is_not_tried_again_and_a_mended_one_starts(service: Service, show: Show) -> None:
    service.configure('[source]\nurl = "demo"\n')
    with service.overridden("[Service]\nRestartSec=0.1\n"):
        service.machine.run("systemctl", "start", UNIT, check=False)
        service.wait_for(ActiveState="failed")
        time.sleep(2.0)  # twenty times RestartSec
        found = service.properties()
        assert (found["ActiveState"], found["ExecMainStatus"], found["NRestarts"]) == ("failed", "78", "0")
        assert service.journal().count("did you mean `source.uri`?") == 1
        service.configure()
        took_s = service.start()  # without `systemctl reset-failed`
        show(f"bad configuration: exit 78, 0 restarts; mended and started: READY after {took_s:.2f} s")
