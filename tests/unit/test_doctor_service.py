"""The doctor on the systemd service."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.doctor import service
from edge.doctor.findings import Finding
from edge.doctor.systemd import read_unit
from edge.doctor.world import User, World
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


def test_a_missing_credential_is_found_with_what_makes_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.path("/etc/emotion-edge/token").unlink()
    finding = told(look(world, monkeypatch, **FAILED), "service-credentials-missing")
    assert finding.command.endswith(">/etc/emotion-edge/token'")
    assert "umask 077" in finding.command


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
