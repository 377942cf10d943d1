"""Machines that are not well, made up: trees like /proc, /sys and /etc, libraries that fail, a systemctl."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.doctor.asking import ask
from edge.doctor.findings import Finding
from edge.doctor.groups import GROUPS
from edge.doctor.here import here
from edge.doctor.world import Interpreter, User, World

INTERPRETER = """
import os
class Interpreter:
    def __init__(self, **_):
        {constructed}
    def allocate_tensors(self):
        pass
    def invoke(self):
        {invoked}
"""
WITH_XNNPACK = 'os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\n")'
ILLEGAL = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
"""What an instruction does that the processor does not have."""


def told(findings: Iterable[Finding], code: str) -> Finding:
    """The one finding with that code; what the tests of the doctor assert of every code, see test_doctor_codes."""
    found = tuple(findings)
    same = [finding for finding in found if finding.code == code]
    assert len(same) == 1, f"expected one {code}, found {[finding.code for finding in found]}"
    assert same[0].found
    return same[0]


def machine(root: Path, **parts: object) -> World:
    """A world whose files are under `root`, for the user pi in an environment of its own, unless said otherwise."""
    prefix = root / "venv"
    prefix.mkdir(parents=True, exist_ok=True)
    (prefix / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    python = Interpreter(
        (3, 11, 2), 64, "aarch64", f"{prefix}/bin/python", str(prefix), "/usr", (str(root / "packages"),)
    )
    world = World(root=str(root), state=str(root / "state"), user=User("pi", 1000, ("pi", "video")), python=python)
    return replace(world, **parts)


def accounts(world: World, group: str = "video:x:44:pi\n", passwd: str = "pi:x:1000:1000::/home/pi:/bin/sh\n") -> None:
    """Its /etc/group and /etc/passwd."""
    etc = world.path("/etc")
    etc.mkdir(exist_ok=True)
    (etc / "group").write_text(f"root:x:0:\n{group}")
    (etc / "passwd").write_text(passwd)


def library(folder: Path, module: str, text: str, distribution: str = "", version: str = "1.0") -> Path:
    """A made-up library in `folder`, installed as `distribution`."""
    file = folder.joinpath(*module.split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True, exist_ok=True)
    for parent in file.relative_to(folder).parents[:-1]:
        (folder / parent / "__init__.py").touch()
    file.write_text(text)
    if distribution:
        installed(folder, distribution, version)
    return folder


def installed(folder: Path, distribution: str, version: str) -> Path:
    """The metadata of a package."""
    metadata = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    return metadata


def asked(group: str, world: World, libraries: Path | None = None, limit_s: float = 60.0) -> tuple[Finding, ...]:
    """What a real process finds, which sees the made-up libraries before the real ones."""
    environment = {**os.environ, "PYTHONPATH": str(libraries or "")}
    return ask(replace(GROUPS[group], limit_s=limit_s), world, environment).findings


def own_world(libraries: Path) -> World:
    """This machine, where made-up libraries come first."""
    world = here("", libraries / "state")
    return replace(world, python=replace(world.python, path=(str(libraries), *sys.path)))


def systemctl(monkeypatch: pytest.MonkeyPatch, folder: Path, **properties: str) -> None:
    """A systemctl that tells these properties; without any, it says what it says where systemd does not run."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    lines = "".join(f"echo '{name}={value}'\n" for name, value in properties.items())
    (programs / "systemctl").write_text(f"#!/bin/sh\n{lines or 'echo not booted with systemd >&2; exit 1'}\n")
    (programs / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
