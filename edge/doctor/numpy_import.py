"""Whether NumPy works."""

from collections.abc import Iterator

from edge.doctor.findings import Finding
from edge.doctor.importing import imported
from edge.doctor.world import World


def check(world: World) -> Iterator[Finding]:
    """By importing it."""
    numpy = imported("numpy")
    if isinstance(numpy, str):
        yield world.finding("numpy-unusable", numpy)
    else:
        yield world.finding("numpy-ok", f"NumPy {numpy.__version__} in {numpy.__path__[0]}")
