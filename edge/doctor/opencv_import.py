"""Whether OpenCV works, is one the program is made for, and is there once only (opencv/opencv-python#467)."""

import re
from collections.abc import Iterator
from importlib import metadata
from typing import Final

from edge.doctor.findings import Finding
from edge.doctor.importing import imported
from edge.doctor.world import World

OWN: Final = "opencv-python-headless"
EDITIONS: Final = (OWN, "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
"""All of them install the same folder `cv2`."""
OLDEST: Final = (4, 10)


def check(world: World) -> Iterator[Finding]:
    """Editions, import, version."""
    editions = {name: version for name in EDITIONS if (version := _version(world, name))}
    several = len(editions) > 1
    if several:
        found = " and ".join(f"{name} {version}" for name, version in editions.items())
        others = " ".join(name for name in editions if name != OWN)
        yield world.finding("opencv-several", found, others=others)
    cv2 = imported("cv2")
    if isinstance(cv2, str):
        yield world.finding("opencv-unusable", cv2)
        return
    text = str(getattr(cv2, "__version__", "of no version"))
    numbers = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
    found = f"OpenCV {text} in {(cv2.__file__ or '').rpartition('/')[0]}"
    if numbers >= (5,):
        yield world.finding("opencv-5", found)
    elif numbers < OLDEST:
        yield world.finding("opencv-too-old", found)
    elif not several:
        yield world.finding("opencv-ok", found)


def _version(world: World, name: str) -> str:
    """Of a package that is installed; empty if it is not."""
    found = next(iter(metadata.distributions(name=name, path=list(world.python.path))), None)
    return found.version if found else ""
