"""What is installed on a device."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files of a freshly built wheel."""
    out = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(out),
    ]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (wheel,) = out.glob("emotion_edge-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_it_holds_the_runtime_and_nothing_of_the_workstation(names: list[str]):
    assert {name.split("/")[0].split("-")[0] for name in names} == {"edge", "emotion_edge"}


def test_the_page_the_model_and_the_type_marker_are_inside(names: list[str]):
    assert {"edge/server/static/index.html", "edge/models/emotion-int8.tflite", "edge/py.typed"} <= set(names)


def test_the_licence_travels_with_it(names: list[str]):
    assert any(name.endswith("licenses/LICENSE") for name in names)
