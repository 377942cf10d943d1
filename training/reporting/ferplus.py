"""A second opinion on FER2013's labels: what ten people each said of every picture (Barsoum et al. 2016, "FER+")."""

from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Dataset
from training.data.ferplus import NAMES, load

VOTES: Final = "ferplus_votes.csv"
"""Lies beside the data where it is at hand."""

DEFINITION: Final = (
    "The vote of a picture is the one of the seven classes that most of its ten taggers named; contempt, unknown and "
    "no-face are not counted. Pictures without a vote for any of the seven, or with a tie for the most, are left out."
)


class Agreement(msgspec.Struct, frozen=True):
    """How often the taggers' vote was named.

    Attributes:
        definition: of the vote.
        n: pictures with a vote.
        model: share of them that the model names so.
        labels: share of them that the data's own labels name so, for comparison.
    """

    definition: str
    n: int
    model: float
    labels: float


def votes_beside(data: Path) -> Path | None:
    """The file of votes beside the data, if there is one."""
    beside = data.parent / VOTES
    return beside if data.is_file() and beside.is_file() else None


def agreement(votes: Path, part: Dataset, named: NDArray[np.int64]) -> Agreement | None:
    """Compare what was named with the votes.

    Args:
        votes: the file.
        part: pictures, their rows and splits those of FER2013.
        named: int64 (N,), indices into the part's names.

    Returns:
        None if no picture of the part has a vote, or the part has classes that the taggers could not name.

    Raises:
        PermanentError: the file is not such a table, or not of these pictures.
    """
    if not set(part.label_names) <= set(NAMES.values()):
        return None
    shares, known = load(votes, part).of(part.rows)
    second, first = np.sort(shares, axis=1)[:, -2:].T
    has_one = known & (first > second)
    if not has_one.any():
        return None
    voted = shares.argmax(axis=1)
    return Agreement(
        DEFINITION,
        int(has_one.sum()),
        float((named == voted)[has_one].mean()),
        float((part.labels == voted)[has_one].mean()),
    )
