"""Valence and arousal, derived from the class probabilities: a way to read them, no measurement of its own."""

from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.types import EmotionScores, read_only

COORDINATES: Final[Mapping[str, tuple[float, float]]] = {
    "angry": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "happy": (0.81, 0.51),
    "sad": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
    "neutral": (0.0, 0.0),
}
"""Valence and arousal of each class, both in [-1, 1].

Mean pleasure and arousal of emotion terms, as 300 people rated them: Russell, J. A. and Mehrabian, A. (1977), "Evidence
for a three-factor theory of emotions", Journal of Research in Personality 11(3), 273-294,
https://doi.org/10.1016/0092-6566(77)90037-X, table 4: angry (row 82), disgust (75), fearful (101), happy (31), sad
(151), surprised (52). Neutral is the origin by definition. What of this was verified, and how, is told in
docs/adr/0006-valence-and-arousal-are-derived.md.
"""


class Affect(msgspec.Struct, frozen=True):
    """A point in the plane of valence and arousal.

    Attributes:
        valence: from unpleasant, -1, to pleasant, 1.
        arousal: from sleepy, -1, to excited, 1.
    """

    valence: float
    arousal: float


def affect(scores: EmotionScores, labels: tuple[str, ...]) -> Affect | None:
    """The expectation of the classes' coordinates; None if a class has none.

    Args:
        scores: probabilities (C,).
        labels: class names in their order.
    """
    coordinates = _coordinates(labels)
    if coordinates is None:
        return None
    valence, arousal = (scores @ coordinates).tolist()
    return Affect(valence, arousal)


@cache
def _coordinates(labels: tuple[str, ...]) -> NDArray[np.float32] | None:
    """float32 (C, 2): valence and arousal of each label, in [-1, 1]; None if one of them is unknown."""
    if any(label not in COORDINATES for label in labels):
        return None
    coordinates = np.array([COORDINATES[label] for label in labels], np.float32)
    read_only(coordinates)
    return coordinates
