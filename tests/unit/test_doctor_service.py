"""The doctor on the systemd service."""

import subprocess
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.doctor import service
from edge.doctor.findings import Finding
from edge.doctor.systemd import read_unit
from edge.doctor.world import HIDDEN, Settings, Unit, User, World
from edge.server.settings import ServerSettings
from edge.status import SOURCE_STATES, SourceStatus, Status, in_one_line
from tests.doctoring import machine, systemctl, told

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT = "/etc/systemd/system/emotion-edge.service"
PROGRAM = "/opt/emotion-edge/venv/bin/emotion-edge"
WELL = {
    "LoadState": "loaded",
    "UnitFileState": "enabled",
    "ActiveState": "active",
    "SubState": "running",
    "Result": "success",
    "ExecMainStatus": "0",
    "MainPID": "4711",
    "NRestarts": "0",
    "NeedDaemonReload": "no",
    "StatusText": "online, 14.9 fps, 1 faces",
}
FAILED = {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "MainPID": "0"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A machine with the service installed as `deploy/` has it, seen by the service's own user and program."""
    root = tmp_path / "root"
    files = {
        UNIT: (DEPLOY / "emotion-edge.service").read_text(),
        f"{UNIT}.d/picamera2.conf": (DEPLOY / "picamera2.conf").read_text(),
        PROGRAM: "#!/bin/sh\n",
        "/etc/emotion-edge/token": "geheim-geheim",
    }
    for path, text in files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o600)
    world = machine(root, user=User("emotion-edge", 995, ("emotion-edge", "video")))
    return replace(world, python=replace(world.python, prefix=f"{root}/opt/emotion-edge/venv"))


def look(world: World, monkeypatch: pytest.MonkeyPatch, **properties: str) -> tuple[Finding, ...]:
    """What is found where systemd tells what is well, but for these properties."""
    systemctl(monkeypatch, Path(world.root).parent, **{**WELL, **properties})
    return tuple(service.check(service.learn(world)))


def test_a_running_service_is_well_and_says_how_fast_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = look(world, monkeypatch)
    assert finding == told([finding], "service-ok")
    assert finding.found == "process 4711: online, 14.9 fps, 1 faces"


def test_the_unit_of_deploy_is_understood(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl(monkeypatch, Path(world.root).parent, **WELL)
    unit = read_unit(world)
    assert (unit.path, unit.program, unit.user, unit.pid) == (UNIT, PROGRAM, "emotion-edge", 4711)
    assert "video" in unit.groups
    assert dict(unit.credentials)["token"] == "/etc/emotion-edge/token"
    assert unit.drop_ins == (f"{UNIT}.d/picamera2.conf",)


def test_without_systemd_there_is_nothing_to_look_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl(monkeypatch, tmp_path)
    told(service.check(service.learn(machine(tmp_path / "root"))), "no-systemd")
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    told(service.check(service.learn(machine(tmp_path / "root"))), "no-systemd")


def test_a_unit_without_a_systemd_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl(monkeypatch, Path(world.root).parent)
    assert "is installed" in told(service.check(service.learn(world)), "no-systemd").found


def test_a_checkout_without_a_service_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = look(machine(tmp_path / "root"), monkeypatch, LoadState="not-found", ActiveState="inactive")
    finding = told(findings, "service-not-installed")
    assert (len(findings), finding.severity) == (1, "note")


def test_a_service_that_does_not_start_with_the_machine_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = look(world, monkeypatch, UnitFileState="disabled")
    assert told(findings, "service-not-enabled").found == "disabled"
    told(findings, "service-ok")


def test_a_service_that_is_stopped_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told(look(world, monkeypatch, ActiveState="inactive", SubState="dead", MainPID="0"), "service-stopped")


@pytest.mark.parametrize(
    ("code", "properties"),
    [
        ("service-failed", {"ExecMainStatus": "1"}),
        ("service-failed", {"Result": "signal", "ExecMainStatus": "11"}),
        ("service-refused-configuration", {"ExecMainStatus": "78"}),
        ("service-credentials-missing", {"ExecMainStatus": "243"}),
        ("service-program-missing", {"ExecMainStatus": "203"}),
        ("service-start-limit", {"Result": "start-limit-hit", "ExecMainStatus": "78"}),
        ("service-start-limit", {"ExecMainStatus": "1", "NRestarts": "9", "StartLimitBurst": "10"}),
        ("service-failed", {"ExecMainStatus": "1", "NRestarts": "8", "StartLimitBurst": "10"}),
        ("service-failed", {"ExecMainStatus": "1", "NRestarts": "8", "StartLimitBurst": "0"}),
        ("service-hung", {"Result": "watchdog", "ExecMainStatus": "6"}),
        ("service-out-of-memory", {"Result": "oom-kill", "ExecMainStatus": "9"}),
    ],
)
def test_a_service_that_has_failed_is_told_why(
    world: World, monkeypatch: pytest.MonkeyPatch, code: str, properties: dict[str, str]
) -> None:
    (finding,) = look(world, monkeypatch, **{**FAILED, **properties})
    assert (finding.code, finding.severity) == (code, "fault")
    assert f"exit status {properties['ExecMainStatus']}" in finding.found


def test_each_kind_of_failure_has_its_own_way_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fix(code: str, **properties: str) -> str:
        return told(look(world, monkeypatch, **{**FAILED, **properties}), code).command

    assert "journalctl -u emotion-edge" in fix("service-failed", ExecMainStatus="1")
    assert "restart" in fix("service-refused-configuration", ExecMainStatus="78")
    assert "reset-failed" in fix("service-start-limit", Result="start-limit-hit")
    assert "journalctl" in fix("service-hung", Result="watchdog")
    assert "MemoryMax" in fix("service-out-of-memory", Result="oom-kill")


def test_a_service_that_ends_again_and_again_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = look(world, monkeypatch, ActiveState="activating", SubState="auto-restart", MainPID="0", NRestarts="7")
    assert "7 restarts" in told(findings, "service-restarting").found
    queued = look(world, monkeypatch, ActiveState="activating", SubState="auto-restart-queued", MainPID="0")
    told(queued, "service-restarting")


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"NRestarts": "1"}, "process 4711: online, 14.9 fps, 1 faces, restarted once"),
        ({"NRestarts": "12"}, "process 4711: online, 14.9 fps, 1 faces, restarted 12 times"),
        ({"ActiveState": "activating", "SubState": "start", "StatusText": ""}, "process 4711 is starting"),
    ],
)
def test_a_service_that_runs_tells_how_it_came_to(
    world: World, monkeypatch: pytest.MonkeyPatch, properties: dict[str, str], words: str
) -> None:
    (finding,) = look(world, monkeypatch, **properties)
    assert told([finding], "service-ok").found == words


