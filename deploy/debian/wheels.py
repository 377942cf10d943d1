"""Gets what the program stands on as wheels of another Python and another machine, without running either."""

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.debian.documents import packages_in
from deploy.debian.suites import Suite
from edge.errors import ConfigError, TemporaryError

EXTRAS = ("mqtt",)
"""What of the program's extras a package holds."""

PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")
ROUNDS = 5
"""So often at most what is lacking may lack something itself."""


def build_wheel(source: Path, folder: Path) -> Path:
    """The wheel of a checkout, built into an empty folder."""
    _run(*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    (wheel,) = folder.glob("emotion_edge-*.whl")
    return wheel


def install_wheels(wheel: Path, site: Path, suite: Suite, machine: str, constraints: Path) -> None:
    """Put the program and all it needs into a folder.

    Args:
        wheel: the program's.
        site: becomes what site-packages holds.
        suite: whose Python and C library they are for.
        machine: as wheels name it, "aarch64".
        constraints: versions that may be taken.

    Raises:
        TemporaryError: a download failed.
        ConfigError: there is no fitting wheel, or what is needed is never complete.
    """
    wanted: Sequence[str] = [f"{wheel}[{','.join(EXTRAS)}]"]
    for _ in range(ROUNDS):
        _run(*pip_command(wanted, site, suite, machine, constraints))
        # pip asks the Python it runs in which requirements count; the target's may differ
        wanted = lacking(site, target_environment(suite, machine))
        if not wanted:
            return
    raise ConfigError(f"what the program needs is never complete; lacking last: {', '.join(wanted)}")


def pip_command(wanted: Iterable[str], site: Path, suite: Suite, machine: str, constraints: Path) -> list[str]:
    """What brings requirements into a folder."""
    platforms = [option for kind in suite.platforms for option in ("--platform", f"{kind}_{machine}")]
    return [
        *PIP,
        *("install", "--no-compile", "--no-warn-script-location", "--only-binary=:all:", "--implementation", "cp"),
        *("--python-version", f"3.{suite.python}", *platforms, "--constraint", str(constraints)),
        *("--target", str(site), *wanted),
    ]


def target_environment(suite: Suite, machine: str) -> dict[str, str]:
    """What markers of requirements (PEP 508) ask about, as the target answers."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"3.{suite.python}.0",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"3.{suite.python}.0",
        "python_version": f"3.{suite.python}",
        "sys_platform": "linux",
    }


def lacking(site: Path, environment: Mapping[str, str]) -> list[str]:
    """Requirements of the packages in a folder that count on the target and are not there."""
    found = packages_in(site)
    names = {canonicalize_name(each.name) for each in found}
    lacked: dict[str, None] = {}
    for each in found:
        extras = ("", *EXTRAS) if each.name == "emotion-edge" else ("",)
        for text in each.requires or ():
            requirement = Requirement(text)
            counts = requirement.marker is None or any(
                requirement.marker.evaluate({**environment, "extra": extra}) for extra in extras
            )
            if counts and canonicalize_name(requirement.name) not in names:
                lacked[f"{requirement.name}{requirement.specifier}"] = None
    return list(lacked)


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or ["it said nothing"]
    kind = ConfigError if "No matching distribution" in done.stderr else TemporaryError
    raise kind(f"pip {command[command.index('--no-input') + 1]} did not work: {said[-1]}")
