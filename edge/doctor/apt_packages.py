"""What apt has installed for cameras on ribbon cables: modules of the system's own Python."""

import re
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

from edge.doctor.world import World

FOLDER: Final = "/usr/lib/python3/dist-packages"
"""Where Debian has the modules of its packages."""
_BUILT_FOR: Final = re.compile(r"\.cpython-(\d)(\d+)-")


def has_picamera2(world: World) -> bool:
    """Whether apt's python3-picamera2 is there."""
    return world.path(f"{FOLDER}/picamera2").is_dir()


def has_libcamera(world: World) -> bool:
    """Whether apt's python3-libcamera is there."""
    return world.path(f"{FOLDER}/libcamera").is_dir()


def libcamera_python(world: World) -> tuple[int, int] | None:
    """The version of Python that apt's libcamera is built for; None where it does not say."""
    for library in sorted(world.path(f"{FOLDER}/libcamera").glob("*.so")):
        found = _BUILT_FOR.search(library.name)
        if found:
            return int(found[1]), int(found[2])
    return None


def visible(world: World, module: str) -> bool:
    """Whether the program's Python would find that module."""
    return PathFinder.find_spec(module, list(world.python.path)) is not None


def system_packages(world: World) -> bool:
    """Whether the environment sees what apt has installed; what is no environment always does."""
    settings = Path(world.python.prefix, "pyvenv.cfg")
    try:
        lines = settings.read_text(encoding="utf-8", errors="replace").lower().splitlines()
    except OSError:
        return True
    pairs = (line.partition("=") for line in lines)
    return any(key.strip() == "include-system-site-packages" and value.strip() == "true" for key, _, value in pairs)
