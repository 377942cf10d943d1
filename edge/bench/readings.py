"""Small files in which Linux tells of the machine; what is not there, or does not answer, is simply not known."""

from pathlib import Path


def text_of(path: Path) -> str:
    """Its content; empty where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # a sensor that sleeps answers with an error
        return ""


def number_of(path: Path) -> int | None:
    """The whole number in it."""
    try:
        return int(text_of(path))
    except ValueError:
        return None
