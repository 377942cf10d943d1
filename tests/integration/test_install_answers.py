"""What deploy/install.sh says in the end: where the page is, and what the doctor has found."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.install_script import DEPLOY


def addresses(tmp_path: Path, config: str) -> str:
    (tmp_path / "config.toml").write_text(config)
    (tmp_path / "token").write_text("abc-_\n")
    files = (str(tmp_path / "config.toml"), str(tmp_path / "token"))
    command = ("python3", "-I", str(DEPLOY / "lib" / "addresses.py"), *files, "192.168.1.7 fd00::7 10.0.0.7")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("server", "shown"),
    [
        ("", ["http://127.0.0.1:8080/?token=abc-_"]),
        ("port = 81\ntls = true", ["https://127.0.0.1:81/?token=abc-_"]),
        ('token = "o/wn"', ["http://127.0.0.1:8080/?token=o%2Fwn"]),
        ('host = "::1"', ["http://[::1]:8080/?token=abc-_"]),
        ('host = "10.0.0.7"', ["http://10.0.0.7:8080/?token=abc-_"]),
    ],
)
def test_the_address_is_where_it_listens(tmp_path: Path, server: str, shown: list[str]) -> None:
    assert addresses(tmp_path, f"[server]\n{server}\n").split("\n")[1:-1] == [f"  {url}" for url in shown]


def test_on_all_interfaces_the_addresses_of_the_network_come_first(tmp_path: Path) -> None:
    others, here = addresses(tmp_path, '[server]\nhost = "0.0.0.0"\n').split("or on this machine itself:\n")
    urls = [line.strip() for line in others.splitlines()]
    assert urls[0].endswith("on your network:")
    assert urls[1:3] == [f"http://{address}:8080/?token=abc-_" for address in ("192.168.1.7", "10.0.0.7")]
    assert urls[3].endswith(".local:8080/?token=abc-_")
    assert urls[4:] == [], "what leads nowhere from there is not among them"
    assert here == "  http://127.0.0.1:8080/?token=abc-_\n"


def judged(*findings: tuple[str, str, str]) -> tuple[int, str]:
    """What is said of findings with code, severity and area."""
    told = [
        {"code": code, "severity": severity, "area": area, "title": "A title", "found": "this", "fix": "Do that."}
        for code, severity, area in findings
    ]
    done = subprocess.run(
        ["python3", "-I", str(DEPLOY / "lib" / "findings.py")],
        input=json.dumps({"findings": told}),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_release_with_a_fault_is_refused_and_a_device_with_one_is_told_of() -> None:
    assert judged(("python-ok", "ok", "python"), ("runtime-legacy", "note", "runtime")) == (0, "")
    assert judged(("camera-missing", "fault", "cameras")) == (
        0,
        "    camera-missing: A title. Found: this. Do that.\n",
    )
    assert judged(("service-failed", "fault", "service"), ("port-taken", "fault", "network")) == (0, "")
    refused, said = judged(("numpy-abi-mismatch", "fault", "packages"))
    assert refused == 1
    assert "numpy-abi-mismatch" in said


def test_the_doctor_has_those_areas() -> None:
    codes = pytest.importorskip("edge.doctor.codes")
    text = (DEPLOY / "lib" / "findings.py").read_text()
    named = {area for area in {entry.area for entry in codes.ENTRIES} if f'"{area}"' in text}
    assert named == {
        "python",
        "environment",
        "packages",
        "runtime",
        "models",
        "doctor",
        "configuration",
        "network",
        "service",
    }
