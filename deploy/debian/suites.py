"""What a package is built for."""

import msgspec

from edge.errors import ConfigError

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Debian's names of architectures, and those of wheels."""

OLDEST_GLIBC = 17
"""Minor version of the C library that the oldest wheels are built for (manylinux2014)."""


class Suite(msgspec.Struct, frozen=True):
    """A release of Debian; Raspberry Pi OS of that name has the same parts.

    Attributes:
        name: of the release.
        number: of the release.
        python: minor version of its Python 3.
        glibc: minor version of its C library 2.
        units: where its packages put units; trixie's merged folders have one name only.
    """

    name: str
    number: int
    python: int
    glibc: int
    units: str

    @property
    def platforms(self) -> tuple[str, ...]:
        """Kinds of wheels that run on its C library, without the machine's name, the newest first."""
        return (*(f"manylinux_2_{minor}" for minor in range(self.glibc, OLDEST_GLIBC - 1, -1)), "manylinux2014")


SUITES = {
    suite.name: suite
    for suite in (
        Suite("bookworm", 12, python=11, glibc=36, units="lib/systemd/system"),
        Suite("trixie", 13, python=13, glibc=41, units="usr/lib/systemd/system"),
    )
}


def suite_named(name: str) -> Suite:
    """Raises `ConfigError` for a suite that no package is built for."""
    if name not in SUITES:
        raise ConfigError(f"there is no package for {name!r}; SUITE is one of {', '.join(SUITES)}")
    return SUITES[name]


def machine_named(architecture: str) -> str:
    """Of the wheels; raises `ConfigError` for an architecture that no package is built for."""
    if architecture not in MACHINES:
        raise ConfigError(f"there is no package for {architecture!r}; ARCH is one of {', '.join(MACHINES)}")
    return MACHINES[architecture]
