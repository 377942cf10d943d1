"""`python -m deploy.debian`: builds a Debian package of this checkout, on any machine and for any other."""

import argparse
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.debian.package import Built, build
from deploy.debian.suites import MACHINES, SUITES, suite_named
from edge.errors import ConfigError, EdgeError, exit_code

SOURCE = Path(__file__).resolve().parents[2]
MAINTAINER = "The authors of emotion-edge <emotion-edge@localhost.invalid>"
"""Of a package that is for its maker's own devices; who publishes one sets DEBFULLNAME and DEBEMAIL."""


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0, 1 after a fault that another try may mend, or 78."""
    parser = argparse.ArgumentParser(prog="python -m deploy.debian", description=__doc__)
    parser.add_argument("--suite", help=f"{', '.join(SUITES)} (default: this machine's)")
    parser.add_argument("--arch", help=f"{', '.join(MACHINES)} (default: this machine's)")
    parser.add_argument("--output", type=Path, default=SOURCE / "dist", help="folder for the package")
    arguments = parser.parse_args(argv)
    begun_s = time.monotonic()
    try:
        if shutil.which("dpkg-deb") is None:
            raise ConfigError(
                "there is no dpkg-deb; packages are built on Debian and its kin, or where dpkg is installed"
            )
        suite = suite_named(arguments.suite or suite_here())
        architecture = arguments.arch or architecture_here()
        built = build(
            SOURCE, arguments.output, suite, architecture, maintainer(os.environ), epoch_s(SOURCE, os.environ)
        )
    except EdgeError as error:
        print(f"make deb: {error}", file=sys.stderr)
        return exit_code(error)
    print(report(built, time.monotonic() - begun_s))
    return 0


def maintainer(environment: Mapping[str, str]) -> str:
    """Who answers for the package, by the variables that Debian's own tools go by."""
    name, address = environment.get("DEBFULLNAME"), environment.get("DEBEMAIL")
    return f"{name} <{address}>" if name and address else MAINTAINER


def epoch_s(source: Path, environment: Mapping[str, str]) -> int:
    """SOURCE_DATE_EPOCH, else when the checkout's revision was made, in seconds since 1970."""
    given = environment.get("SOURCE_DATE_EPOCH")
    if given is None:
        given = _revision_time(source)
    if not given.isdecimal():
        raise ConfigError(
            f"SOURCE_DATE_EPOCH is {given!r}, and git knows no time; set it to a number of seconds since 1970"
        )
    return int(given)


def report(built: Built, took_s: float) -> str:
    """What was built, in a few lines."""
    megabytes = [
        ("wheels", built.wheels_b),
        ("of these kept", built.kept_b),
        ("installed", built.installed_b),
        ("package", built.path.stat().st_size),
    ]
    lines = [f"  {name:<14}{size / 1e6:>7.1f} MB" for name, size in megabytes]
    return "\n".join((f"built in {took_s:.0f} s", *lines, f"sudo apt install {shlex.quote(str(built.path.resolve()))}"))


def _revision_time(source: Path) -> str:
    """As git tells it; empty where there is no git, or none of its checkouts."""
    if shutil.which("git") is None:
        return ""
    asked = ("git", "-C", str(source), "log", "-1", "--format=%ct")
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def suite_here() -> str:
    """This machine's; raises `ConfigError` if packages are not built for it."""
    try:
        found = platform.freedesktop_os_release()
    except OSError:
        found = {}
    name = found.get("VERSION_CODENAME", "")
    if name not in SUITES:
        system = found.get("PRETTY_NAME", platform.system())
        raise ConfigError(
            f"there is no package for {system} itself; say which device's it is for: SUITE={' or '.join(SUITES)}"
        )
    return name


def architecture_here() -> str:
    """This machine's, as Debian names it; raises `ConfigError` if packages are not built for it."""
    machine = platform.machine()
    for name, wheels in MACHINES.items():
        if wheels == machine:
            return name
    raise ConfigError(
        f"there is no package for {machine} itself; say which device's it is for: ARCH={' or '.join(MACHINES)}"
    )


if __name__ == "__main__":
    sys.exit(main())
