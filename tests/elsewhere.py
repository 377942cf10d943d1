"""Other places for the program to run in: an environment with tflite-runtime, a Raspberry Pi's userland.

Both take minutes to make, and are kept: in the folder that `COMPATIBILITY_CACHE` names, else in pytest's cache.
Each is made anew when pyproject.toml asks for other packages; the program itself is always that of the checkout.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.tools import require_tool

VARIABLE = "COMPATIBILITY_CACHE"
ROOT = Path(__file__).parents[1]
EMULATOR = "qemu-aarch64-static"
SUITE, PYTHON = "bookworm", "3.11"
"""Of Debian and of Raspberry Pi OS 12; the newest Python that tflite-runtime has a wheel for."""
PARTS = {"cortex-a53": "0xd03", "cortex-a72": "0xd08", "cortex-a76": "0xd0b"}
"""Processors of the Pi Zero 2 and 3, of the Pi 4, of the Pi 5, and the number by which cpuinfo tells them apart."""
PLATFORMS = (*(f"manylinux_2_{minor}_aarch64" for minor in range(36, 16, -1)), "manylinux2014_aarch64")
"""Wheels that run on the suite's glibc 2.36."""

_PROBE = """
import json, platform, sys
import numpy as np
from edge.classifier import TfliteClassifier
from edge.golden import replay

classifier, counted = TfliteClassifier(), {"invokes": 0}
invoke = classifier._interpreter.invoke
def counting():
    counted["invokes"] += 1
    invoke()
classifier._interpreter.invoke = counting
answers, per_chip = [], []
for chip in classifier.golden.chips:
    before = counted["invokes"]
    answers.append(classifier.raw(chip).astype(int))
    per_chip.append(counted["invokes"] - before)
off = np.abs(np.stack(answers) - classifier.golden.outputs.astype(int)).max(1)
result = replay(classifier)
print(json.dumps({
    "machine": platform.machine(), "runtime": classifier.runtime, "xnnpack": classifier.xnnpack,
    "delegates": sum(each["op_name"] == "DELEGATE" for each in classifier._interpreter._get_ops_details()),
    "off": off.tolist(), "invokes": per_chip, "flipped": result.flipped, "passed": result.passed,
}))
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the production adapter said to the golden chips of the shipped model.

    Attributes:
        machine: architecture.
        runtime: name and version.
        xnnpack: whether its log said that the XNNPACK delegate was created.
        delegates: how many parts of the graph it took.
        off: largest difference from the golden answers, for each chip, in quantisation steps.
        invokes: of the interpreter, for each chip.
        flipped: chips whose likeliest class changed.
        passed: the program's own verdict.
    """

    machine: str
    runtime: str
    xnnpack: bool
    delegates: int
    off: tuple[int, ...]
    invokes: tuple[int, ...]
    flipped: int
    passed: bool

    def text(self) -> str:
        """One line for people."""
        alike = "bit-identical" if not any(self.off) else f"at most {max(self.off)} steps off"
        return f"{self.runtime} on {self.machine}: {len(self.off)} golden chips, {alike}, invokes a chip {self.invokes}"


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere with a Python that can import the program.

    Attributes:
        python: the command that starts it, to which its arguments are appended.
        environment: variables it needs.
    """

    python: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> str:
        """What Python with these arguments prints.

        Raises:
            AssertionError: it fails, an illegal instruction included; the message holds what it printed.
        """
        done = subprocess.run(
            [*self.python, *arguments],
            env={"PATH": os.environ["PATH"], "HOME": "/tmp", **self.environment},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def answers(self) -> Answers:
        """What the shipped model says there."""
        said: dict[str, Any] = json.loads(self.run("-c", _PROBE).splitlines()[-1])
        return Answers(**{name: tuple(value) if isinstance(value, list) else value for name, value in said.items()})


def require_root(why: str) -> None:
    """Skip unless root runs the tests; fail where CI promises so."""
    if os.geteuid() == 0:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"needs root: {why}")
    pytest.skip(f"needs root: {why}")


def cache_folder(config: pytest.Config) -> Path:
    """Where to keep what takes long to make."""
    named = os.environ.get(VARIABLE)
    folder = Path(named).absolute() if named else config.cache.mkdir("compatibility")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def built_wheel(folder: Path) -> Path:
    """The checkout's wheel, built into an empty folder."""
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    call(sys.executable, "-m", "pip", "wheel", *options, str(ROOT))
    (wheel,) = folder.glob("emotion_edge-*.whl")
    return wheel


