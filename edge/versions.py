"""The program's version, and those of what it stands on."""

import importlib.metadata

from edge import __version__

PARTS = ("ai-edge-litert", "tflite-runtime", "opencv-python-headless", "numpy", "aiohttp")


def version_text() -> str:
    """One line; what is not installed is left out."""
    found = []
    for part in PARTS:
        try:
            found.append(f"{part} {importlib.metadata.version(part)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return f"emotion-edge {__version__} ({', '.join(found)})"
