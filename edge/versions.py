"""The program's version, and those of what it stands on."""

import importlib.metadata

from edge import __version__

PARTS = ("ai-edge-litert", "tflite-runtime", "opencv-python-headless", "numpy", "aiohttp")


def versions() -> dict[str, str]:
    """By name, what is installed."""
    found = {"emotion-edge": __version__}
    for part in PARTS:
        try:
            found[part] = importlib.metadata.version(part)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def version_text() -> str:
    """One line; what is not installed is left out."""
    (own, *others) = (f"{name} {version}" for name, version in versions().items())
    return f"{own} ({', '.join(others)})"
