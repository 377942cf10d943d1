"""What is put into a Debian package, and how it is packed."""

import os
import subprocess
from pathlib import Path

import pytest

from deploy.debian.environment import PROGRAM, add_interpreter, never_needed, strip
from deploy.debian.package import SCRIPTS, pack
from deploy.debian.suites import SUITES
from deploy.debian.wheels import lacking, pip_command, target_environment
from tests.tools import require_tool

EPOCH_S = 1_767_225_600


def metadata(site: Path, name: str, *requires: str) -> None:
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    lines = (f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {each}" for each in requires))
    (folder / "METADATA").write_text("\n".join(("Metadata-Version: 2.1", *lines)) + "\n")


def test_only_wheels_of_the_target_are_asked_for(tmp_path: Path):
    command = pip_command(["program"], tmp_path, SUITES["trixie"], "aarch64", tmp_path / "constraints.txt")
    platforms = [command[at + 1] for at, word in enumerate(command) if word == "--platform"]
    assert platforms[0] == "manylinux_2_41_aarch64"
    assert platforms[-1] == "manylinux2014_aarch64"
    assert all(name.endswith("_aarch64") for name in platforms)
    assert command[command.index("--python-version") + 1] == "3.13"
    assert "--only-binary=:all:" in command
    older = pip_command(["program"], tmp_path, SUITES["bookworm"], "x86_64", tmp_path / "constraints.txt")
    assert "manylinux_2_36_x86_64" in older
    assert "manylinux_2_37_x86_64" not in older


def test_what_only_the_targets_python_needs_is_not_forgotten(tmp_path: Path):
    metadata(tmp_path, "signals", 'typing-extensions>=4.2; python_version < "3.13"', 'colours; sys_platform == "win32"')
    for name, expected in (("bookworm", ["typing-extensions>=4.2"]), ("trixie", [])):
        assert lacking(tmp_path, target_environment(SUITES[name], "x86_64")) == expected


def test_of_the_programs_extras_mqtt_is_inside(tmp_path: Path):
    metadata(tmp_path, "emotion-edge", 'paho-mqtt>=2.1; extra == "mqtt"', 'tensorflow; extra == "train"', "numpy>=1.26")
    metadata(tmp_path, "Numpy")
    assert lacking(tmp_path, target_environment(SUITES["trixie"], "aarch64")) == ["paho-mqtt>=2.1"]


@pytest.mark.parametrize(
    "path",
    [
        "numpy/lib/tests/test_io.py",
        "numpy/core/_struct_ufunc_tests.cpython-311-x86_64-linux-gnu.so",
        "numpy/_core/include/numpy/arrayobject.h",
        "cv2/__init__.pyi",
        "cv2/data/haarcascade_smile.xml",
        "edge/__pycache__/cli.cpython-311.pyc",
        "bin/f2py",
        "emotion_edge-0.1.0.dist-info/direct_url.json",
        "ai_edge_litert/libLiteRtWebGpuAccelerator.so",
        "ai_edge_litert/vendors/qualcomm/compiler/libLiteRtCompilerPlugin_Qualcomm.so",
    ],
)
def test_what_no_device_needs_is_left_out(path: str):
    assert never_needed(path)


@pytest.mark.parametrize(
    "path",
    [
        "numpy/testing/__init__.py",
        "numpy/core/_multiarray_tests.cpython-311-x86_64-linux-gnu.so",
        "cv2/data/haarcascade_frontalface_default.xml",
        "ai_edge_litert/libpywrap_litert_common.so",
        "edge/server/static/index.html",
        "edge/models/emotion-int8.tflite",
        "numpy-2.2.0.dist-info/licenses/LICENSE.txt",
        "numpy-2.2.0.dist-info/METADATA",
    ],
)
def test_what_a_device_needs_is_kept(path: str):
    assert not never_needed(path)


def test_emptied_folders_go_and_dpkg_is_named_as_the_installer(tmp_path: Path):
    for name, text in (("one/tests/deep/test.py", ""), ("one/code.py", ""), ("one-1.0.dist-info/INSTALLER", "pip\n")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    strip(tmp_path)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["one", "one-1.0.dist-info", "one-1.0.dist-info/INSTALLER", "one/code.py"]
    assert (tmp_path / "one-1.0.dist-info" / "INSTALLER").read_text() == "dpkg\n"


def test_the_environment_is_of_the_targets_python_and_sees_apts_packages(tmp_path: Path):
    add_interpreter(tmp_path, SUITES["trixie"])
    home = tmp_path / "opt" / "emotion-edge" / "venv"
    assert (home / "bin" / "python3").readlink() == Path("/usr/bin/python3")
    assert (home / "bin" / "python3.13").readlink() == Path("python3")
    assert "include-system-site-packages = true" in (home / "pyvenv.cfg").read_text().splitlines()
    assert (home / "bin" / "emotion-edge").read_text().splitlines()[0] == "#!/opt/emotion-edge/venv/bin/python"


def small_tree(root: Path, *, backwards: bool = False) -> Path:
    """As little as dpkg-deb takes; `backwards`: written in another order."""
    files = {
        PROGRAM: "#!/bin/sh\n",
        "usr/share/z": "z",
        "usr/share/a": "a",
        "DEBIAN/control": "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b.org>\nDescription: a\n",
        **{f"DEBIAN/{name}": "#!/bin/sh\n" for name in SCRIPTS},
    }
    for name, text in reversed(files.items()) if backwards else files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
        if os.geteuid() == 0:
            os.chown(root / name, 1234, 1234)
    (root / "usr" / "share" / "link").symlink_to("/opt/a")
    return root


def test_the_same_files_make_the_same_package(tmp_path: Path):
    require_tool("dpkg-deb", "Debian and its kin have it")
    first, second = small_tree(tmp_path / "first"), small_tree(tmp_path / "second", backwards=True)
    (second / "usr" / "share" / "a").chmod(0o600)
    os.utime(second / "usr" / "share" / "z", (1, 1))
    os.utime(second / "usr" / "share" / "link", (1, 1), follow_symlinks=False)
    for tree in (first, second):
        pack(tree, tree.with_suffix(".deb"), EPOCH_S, level=0)
    assert first.with_suffix(".deb").read_bytes() == second.with_suffix(".deb").read_bytes()


def test_everything_in_a_package_is_roots_and_only_programs_run(tmp_path: Path):
    require_tool("dpkg-deb", "Debian and its kin have it")
    package = tmp_path / "small.deb"
    pack(small_tree(tmp_path / "tree"), package, EPOCH_S, level=0)
    listed = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    assert {row[1] for row in rows} == {"root/root"}
    modes = {row[5].removeprefix("./"): row[0] for row in rows}
    assert modes[PROGRAM] == "-rwxr-xr-x"
    assert modes["usr/share/a"] == "-rw-r--r--"
