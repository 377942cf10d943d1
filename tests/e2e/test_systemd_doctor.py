"""The doctor beside the installed service, on a real systemd, asked by the service's user, root and anybody else."""

import json
from typing import Any

import pytest

from tests.service import CONFIG, HOME, PYTHON, STATE, TOKEN, TOKEN_FILE, UNIT, UNIT_FILE, Service

pytestmark = [pytest.mark.systemd, pytest.mark.slow]

PROGRAM = f"{HOME}/venv/bin/emotion-edge"
CRASHES = f"[Service]\nExecStart=\nExecStart={PYTHON} -c 'raise SystemExit(1)'\nRestartSec=100ms\n"


def ask(service: Service, user: str = "emotion-edge", folder: str = "/") -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit status, and the findings by code."""
    as_user = ("env", "-C", folder, "runuser", "-u", user, "--")
    command = (*as_user, "env", "-i", "HOME=/nonexistent", "PATH=/usr/bin:/bin", PROGRAM, "doctor")
    done = service.machine.run(*command, "--json", check=False, timeout_s=200)
    text = done.stdout.decode()
    assert text, done.stderr.decode()
    assert TOKEN not in text + done.stderr.decode()
    report = json.loads(text)
    assert report["exit"] == done.returncode
    assert report["user"] == user
    return done.returncode, {finding["code"]: finding for finding in report["findings"]}


def test_a_service_that_runs_is_well_and_is_not_disturbed(service: Service) -> None:
    service.start()
    service.wait_for_status("online")
    pid = service.properties()["MainPID"]
    status, found = ask(service)
    assert status == 0, found
    assert f"process {pid}: online" in found["service-ok"]["found"]
    assert {"port-of-service", "configuration-ok", "runtime-ok", "model-ok", "access-ok", "disk-ok"} <= found.keys()
    assert "not-the-service" not in found
    assert CONFIG in found["configuration-ok"]["found"]
    assert service.properties()["MainPID"] == pid
    assert service.online()["source"]["reconnects"] == 0


def test_relative_paths_are_the_services_wherever_it_is_asked_from(service: Service) -> None:
    service.configure('[source]\nuri = "demo"\n[events]\npath = "events.jsonl"\n')
    service.start()
    service.wait_for_status("online")
    service.machine.run("mkdir", "-p", "-m", "0700", "/root/closed")
    status, found = ask(service, folder="/root/closed")
    assert status == 0, found
    assert f"for the event log in {STATE}" in found["disk-ok"]["found"]


def test_a_service_without_pictures_is_a_fault_with_what_is_wrong_with_its_camera(service: Service) -> None:
    service.configure('[source]\nuri = "v4l2:/dev/video77"\n')
    service.start()
    service.wait_for_status("waiting for the camera")
    service.machine.run("sleep", "21")  # in which a camera may be opened
    status, found = ask(service)
    assert status == 1, found
    assert {"service-without-pictures", "camera-missing"} <= found.keys()
    assert "/dev/video77" in found["service-without-pictures"]["found"]


def test_a_unit_that_systemd_cannot_use_is_found(service: Service) -> None:
    with service.overridden("[Service]\nExecStart=\n"):
        found = ask(service, "root")[1]
    assert found["service-unit-invalid"]["severity"] == "fault"


def test_root_is_told_how_to_ask_as_the_service_and_that_works(service: Service) -> None:
    service.start()
    status, found = ask(service, "root")
    assert status == 0, found
    command = found["not-the-service"]["command"]
    assert command.startswith("runuser -u emotion-edge -- ")
    told = service.machine.run("sh", "-c", command, timeout_s=200).stdout.decode()
    assert "for the user emotion-edge" in told
    assert "not-the-service" not in told


def test_anybody_else_is_told_what_they_may_know_and_whom_to_ask(service: Service) -> None:
    service.machine.run("sh", "-c", "id guest >/dev/null 2>&1 || useradd --no-create-home guest")
    service.start()
    status, found = ask(service, "guest")
    assert status == 78
    assert found["config-unreadable"]["command"] == f"sudo -u emotion-edge {PROGRAM} doctor"
    assert {"service-ok", "not-the-service", "port-of-service"} <= found.keys()
    assert "service-credentials-missing" not in found, "who may not look into a folder does not know what is missing"


def test_a_refused_configuration_is_found_and_that_the_service_was_not_started_again(service: Service) -> None:
    service.configure('[source]\nurl = "demo"\n')
    service.machine.run("systemctl", "start", UNIT, check=False)
    service.wait_for(ActiveState="failed")
    status, found = ask(service)
    assert status == 78
    assert "did you mean `source.uri`?" in found["config-invalid"]["found"]
    assert "exit status 78" in found["service-refused-configuration"]["found"]


def test_a_token_that_is_gone_is_found_and_the_command_that_is_told_makes_one(service: Service) -> None:
    service.machine.run("rm", TOKEN_FILE)
    try:
        service.machine.run("systemctl", "start", UNIT, check=False)
        status, found = ask(service, "root")
        assert status == 1
        service.machine.run("sh", "-c", found["service-credentials-missing"]["command"])
        service.end()
        service.start()
        assert "service-credentials-missing" not in ask(service, "root")[1]
    finally:
        service.machine.write(TOKEN_FILE, f"{TOKEN}\n")
        service.machine.run("chmod", "600", TOKEN_FILE)


def test_a_start_limit_that_was_hit_is_found_and_the_command_that_is_told_ends_it(service: Service) -> None:
    with service.overridden(CRASHES):
        service.machine.run("systemctl", "start", UNIT, check=False)
        service.wait_for(ActiveState="failed")
        status, found = ask(service)
        assert status == 1, found
        command = found["service-start-limit"]["command"]
    service.machine.run("sh", "-c", command.replace("sudo ", ""))
    assert "service-ok" in ask(service)[1]


def test_a_service_that_is_stopped_and_not_enabled_is_found(service: Service) -> None:
    service.machine.run("systemctl", "disable", UNIT)
    found = ask(service)[1]
    assert {"service-stopped", "service-not-enabled"} <= found.keys()
    service.machine.run("sh", "-c", found["service-not-enabled"]["command"].removeprefix("sudo "))
    try:
        assert not {"service-stopped", "service-not-enabled"} & ask(service)[1].keys()
    finally:
        service.machine.run("systemctl", "disable", UNIT)


def test_a_unit_that_was_changed_and_not_read_again_is_found(service: Service) -> None:
    service.start()
    service.machine.run("touch", UNIT_FILE)
    command = ask(service, "root")[1]["service-needs-reload"]["command"]
    service.machine.run("sh", "-c", command)
    assert "service-needs-reload" not in ask(service)[1]
