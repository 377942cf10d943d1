"""The seven expressions, in FER2013's order. Other models bring other labels on their card."""

from typing import Final

FER2013_LABELS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Index = the `emotion` column of fer2013.csv (Goodfellow et al. 2013, "Challenges in Representation Learning")."""
