"""What deploy/wheelhouse.sh asks for, and what deploy/install.sh makes of what was carried to the device."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install_script import DEPLOY, Place
from tests.stages.wheelhouses import PYTHON

GATHERS = """
case $* in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip wheel "*) touch "$7/emotion_edge-1-py3-none-any.whl" ;;
  *) echo "asked: $*" >&2; exit 1 ;;
esac
"""
"""A Python that makes environments and the program's wheel, and fetches nothing."""


@pytest.fixture
def pi(tmp_path: Path) -> Place:
    """A Raspberry Pi 4 with a fresh Raspberry Pi OS 12."""
    place = Place(tmp_path)
    place.write("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.5\0")
    return place


def gather(folder: Path, *options: str) -> str:
    """With what words it ends where there is no network."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{GATHERS}")
    python.chmod(0o755)
    command = ("sh", str(DEPLOY / "wheelhouse.sh"), str(folder / "usb disk" / "carried"), *options)
    environment = {**os.environ, "PYTHON": str(python)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stdout
    return done.stderr


@pytest.mark.parametrize("suite", PYTHON)
def test_every_suite_gets_wheels_of_its_python(tmp_path: Path, suite: str) -> None:
    said = gather(tmp_path, "--suite", suite, "--arch", "arm64")
    assert "Not all wheels could be fetched; pip says why above." in said
    assert f"--python-version {PYTHON[suite]} " in said
    (constraints,) = re.findall(r"--constraint (\S+)", said)
    assert Path(constraints).is_file()
    assert set(re.findall(r"--platform \S+_(\w+64)\b", said)) == {"aarch64"}


def test_the_suites_it_names_are_those_it_knows(tmp_path: Path) -> None:
    script = ("sh", str(DEPLOY / "wheelhouse.sh"), "--help")
    (named,) = re.findall(
        r"--suite ([\w|]+)", subprocess.run(script, capture_output=True, text=True, check=True).stdout
    )
    assert set(named.split("|")) == PYTHON.keys()
    assert f"--suite {named}]" in gather(tmp_path, "--nope")
    refusal = gather(tmp_path, "--suite", "jammy")
    assert "found: jammy" in refusal
    assert [suite for suite in PYTHON if suite not in refusal] == []


def wheelhouse(folder: Path, target: str, *wheels: str) -> Path:
    (folder / "wheels").mkdir(parents=True)
    (folder / "TARGET").write_text(target)
    for name in wheels:
        (folder / "wheels" / name).touch()
    return folder


def test_from_a_wheelhouse_nothing_is_fetched(pi: Place, tmp_path: Path) -> None:
    version = "{}.{}".format(*sys.version_info)
    # pip would take a list of folders for parted at its blanks
    target = f"arch=arm64\npython={version}\n"
    house = wheelhouse(tmp_path / "usb disk", target, "emotion_edge-7.8-py3-none-any.whl")
    outside = pi.dry_run("--wheelhouse", house)
    shutil.copytree(DEPLOY, house, ignore=shutil.ignore_patterns("debian", "observability"), dirs_exist_ok=True)
    pi.scripts = house
    for said in (outside, pi.dry_run()):
        assert f"'--find-links={house}/wheels' '{house}/wheels/emotion_edge-7.8-py3-none-any.whl[mqtt]'" in said
        assert "apt-get" not in said
        assert "python3-picamera2 is missing and nothing is fetched" in said


def test_what_the_caller_has_set_for_pip_counts_from_a_checkout_only(pi: Place, tmp_path: Path) -> None:
    house = wheelhouse(tmp_path / "house", "", "emotion_edge-1-py3-none-any.whl")
    script = "export PIP_FIND_LINKS=/theirs; find_program; echo ${PIP_FIND_LINKS-none}"
    for given, kept in (("", "/theirs"), (str(house), "none")):
        assert pi.steps(script, wheelhouse=given).stdout == f"{kept}\n"


@pytest.mark.parametrize(
    ("wheels", "target", "says"),
    [
        ((), "", "Expected one file emotion_edge-….whl"),
        (("emotion_edge-1-py3-none-any.whl", "emotion_edge-2-py3-none-any.whl"), "", "Expected one file"),
        (("emotion_edge-1-py3-none-any.whl",), "python=3.99\narch=arm64\n", "is for python=3.99 arch=arm64, and this"),
        (("emotion_edge-1-py3-none-any.whl",), "python=3.11\narch=amd64\n", "--suite bookworm --arch arm64"),
    ],
)
def test_a_wheelhouse_has_to_fit(pi: Place, tmp_path: Path, wheels: tuple[str, ...], target: str, says: str) -> None:
    assert says in pi.refusal("--wheelhouse", wheelhouse(tmp_path / "house", target, *wheels))


def test_a_wheelhouse_has_to_be_there(pi: Place, tmp_path: Path) -> None:
    assert f"There is no folder {tmp_path}/none" in pi.refusal("--wheelhouse", tmp_path / "none")


def test_without_a_network_it_says_which_package_to_get(pi: Place, tmp_path: Path) -> None:
    bare = pi.program("bare-python", f'case $* in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"')
    house = wheelhouse(tmp_path / "house", "", "emotion_edge-1-py3-none-any.whl")
    said = pi.refusal("--wheelhouse", house, PYTHON=str(bare))
    assert "cannot make environments, and nothing is fetched" in said
    assert "python3-venv" in said
