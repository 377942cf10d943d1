"""Whether apt's modules that picamera2 imports were built for this environment's NumPy (raspberrypi/picamera2#1211)."""

from collections.abc import Iterator
from typing import Final

from edge.doctor.apt_packages import visible
from edge.doctor.findings import Finding
from edge.doctor.importing import imported
from edge.doctor.world import World

MODULE: Final = "simplejpeg"


def check(world: World) -> Iterator[Finding]:
    """By importing the one that is not written in Python; nothing is said where there is none, or no NumPy."""
    numpy = imported("numpy")
    if isinstance(numpy, str) or not visible(world, MODULE):
        return
    found = imported(MODULE)
    if isinstance(found, str):
        yield world.finding("numpy-abi-mismatch", f"{MODULE} beside NumPy {numpy.__version__}: {found}")