def legacy_environment(cache: Path, wheel: Path) -> Path:
    """The folder of an environment with the extra `legacy-tflite` and without LiteRT, which is taken where it is."""
    python = require_tool(f"python{PYTHON}", f"the newest Python that tflite-runtime has a wheel for is {PYTHON}")
    folder = cache / f"legacy-{_key(str(python))}"
    pip = (str(folder / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check")
    with made(folder) as missing:
        if missing:
            call(str(python), "-m", "venv", str(folder))
            call(*pip, "install", f"{wheel}[legacy-tflite]")
            call(*pip, "uninstall", "--yes", "ai-edge-litert")
    call(*pip, "install", "--no-deps", "--force-reinstall", str(wheel))
    return folder


def arm64_root(cache: Path, wheel: Path) -> Path:
    """An arm64 userland with the wheels for it: in /opt/device those of the device, in /opt/legacy tflite-runtime's."""
    require_root("another userland is entered with chroot")
    for tool, package in (("mmdebstrap", "mmdebstrap"), (EMULATOR, "qemu-user-static")):
        require_tool(tool, f"apt-get install -y --no-install-recommends {package}")
    folder = cache / f"arm64-{_key(SUITE)}"
    with made(folder) as missing:
        if missing:
            # nothing of it runs while it is made: packages are unpacked only, wheels too
            packages = ("--variant=extract", "--include=base-files,python3,libgomp1,libstdc++6")
            call("mmdebstrap", "--quiet", "--arch=arm64", *packages, SUITE, str(folder))
            _foreign_wheels(folder / "opt" / "device", str(wheel))
            _foreign_wheels(folder / "opt" / "legacy", f"{wheel}[legacy-tflite]")
            shutil.rmtree(folder / "opt" / "legacy" / "ai_edge_litert")
            shutil.copy2(str(shutil.which(EMULATOR)), folder / "usr" / "bin" / EMULATOR)
    program = folder / "opt" / "program"
    shutil.rmtree(program, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(program)
    return folder


def as_processor(root: Path, processor: str, packages: str) -> Place:
    """The arm64 userland on one of `PARTS`, with the wheels under /opt/`packages`.

    XNNPACK reads what the kernel says of the processor. With this machine's own words the interpreter crashes, with
    none it does without XNNPACK.
    """
    cores = 4
    lines = ("Features\t: fp asimd evtstrm crc32 cpuid", "CPU implementer\t: 0x41", "CPU architecture: 8")
    (root / "proc" / "cpuinfo").write_text(
        "".join(
            "\n".join((f"processor\t: {core}", *lines, "CPU variant\t: 0x0", f"CPU part\t: {PARTS[processor]}", "\n"))
            for core in range(cores)
        )
    )
    system = root / "sys" / "devices" / "system" / "cpu"
    system.mkdir(parents=True, exist_ok=True)
    for name in ("possible", "present", "online"):
        (system / name).write_text(f"0-{cores - 1}\n")
    return Place(
        ("nice", "chroot", str(root), f"/usr/bin/{EMULATOR}", "/usr/bin/python3"),
        {"QEMU_CPU": processor, "PYTHONPATH": f"/opt/program:/opt/{packages}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )


def _foreign_wheels(target: Path, requirement: str) -> None:
    platforms = [option for platform in PLATFORMS for option in ("--platform", platform)]
    options = ("--quiet", "--disable-pip-version-check", "--python-version", PYTHON, "--only-binary=:all:")
    call(sys.executable, "-m", "pip", "install", *options, *platforms, "--target", str(target), requirement)


def _key(*more: str) -> str:
    """Names what is asked for: other packages, another place to keep them."""
    text = "\n".join(((ROOT / "pyproject.toml").read_text(), PYTHON, *PLATFORMS, *more))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@contextmanager
def made(folder: Path) -> Iterator[bool]:
    """Whether a folder has to be made; what was begun and not finished is begun again."""
    mark = folder.with_suffix(".complete")
    missing = not (mark.exists() and folder.is_dir())
    if missing:
        mark.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    yield missing
    mark.touch()


def call(*command: str) -> None:
    done = subprocess.run(_niced(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")


def _niced(command: Sequence[str]) -> tuple[str, ...]:
    return ("nice", *command)
