"""Other places for the program to run in: what they say there, and an environment with tflite-runtime.

They take minutes to make, and are kept: in the folder that `COMPATIBILITY_CACHE` names, else in pytest's cache.
Each is made anew when other packages are asked for; the program itself is always that of the checkout.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.tools import require_tool

VARIABLE = "COMPATIBILITY_CACHE"
ROOT = Path(__file__).parents[1]
PYTHON = "3.11"
"""The newest that tflite-runtime has a wheel for."""

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

    def run(self, *arguments: str, timeout_s: float = 280.0) -> str:
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
            timeout=timeout_s,
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


def _key(*more: str) -> str:
    """Names what is asked for: other packages, another place to keep them."""
    text = "\n".join(((ROOT / "pyproject.toml").read_text(), PYTHON, *more))
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
