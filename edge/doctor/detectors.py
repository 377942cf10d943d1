"""Whether the face detectors are there, as published, and the one that is wanted works."""

from collections.abc import Iterator
from typing import Final

from edge import model_store
from edge.config import DetectorConfig
from edge.detectors.blazeface import VARIANTS
from edge.detectors.mediapipe import FILE as MEDIAPIPE_FILE
from edge.doctor.configuration import config_or_defaults
from edge.doctor.findings import Finding
from edge.doctor.world import World
from edge.errors import PermanentError
from edge.parts import AUTO_DETECTOR, NEAR_DETECTOR, build_detector

_FETCHED: Final = frozenset(("auto", *VARIANTS, "mediapipe"))
"""Names of those that need a file."""


def check(world: World) -> Iterator[Finding]:
    """Hashes first, then the detector itself."""
    settings = config_or_defaults(world).detector
    damaged = False
    for file in model_store.CATALOGUE:
        path = model_store.find(file.name)
        wrong = path and model_store.problem(file, path)
        if wrong:
            damaged = True
            yield world.finding("detector-damaged", f"{path} {wrong}")
    missing = _missing(settings)
    if missing:
        code = "detectors-missing" if settings.name == "auto" else "detector-missing"
        places = ", ".join(map(str, model_store.directories()))
        found = f"{' and '.join(missing)}: not in {places}"
        yield world.finding(code, found, path=f"{' and '.join(missing)} in one of {places}")
    if damaged or (missing and settings.name != "auto"):
        return
    try:
        detector, notices = build_detector(settings)
    except PermanentError as error:
        yield world.finding("detector-unusable", str(error))
        return
    if not missing:
        yield world.finding("detectors-ok", "; ".join((f"{detector.name} finds the faces", *notices)))


def _missing(settings: DetectorConfig) -> list[str]:
    """Files that the settings ask for, and that are nowhere."""
    if settings.name not in _FETCHED:
        return []
    if settings.name == "mediapipe":
        wanted = [MEDIAPIPE_FILE]
    else:
        own = AUTO_DETECTOR if settings.name == "auto" else settings.name
        # small faces are looked for with another one; without its file they are not
        near = [VARIANTS[NEAR_DETECTOR].file] if settings.tiles and settings.name == "auto" else []
        wanted = [VARIANTS[own].file, *near]
    return [name for name in wanted if model_store.find(name) is None]
