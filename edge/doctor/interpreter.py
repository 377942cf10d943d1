"""Whether this Python, on this processor, is one that the program's packages exist for."""

from collections.abc import Iterator
from typing import Final

from edge.doctor.findings import Finding
from edge.doctor.world import World

OLDEST: Final = (3, 11)
NEWEST: Final = (3, 14)
"""ai-edge-litert has wheels from one to the other."""
ARCHITECTURES: Final = frozenset(("x86_64", "AMD64", "aarch64", "arm64"))
"""As Linux, Windows and macOS name those it has wheels for."""
WIDE: Final = frozenset(("x86_64", "aarch64", "arm64", "AMD64", "riscv64", "ppc64le", "s390x"))
"""What 64-bit kernels call themselves, whatever their programs are."""


def check(world: World) -> Iterator[Finding]:
    """Version, width, architecture."""
    python = world.python
    version = ".".join(map(str, python.version))
    found = f"Python {version}, {python.bits}-bit, on {python.machine} ({python.executable})"
    wrong = []
    if python.version[:2] < OLDEST:
        wrong.append("python-too-old")
    if python.version[:2] > NEWEST:
        wrong.append("python-too-new")
    if python.bits < 64:
        wrong.append("kernel-64-userland-32" if python.machine in WIDE else "userland-32-bit")
    elif python.machine not in ARCHITECTURES:
        wrong.append("architecture-unsupported")
    for code in wrong or ("python-ok",):
        yield world.finding(code, found)
