"""Scenes for tests of what is drawn of them."""

from edge.types import Box, Decision, Scene, Track
from tests.fakes import frame


def scene(*tracks: Track, seq: int = 1) -> Scene:
    return Scene(frame(seq, width=320, height=240), tracks, ("happy",), Decision(True, "first"), {})


def track(number: int = 1, *, misses: int = 0, box: Box | None = None, label: str | None = "happy") -> Track:
    return Track(number, box or Box(0.25, 0.25, 0.5, 0.5), 0.9, None, 1, misses, 1, 0, label=label, confidence=0.87)