def test_a_service_that_is_being_stopped_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = look(world, monkeypatch, ActiveState="deactivating", SubState="stop-sigterm")
    assert told(findings, "service-stopped").found == "stopping"


def test_a_service_without_pictures_is_found_once_it_had_time_for_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = "waiting for the camera v4l2:/dev/video0: there is no /dev/video0"
    finding = told(look(world, monkeypatch, StatusText=says), "service-without-pictures")
    assert finding.severity == "fault"
    assert finding.found == f"process 4711: {says}"
    assert finding.command == "sudo journalctl -u emotion-edge -n 30 --no-pager"
    started_us = str(time.monotonic_ns() // 1000)
    told(look(world, monkeypatch, StatusText=says, ActiveEnterTimestampMonotonic=started_us), "service-ok")


@pytest.mark.parametrize("state", SOURCE_STATES)
def test_what_a_service_says_of_its_source_tells_whether_it_has_pictures(state: str) -> None:
    shown = in_one_line(
        Status("", 0.0, SourceStatus("demo", state, "so"), "", "", "", (), 0.0, 0, 0, None, {}, {}, {}, 0, 0)
    )
    unit = Unit(active="active", pid=1, says=shown)
    assert unit.without_pictures == (state in ("starting", "stalled", "reconnecting", "failed"))
    assert not replace(unit, says="").without_pictures


def test_a_masked_service_is_found_with_what_unmasks_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    masked = {"LoadState": "masked", "UnitFileState": "masked"}
    findings = look(world, monkeypatch, **masked, ActiveState="inactive", SubState="dead", MainPID="0")
    finding = told(findings, "service-masked")
    assert len(findings) == 1, "to start or to enable it is refused"
    assert "unmask emotion-edge && sudo systemctl enable --now" in finding.command
    told(look(world, monkeypatch, **masked), "service-ok")


@pytest.mark.parametrize("state", ["bad-setting", "error"])
def test_a_unit_that_systemd_cannot_read_is_found(world: World, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    (finding,) = look(world, monkeypatch, LoadState=state, ActiveState="inactive", SubState="dead", MainPID="0")
    assert told([finding], "service-unit-invalid").command == "systemd-analyze verify emotion-edge.service"
    assert finding.severity == "fault"


def test_who_asks_as_the_service_is_answered_from_the_services_folder(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemctl(monkeypatch, Path(world.root).parent, **WELL)
    home = str(world.path("/var/lib/emotion-edge"))
    asked = service.learn(replace(world, folder="/root", state="/nonexistent"))
    assert (asked.folder, asked.state) == (home, home)
    other = service.learn(replace(world, folder="/root", python=replace(world.python, prefix="/home/edge/.venv")))
    assert other.folder == "/root", "a program of one's own, as the user of the service"


def test_a_missing_program_is_found_before_the_service_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.path(PROGRAM).unlink()
    assert PROGRAM in told(look(world, monkeypatch, **FAILED), "service-program-missing").expected


def test_a_packaged_service_is_installed_again_as_a_package(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = world.path("/lib/systemd/system/emotion-edge.service")
    packaged.parent.mkdir(parents=True)
    world.path(UNIT).rename(packaged)
    world.path(PROGRAM).unlink()
    finding = told(look(world, monkeypatch, **FAILED), "service-program-missing")
    assert finding.command == "sudo apt-get install --reinstall ./emotion-edge_*.deb"
    service_python = replace(world.python, prefix="/opt/emotion-edge/venv")
    inside = replace(world, python=service_python, unit=Unit(path="/lib/systemd/system/emotion-edge.service"))
    without_pip = inside.finding("runtime-missing", "none")
    assert without_pip.command == "sudo apt-get install --reinstall ./emotion-edge_*.deb"
    assert " -m pip install " in replace(inside, unit=Unit(path=UNIT)).finding("runtime-missing", "none").command
    assert "pip" not in machine(Path(world.root)).finding("model-altered", "other").command


def test_a_missing_credential_is_found_with_what_makes_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.path("/etc/emotion-edge/token").unlink()
    finding = told(look(world, monkeypatch, **FAILED), "service-credentials-missing")
    assert finding.command.endswith(" sh /etc/emotion-edge/token")
    assert "umask 077" in finding.command


@pytest.mark.parametrize("named", ["token", "a token's"])
def test_the_command_that_makes_a_credential_makes_it_where_it_was_missing_and_spoils_none(
    tmp_path: Path, named: str
) -> None:
    file = tmp_path / named
    command = (
        machine(tmp_path, user=User("root", 0)).finding("service-credentials-missing", "gone", path=str(file)).command
    )
    subprocess.run(["sh", "-c", command], check=True)
    token = file.read_text()
    assert len(token.strip()) == 43
    assert file.stat().st_mode & 0o777 == 0o600
    assert subprocess.run(["sh", "-c", command], check=False, capture_output=True).returncode != 0
    assert file.read_text() == token


def test_a_credential_that_the_configuration_makes_up_for_is_not_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.path("/etc/emotion-edge/token").unlink()
    stopped = {"ActiveState": "inactive", "SubState": "dead", "MainPID": "0"}
    has_one = replace(world, settings=Settings(server=ServerSettings(token=HIDDEN)))
    assert [finding.code for finding in look(has_one, monkeypatch, **stopped)] == ["service-stopped"]
    assert [finding.code for finding in look(world, monkeypatch)] == ["service-ok"], "what runs has had one"
    of_another = replace(has_one, user=User("pi", 1000))
    told(look(of_another, monkeypatch, **stopped), "service-credentials-missing")
    refused = replace(has_one, settings=replace(has_one.settings, refused="config-invalid"))
    told(look(refused, monkeypatch, **stopped), "service-credentials-missing")


def test_a_credential_that_others_may_read_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.path("/etc/emotion-edge/token").chmod(0o644)
    findings = look(world, monkeypatch)
    assert told(findings, "token-open-to-others").command == "sudo chmod 600 /etc/emotion-edge/token"
    told(findings, "service-ok")


def test_a_unit_that_systemd_has_not_read_again_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "daemon-reload" in told(look(world, monkeypatch, NeedDaemonReload="yes"), "service-needs-reload").command


def test_a_ribbon_camera_that_the_service_may_not_use_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.path("/usr/lib/python3/dist-packages/picamera2").mkdir(parents=True)
    told(look(world, monkeypatch), "service-ok")
    world.path(f"{UNIT}.d/picamera2.conf").unlink()
    finding = told(look(world, monkeypatch), "service-drop-in-missing")
    assert finding.expected == f"a file {UNIT}.d/picamera2.conf"


def test_who_is_not_the_service_is_told_how_to_ask_as_the_service(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pi = replace(world, user=User("pi", 1000), python=replace(world.python, prefix="/home/pi/edge/.venv"))
    finding = told(look(pi, monkeypatch), "not-the-service")
    assert finding.found.startswith("this is pi in /home/pi/edge/.venv; the service runs as emotion-edge in /opt/")
    assert finding.command == f"sudo -u emotion-edge {PROGRAM} doctor"
    root = replace(pi, user=User("root", 0))
    assert told(look(root, monkeypatch), "not-the-service").command == f"runuser -u emotion-edge -- {PROGRAM} doctor"


def test_an_environment_behind_a_link_is_the_services_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    venv = world.path("/opt/emotion-edge/venv")
    release = venv.with_name("releases") / "0.1.0"
    release.parent.mkdir()
    venv.rename(release)
    venv.symlink_to(release)
    inside = replace(world, python=replace(world.python, prefix=str(release)))
    assert [finding.code for finding in look(inside, monkeypatch)] == ["service-ok"]


def test_a_drop_in_changes_what_the_unit_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    override = "[Service]\n# User=nobody\nUser=camera\nExecStart=\nExecStart=-/srv/bin/emotion-edge run \\\n  --lan\n"
    world.path(f"{UNIT}.d/override.conf").write_text(override)
    systemctl(monkeypatch, Path(world.root).parent, **WELL)
    unit = read_unit(world)
    assert (unit.user, unit.program) == ("camera", "/srv/bin/emotion-edge")
    assert unit.drop_ins == (f"{UNIT}.d/override.conf", f"{UNIT}.d/picamera2.conf")
