"""Debian systems in a folder, with the packages of the device and the program of this checkout."""

import shutil
import sys
import tarfile
import tomllib
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from tests.elsewhere import ROOT, call

MERGED_USR = "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"
GLIBC = {"bookworm": 36, "trixie": 41}
"""Minor version of each suite's C library: wheels for up to this one run there."""
PYTHON = {"bookworm": "3.11", "trixie": "3.13"}
PACKAGES = "/opt/packages"
"""Where the wheels lie inside."""
PROGRAM = "/opt/program"
"""Where the checkout lies inside."""


def unpack_debian(suite: str, packages: Iterable[str], root: Path) -> None:
    """Unpack Debian's packages; none of their own scripts runs."""
    options = ("--quiet", "--variant=extract", MERGED_USR, f"--include={','.join(packages)}")
    call("mmdebstrap", *options, suite, str(root))
    # scripts of dash and of base-passwd would make these
    (root / "usr" / "bin" / "sh").symlink_to("bash")
    for name in ("passwd", "group"):
        shutil.copy2(root / "usr" / "share" / "base-passwd" / f"{name}.master", root / "etc" / name)


def add_wheels(suite: str, root: Path, requirements: Iterable[str], unresolved: Iterable[str] = ()) -> None:
    """Put packages of Python where `PACKAGES` is inside.

    Args:
        suite: of Debian; its Python is the one they are for.
        root: the system's folder.
        requirements: with all they require, as wheels.
        unresolved: without what they require; those that exist as sources only are built.
    """
    target = ("--quiet", "--disable-pip-version-check", "--target", str(root / PACKAGES[1:]))
    versions = [f"manylinux_2_{minor}_x86_64" for minor in range(GLIBC[suite], 16, -1)]
    platforms = [option for name in (*versions, "manylinux2014_x86_64") for option in ("--platform", name)]
    pip = (sys.executable, "-m", "pip", "install", *target, "--python-version", PYTHON[suite], *platforms)
    call(*pip, "--only-binary=:all:", *requirements)
    if unresolved:
        call(*pip, "--no-deps", *unresolved)


def device_requirements() -> list[str]:
    """What the program needs on the device."""
    dependencies: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return [requirement.partition(";")[0] for requirement in dependencies]


def pack_program(archive: Path) -> None:
    """Write the program and its tests into a tar file, paths as they are in the checkout."""
    with tarfile.open(archive, "w") as tar:
        for name in ("edge", "tests"):
            tar.add(ROOT / name, name, filter=lambda entry: None if entry.name.endswith("__pycache__") else entry)


def key(*asked_for: object) -> str:
    """Names a system by what was asked for."""
    text = "\n".join(map(str, (Path(__file__).read_text(), *device_requirements(), *asked_for)))
    return sha256(text.encode()).hexdigest()[:12]
