"""`emotion-edge doctor` as it is called: real processes, in made-up surroundings."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from edge.classifier import SHIPPED
from edge.doctor.asking import Order, ask
from edge.doctor.codes import TABLE
from edge.doctor.findings import SEVERITIES, Report
from edge.doctor.groups import GROUPS, Group
from edge.doctor.runner import Examination
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


def test_without_a_home_or_any_variable_it_still_answers(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge", "doctor", "--json"],
        env={"PYTHONPATH": str(ROOT), "HOME": "/nonexistent"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert msgspec.json.decode(done.stdout, type=Report).findings


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_user_without_name_or_rights_is_told_what_holds_for_that_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    script = "import os, sys; os.setgroups([]); os.setgid(54321); os.setuid(54321); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", script, sys.executable, "-m", "edge", "doctor", "--json"]
    variables = {"PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=variables, cwd="/", capture_output=True, timeout=120, check=False)
    if b"No module named edge" in done.stderr or b"Permission denied" in done.stderr:
        pytest.skip("the checkout or its Python is closed to other users")
    assert msgspec.json.decode(done.stdout, type=Report).user == "54321"
