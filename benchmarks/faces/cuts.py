"""The ways to cut a face that are compared: where each puts the square, given what a detector found."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge.contract.placement import LEAST_ROLL_DEG, Placement, head_roll_deg, placed
from edge.types import Face, Framing, Keypoints

MARGINS = (0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2)
LEAST_ROLLS_DEG = (0.0, 5.0, 10.0, 15.0)

TEMPLATE = np.array([0.507 - 0.183 + 0.397j, 0.507 + 0.183 + 0.397j, 0.507 + 0.78j]) - (0.5 + 0.5j)
"""Where FER2013's pictures show right eye, left eye and mouth, in sides from their centre; x + iy."""
MARKS = [0, 1, 3]
"""Which of a face's keypoints these are."""

Cut = Callable[[Face, Placement, Framing, int, int], Placement]
"""From the face found, the true square, the detector's framing and the picture's width and height to what is cut."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to cut.

    Attributes:
        kind: what it goes by.
        margin: side of the square as a multiple of what it would be at 1.
        place: the square.
    """

    kind: str
    margin: float
    place: Cut


def from_box(margin: float, undo_from_deg: float) -> Cut:
    """By the box; turned with the eyes if they are turned by more than `undo_from_deg`."""

    def place(face: Face, _: Placement, framing: Framing, width: int, height: int) -> Placement:
        roll = 0.0 if face.keypoints is None else head_roll_deg(face.keypoints, width, height)
        return placed(face.box, width, height, framing, margin, roll if abs(roll) > undo_from_deg else 0.0)

    return place


def from_keypoints(margin: float) -> Cut:
    """By eyes and mouth: the similarity that brings the template nearest to them (least squares)."""

    def place(face: Face, _: Placement, framing: Framing, width: int, height: int) -> Placement:
        if face.keypoints is None:
            return placed(face.box, width, height, framing, margin)
        return fitted(face.keypoints, margin, width, height)

    return place


def fitted(keypoints: Keypoints, margin: float, width: int, height: int) -> Placement:
    """The square that shows these keypoints where the template has them."""
    found = keypoints[MARKS, 0] * width + 1j * keypoints[MARKS, 1] * height
    template = TEMPLATE - TEMPLATE.mean()
    # in complex numbers a similarity is z -> turn * z + shift, and its least squares are one division
    turn = complex((template.conj() * (found - found.mean())).sum() / (abs(template) ** 2).sum())
    centre = complex(found.mean() - turn * TEMPLATE.mean())
    return Placement(centre.real, centre.imag, abs(turn) * margin, math.degrees(math.atan2(turn.imag, turn.real)))


def from_eyes(margin: float) -> Cut:
    """By the eyes alone: their middle, distance and slope."""

    def place(face: Face, _: Placement, framing: Framing, width: int, height: int) -> Placement:
        if face.keypoints is None:
            return placed(face.box, width, height, framing, margin)
        right, left = face.keypoints[:2, 0] * width + 1j * face.keypoints[:2, 1] * height
        turn = complex((left - right) / (TEMPLATE[1] - TEMPLATE[0]))
        centre = complex((right + left) / 2 - turn * (TEMPLATE[0] + TEMPLATE[1]) / 2)
        return Placement(centre.real, centre.imag, abs(turn) * margin, math.degrees(math.atan2(turn.imag, turn.real)))

    return place


def true_square(upright: bool) -> Cut:
    """What a perfect cut takes: turned as the face was put there, or not turned."""

    def place(_: Face, truth: Placement, __: Framing, ___: int, ____: int) -> Placement:
        return Placement(truth.x, truth.y, truth.side) if upright else truth

    return place


CURRENT = 0
"""Which of `ways` is the program's."""


def ways() -> tuple[Way, ...]:
    """All that are compared."""
    return (
        Way(f"box, turned beyond {LEAST_ROLL_DEG:g}°", 1.0, from_box(1.0, LEAST_ROLL_DEG)),
        Way("box", 1.0, from_box(1.0, math.inf)),
        *(Way("box", margin, from_box(margin, math.inf)) for margin in MARGINS if margin != 1.0),
        *(
            Way(f"box, turned beyond {least:g}°", 1.0, from_box(1.0, least))
            for least in LEAST_ROLLS_DEG
            if least != LEAST_ROLL_DEG
        ),
        *(Way("box, turned beyond 0°", margin, from_box(margin, 0.0)) for margin in MARGINS if margin != 1.0),
        *(Way("eyes and mouth", margin, from_keypoints(margin)) for margin in MARGINS),
        *(Way("eyes", margin, from_eyes(margin)) for margin in MARGINS),
        Way("true square", 1.0, true_square(upright=False)),
        Way("true square, not turned", 1.0, true_square(upright=True)),
    )
