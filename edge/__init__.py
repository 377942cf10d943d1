"""Watches a camera on a low-power device, finds faces, names each face's expression and shows it live.

In Python, `edge.analyze(picture)` reads one picture, and `edge.EmotionAnalyzer` many.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.analyzer import EmotionAnalyzer, analyze

__all__ = ["EmotionAnalyzer", "__version__", "analyze"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the Python API when it is first asked for: without it, `import edge` costs nothing."""
    if name not in ("EmotionAnalyzer", "analyze"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from edge import analyzer  # noqa: PLC0415

    return getattr(analyzer, name)
