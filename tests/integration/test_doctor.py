"""`emotion-edge doctor` as it is called: real processes, in made-up surroundings."""

import errno
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from edge.classifier import SHIPPED
from edge.doctor.asking import Order, Reply, ask
from edge.doctor.codes import TABLE
from edge.doctor.findings import SEVERITIES, Finding, Report, exit_of
from edge.doctor.groups import GROUPS, Group
from edge.doctor.runner import Examination, report
from edge.doctor.world import World
from tests.doctoring import asked, library, own_world, told

ROOT = Path(__file__).parents[2]
SECRET = "geheim-geheim"


def doctor(folder: Path, *arguments: str, libraries: Path | None = None, **environment: str) -> Any:
    """The command's answer; without a service, with nobody's settings."""
    plain = {
        "PATH": "/nowhere",
        "HOME": str(folder),
        "EMOTION_EDGE_CONFIG": "",
        "PYTHONPATH": os.pathsep.join(map(str, filter(None, (libraries, ROOT)))),
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-m", "edge", "doctor", *arguments],
        env=plain,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def settings(folder: Path, text: str = '[source]\nuri = "demo"\n[server]\nport = 0\n') -> str:
    file = folder / "config.toml"
    file.write_text(text)
    return str(file)


def test_programs_are_answered_as_the_schema_says(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--json", "--config", settings(tmp_path))
    found = json.loads(done.stdout)
    assert list(found) == ["schema", "version", "user", "program", "config", "findings", "counts", "exit"]
    report = msgspec.convert(found, Report)
    assert (report.schema, report.exit, report.config) == (1, done.returncode, str(tmp_path / "config.toml"))
    assert done.returncode == 0, done.stdout
    assert {finding.code for finding in report.findings} <= TABLE.keys()
    assert sum(report.counts.values()) == len(report.findings)
    assert tuple(report.counts) == SEVERITIES
    areas = [finding.area for finding in report.findings]
    assert {"python", "environment", "packages", "runtime", "models", "cameras", "configuration", "network"} <= {*areas}
    keys = ["code", "severity", "area", "title", "found", "expected", "fix", "command"]
    assert all(list(finding) == keys for finding in found["findings"])
    assert report.program == sys.prefix
    assert done.stderr == ""


def test_people_are_told_for_whom_it_speaks_and_what_is_well(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--config", settings(tmp_path))
    assert done.returncode == 0, done.stdout
    assert re.match(r"emotion-edge \S+ on .+, for the user \w+, in ", done.stdout)
    assert f"ok       Python {'.'.join(map(str, sys.version_info[:3]))}, 64-bit" in done.stdout
    assert "note     no-systemd" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if " " in line.strip()) <= 120


def test_a_refused_configuration_ends_with_78_and_everything_else_is_still_looked_at(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--json", "--config", settings(tmp_path, '[source]\nurl = "demo"\n'))
    found = msgspec.json.decode(done.stdout, type=Report)
    assert "did you mean `source.uri`?" in told(found.findings, "config-invalid").found
    told(found.findings, "runtime-ok")
    assert done.returncode == found.exit == 78


def test_a_fault_ends_with_1(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--config", settings(tmp_path, '[source]\nuri = "file:/nowhere.mp4"\n[server]\nport = 0\n'))
    assert "fault    source-unusable" in done.stdout
    assert done.returncode == 1


def test_neither_tokens_nor_passwords_are_told(tmp_path: Path) -> None:
    uri = f"rtsp://admin:{SECRET}@127.0.0.1:9/stream?key={SECRET}"
    text = f'[source]\nuri = "{uri}"\n[server]\nhost = "127.0.0.1"\nport = 0\ntoken = "{SECRET}"\n'
    by_file = doctor(tmp_path, "--json", "--config", settings(tmp_path, text))
    by_environment = doctor(tmp_path, EMOTION_EDGE_SERVER_TOKEN=SECRET, EMOTION_EDGE_SOURCE_URI=uri)
    for done in (by_file, by_environment):
        assert "camera-no-picture" in done.stdout
        assert SECRET not in done.stdout + done.stderr


def test_what_crashes_and_what_is_broken_does_not_keep_the_others_from_being_looked_at(tmp_path: Path) -> None:
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    libraries = library(tmp_path / "libraries", "numpy.__init__", crash)
    done = doctor(tmp_path, "--json", "--config", settings(tmp_path), libraries=libraries)
    found = msgspec.json.decode(done.stdout, type=Report).findings
    assert "SIGSEGV" in told(found, "numpy-unusable").found
    told(found, "opencv-unusable")
    told(found, "python-ok")
    told(found, "disk-ok")
    assert {finding.code for finding in found if finding.area == "doctor"} == {"check-crashed"}
    assert done.returncode == 1


def test_a_group_that_hangs_is_given_up(tmp_path: Path) -> None:
    libraries = library(tmp_path, "numpy.__init__", "import time; time.sleep(1000)")
    begun_s = time.monotonic()
    finding = told(asked("numpy", own_world(tmp_path), libraries, limit_s=1.0), "check-timed-out")
    assert "no result after 1 s" in finding.found
    assert time.monotonic() - begun_s < 30


def test_a_group_that_crashes_is_told(tmp_path: Path) -> None:
    libraries = library(tmp_path, "numpy.__init__", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    finding = told(asked("models", own_world(tmp_path), libraries), "check-crashed")
    assert "memory runs out" in finding.found


def test_a_group_that_cannot_be_made_is_told_with_the_reason(tmp_path: Path) -> None:
    libraries = library(tmp_path, "cv2.__init__", "raise ImportError('libGL.so.1 is not there')")
    finding = told(asked("models", own_world(tmp_path), libraries), "check-failed")
    assert "ImportError: libGL.so.1 is not there" in finding.found
    assert finding.severity == "warning"


def test_what_libraries_print_does_not_spoil_the_answer(tmp_path: Path) -> None:
    libraries = library(
        tmp_path, "numpy.__init__", "import os; os.write(1, b'hello'); print('hello'); __version__ = '1.26.4'"
    )
    assert "1.26.4" in told(asked("numpy", own_world(tmp_path), libraries), "numpy-ok").found


def test_a_process_whose_doctor_is_gone_ends_by_itself(tmp_path: Path) -> None:
    libraries = library(tmp_path, "numpy.__init__", "import time; time.sleep(1000)")
    environment = {**os.environ, "PYTHONPATH": f"{libraries}{os.pathsep}{ROOT}"}
    order = msgspec.json.encode(Order("numpy", -4.0, own_world(tmp_path)))  # the bound is 5 s later
    child = subprocess.run(
        [sys.executable, "-m", "edge.doctor.child"],
        check=False,
        input=order,
        env=environment,
        cwd="/",
        capture_output=True,
        timeout=60,
    )
    assert child.returncode == -signal.SIGALRM


def test_what_the_configuration_and_the_service_tell_is_known_to_all_others(tmp_path: Path) -> None:
    world = replace(own_world(tmp_path), config=settings(tmp_path))
    seen: dict[str, World] = {}

    def recording(group: Group, told: World) -> Any:
        seen[group.name] = told
        return ask(group, told) if group.name in ("configuration", "service") else ask(GROUPS["python"], told)

    visit = Examination(world, ask=recording)
    findings = tuple(visit.findings())
    assert len(findings) >= len(GROUPS)
    assert set(seen) == set(GROUPS)
    assert all(
        told.settings.source == "demo" for name, told in seen.items() if name not in ("configuration", "service")
    )


def test_paths_are_meant_from_where_the_person_is(tmp_path: Path) -> None:
    settings(tmp_path, '[source]\nuri = "demo"\n[server]\nport = 0\n[expression]\nmodel = "there.tflite"\n')
    (tmp_path / "there.tflite").write_bytes(SHIPPED.read_bytes())
    done = doctor(tmp_path, "--json", "--config", "config.toml")
    assert "there.tflite" in told(msgspec.json.decode(done.stdout, type=Report).findings, "model-ok").found


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """What a shell does in a folder, in nobody's surroundings; `$doctor` is the command."""
    command = f"{sys.executable} -m edge doctor"
    return subprocess.run(
        ["/bin/sh", "-c", script],
        env={"PYTHONPATH": str(ROOT), "doctor": command, "PATH": "/usr/bin:/bin", **variables},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_without_any_variable_it_still_answers(tmp_path: Path) -> None:
    done = shell("exec $doctor --json", tmp_path)
    assert msgspec.json.decode(done.stdout, type=Report).findings


def test_folders_whose_names_are_no_text_are_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode("é".encode() + b"\xe9")
    folder.mkdir()
    settings(folder)
    surroundings = {"HOME": str(folder), "PYTHONIOENCODING": "ascii"}
    done = shell("exec $doctor --json --config config.toml", folder, **surroundings)
    report = msgspec.json.decode(done.stdout, type=Report)
    told(report.findings, "configuration-ok")
    assert report.config == f"{tmp_path}/é\\xe9/config.toml", "JSON is UTF-8 everywhere"
    assert "needs no camera" in told(report.findings, "camera-ok").found, "what the file says is known to all"
    assert "check-failed" not in {finding.code for finding in report.findings}


def test_a_terminal_that_knows_ascii_only_and_a_folder_that_is_gone_are_no_hindrance(tmp_path: Path) -> None:
    script = "mkdir gone; cd gone; rmdir ../gone; exec $doctor --config there.toml"
    done = shell(script, tmp_path, PYTHONIOENCODING="ascii", HOME="/nonexistent")
    assert done.returncode == 78
    assert b"fault    config-missing" in done.stdout
    assert rb"(SHA-256 " in done.stdout, done.stdout
    assert rb"\u2026) answers" in done.stdout, "an ellipsis"


def visited(world: World, asked: Callable[[Group, World], Reply]) -> tuple[Examination, list[Finding]]:
    """A visit in which only some groups are really asked."""
    visit = Examination(world, ask=asked)
    return visit, list(visit.findings())


def nothing(_: Group, world: World) -> Reply:
    return Reply((), world)


def test_a_configuration_that_cannot_be_read_in_time_is_a_fault_and_is_waited_for_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.toml")
    world = replace(own_world(tmp_path), config=str(tmp_path / "config.toml"))
    real = ("configuration", "detectors")

    def some(group: Group, known: World) -> Reply:
        limit_s = 2.0 if group.name == "configuration" else group.limit_s
        return (ask if group.name in real else nothing)(replace(group, limit_s=limit_s), known)

    visit, findings = visited(world, some)
    assert told(findings, "config-hangs").severity == "fault"
    assert exit_of(findings) == 1
    assert report(visit.world, tuple(findings)).config == str(tmp_path / "config.toml")
    assert {finding.area for finding in findings} == {"configuration", "models"}
    assert "check-timed-out" not in {finding.code for finding in findings}


@pytest.mark.parametrize(
    ("first", "severities"), [("", ["fault", "warning"]), ("numpy", ["fault", "warning", "warning"])]
)
def test_checks_that_fail_without_a_fault_before_them_are_a_fault(
    tmp_path: Path, first: str, severities: list[str]
) -> None:
    def some(group: Group, known: World) -> Reply:
        if group.name == first:
            return Reply((known.finding("numpy-unusable", "broken"),), known)
        failed = group.name in ("opencv", "clock")
        return Reply((known.finding("check-failed", "no module"),) if failed else (), known)

    findings = visited(own_world(tmp_path), some)[1]
    assert [finding.severity for finding in findings] == severities
    assert exit_of(findings) == 1


def test_without_threads_groups_are_asked_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def python(group: Group, known: World) -> Reply:
        return Reply((known.finding("python-ok", group.name),), known)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert [finding.found for finding in visited(own_world(tmp_path), python)[1]] == list(GROUPS)


def test_without_room_for_a_process_its_group_is_told_to_have_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert "Resource temporarily unavailable" in told(asked("numpy", own_world(tmp_path)), "check-failed").found


@pytest.mark.parametrize("module", ["numpy.__init__", "simplejpeg"])
def test_who_interrupts_it_waits_for_nothing(tmp_path: Path, module: str) -> None:
    alive = tmp_path / "alive"
    text = f"""
import fcntl, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
file = open({str(alive)!r}, "w")
fcntl.flock(file, fcntl.LOCK_EX)
file.write("yes")
file.flush()
time.sleep(1000)
"""
    libraries = library(tmp_path, module, text)
    variables = {**os.environ, "PYTHONPATH": f"{libraries}{os.pathsep}{ROOT}", "EMOTION_EDGE_CONFIG": ""}
    command = [sys.executable, "-m", "edge", "doctor"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not (alive.exists() and alive.read_text()):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=GROUPS["numpy"].limit_s / 2)
    assert (process.returncode, complaints) == (130, b"")
    end_s = time.monotonic() + 10
    while locked(alive):
        assert time.monotonic() < end_s, "the process that was asked goes on"
        time.sleep(0.01)


def locked(path: Path) -> bool:
    """Whether a process has a lock on a file."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
@pytest.mark.parametrize("command", ["config show", "doctor --config nowhere.toml"])
def test_output_that_finds_no_room_ends_in_one_line(tmp_path: Path, command: str) -> None:
    done = shell(f"exec {sys.executable} -m edge {command} >/dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "emotion-edge: what it has to say cannot be written: No space left on device; make room"
    ]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_user_without_name_or_rights_is_told_what_holds_for_that_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    script = "import os, sys; os.setgroups([]); os.setgid(54321); os.setuid(54321); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", script, sys.executable, "-m", "edge", "doctor", "--json"]
    variables = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=variables, cwd="/", capture_output=True, timeout=120, check=False)
    if b"No module named edge" in done.stderr or b"Permission denied" in done.stderr:
        pytest.skip("the checkout or its Python is closed to other users")
    report = msgspec.json.decode(done.stdout, type=Report)
    assert report.user == "54321"
    assert "check-failed" not in {finding.code for finding in report.findings}
