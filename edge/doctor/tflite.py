"""Whether a TFLite runtime can really be constructed, runs a model, and does so with XNNPACK."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from edge import runtime
from edge.doctor.findings import Finding
from edge.doctor.world import World
from edge.errors import PermanentError

MODEL: Final = Path(runtime.__file__).parent / "models" / "emotion-int8.tflite"
"""The one that comes with the program; its adapter would load OpenCV as well."""
LEGACY: Final = "tflite-runtime"


def check(world: World) -> Iterator[Finding]:
    """By running the model once, on whatever its input holds."""
    installed = {name: version for name, _ in runtime.CANDIDATES if (version := _version(name))}
    if not installed:
        yield world.finding("runtime-missing", "neither " + " nor ".join(name for name, _ in runtime.CANDIDATES))
        return
    names = " and ".join(f"{name} {version}" for name, version in installed.items())
    try:
        loaded = runtime.load(MODEL.read_bytes(), MODEL.name)
        loaded.interpreter.invoke()
    except (PermanentError, RuntimeError, ValueError, OSError) as error:
        yield world.finding("runtime-unusable", f"{names}: {error}")
        return
    found = "; ".join((f"{loaded.runtime} serves", *loaded.rejected))
    legacy = loaded.runtime.startswith(LEGACY)
    if legacy:
        yield world.finding("runtime-legacy", found)
    elif LEGACY in installed and _version("numpy") >= "2":
        yield world.finding("runtime-legacy-numpy-2", f"{names} beside NumPy {_version('numpy')}")
    if not loaded.xnnpack:
        yield world.finding("runtime-without-xnnpack", f"{loaded.runtime} did not say that it uses XNNPACK")
    elif not legacy:
        yield world.finding("runtime-ok", f"{loaded.runtime} with XNNPACK")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
