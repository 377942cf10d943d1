"""A Python environment for each peer: what is wanted differs, and some of it cannot live together.

Made by pip on first use, kept, and made anew when what is asked for has changed. Where that fails the peers that need
it are left out, and the report says why.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.errors import TemporaryError

STAMP = "environment.json"
"""Written last: an environment without it was not finished."""
PIP_TIMEOUT_S = 3600.0
LONGEST_REASON = 300
NUMPY_1 = "numpy==1.26.4"


@dataclass(frozen=True, slots=True)
class Environment:
    """What is to be installed.

    Attributes:
        name: of its folder.
        steps: arguments of one `pip install` after the other.
        about: for people: what it holds, and how large it gets.
        base: another environment whose packages it sees as well; none if empty.
    """

    name: str
    steps: tuple[tuple[str, ...], ...]
    about: str
    base: str = ""


ENVIRONMENTS = (
    Environment(
        "tensorflow",
        (
            # what `pip install fer` resolves to; OpenCV without windows, which need libraries a server lacks
            ("tensorflow==2.21.0", NUMPY_1, "opencv-contrib-python-headless==4.11.0.86", "setuptools==65.5.0"),
            ("requests==2.34.2", "pillow==10.2.0"),
            # its `FER` imports no more than the above; pandas, moviepy and ffmpeg are for its videos
            ("--no-deps", "fer==25.10.3"),
        ),
        "TensorFlow, fer without MTCNN: over 2 GB",
    ),
    Environment(
        "fer-mtcnn",
        (("torch==2.2.2", "torchvision==0.17.2", "tqdm"), ("--no-deps", "facenet-pytorch==2.6.0")),
        "PyTorch for fer's MTCNN, on x86-64 with CUDA's libraries: 5 GB more",
        base="tensorflow",
    ),
    Environment(
        "mediapipe",
        (
            # without the OpenCV with windows and the sound that it asks for
            ("--no-deps", "mediapipe==1.2.2"),
            ("absl-py==2.5.1", "certifi", "flatbuffers==25.12.19", "matplotlib==3.11.2", "numpy==2.4.6"),
            # msgspec: for the program's own code that describes the detector's file
            ("opencv-python-headless==4.14.0.94", "ai-edge-litert==2.3.0", "msgspec==0.22.0"),
        ),
        "MediaPipe and LiteRT: over 0.5 GB",
    ),
    Environment(
        "tflite-runtime", (("tflite-runtime==2.14.0", NUMPY_1),), "tflite-runtime (CPython before 3.12): 0.1 GB"
    ),
)


class Made(msgspec.Struct, frozen=True):
    """An environment that is there.

    Attributes:
        name: which.
        packages: name and version of each, as pip tells them.
        size_mib: on the disk, without its base.
    """

    name: str
    packages: tuple[str, ...]
    size_mib: float


class _Stamp(msgspec.Struct, frozen=True):
    """What was asked for, by which Python and where; and what came of it."""

    asked: tuple[str, ...]
    made: Made


def python_of(folder: Path, name: str) -> Path:
    """The interpreter of an environment."""
    return folder / name / "bin" / "python"


def provide(environment: Environment, folder: Path, say: Callable[[str], None]) -> Made:
    """Make the environment, or take the one that is there.

    Args:
        environment: what is wanted; its base has to be there.
        folder: of all environments.
        say: takes a line for people.

    Raises:
        TemporaryError: it cannot be made; the reason is pip's.
    """
    place = folder.absolute() / environment.name
    asked = (sys.version, str(place), *(" ".join(step) for step in environment.steps))
    made = _found(place, asked)
    if made is None:
        say(f"environment {environment.name}: is being made in {place} ({environment.about})")
        shutil.rmtree(place, ignore_errors=True)
        start_s = time.monotonic()
        made = _made(environment, place, asked)
        say(f"environment {environment.name}: {made.size_mib:.0f} MiB, made in {time.monotonic() - start_s:.0f} s")
    else:
        say(f"environment {environment.name}: {made.size_mib:.0f} MiB, as it was made before")
    return made


def _found(place: Path, asked: tuple[str, ...]) -> Made | None:
    try:
        stamp = msgspec.json.decode((place / STAMP).read_bytes(), type=_Stamp)
    except (OSError, msgspec.DecodeError):
        return None
    return stamp.made if stamp.asked == asked else None


def _made(environment: Environment, place: Path, asked: tuple[str, ...]) -> Made:
    try:
        # its own pip would be another 20 MB, and most of the time for a small environment
        _run([sys.executable, "-m", "venv", "--without-pip", str(place)])
        if environment.base:
            _link(place, place.parent / environment.base)
        python = str(python_of(place.parent, place.name))
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
        for step in environment.steps:
            _run([*pip, "install", "--quiet", *step])
        packages = tuple(_run([*pip, "list", "--format=freeze"]).split())
    except (OSError, subprocess.SubprocessError, TemporaryError) as error:
        # half of it would be of no use, and may be gigabytes
        shutil.rmtree(place, ignore_errors=True)
        raise TemporaryError(f"the environment {environment.name} cannot be made: {error}") from error
    made = Made(environment.name, packages, round(_size_mib(place), 1))
    (place / STAMP).write_bytes(msgspec.json.encode(_Stamp(asked, made)))
    return made


def _link(place: Path, base: Path) -> None:
    """Let an environment see the packages of another, for Python and for pip."""
    (packages,) = (place / "lib").glob("python*/site-packages")
    (seen,) = (base / "lib").glob("python*/site-packages")
    (packages / "base.pth").write_text(f"{seen}\n", encoding="utf-8")


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or [done.stderr.strip()]
        raise TemporaryError(lines[-1][:LONGEST_REASON])
    return done.stdout


def _size_mib(place: Path) -> float:
    return sum(path.lstat().st_blocks * 512 for path in place.rglob("*")) / 2**20
