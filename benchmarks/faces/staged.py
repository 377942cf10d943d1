"""Labelled chips put into larger pictures, where the square that should be cut is known."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge.contract.placement import Placement
from edge.sources.backdrop import backdrop
from edge.types import Frame, Pixels

WIDTH_PX, HEIGHT_PX = 320, 240
SIDES_PX = (96.0, 160.0)
"""Of the square, least and most: between two and three times the chip's, as from a webcam."""
FADE = 0.6
"""How far beyond the square its repeated edge fades into the backdrop, in sides of the square."""
WALLS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """A picture with one face.

    Attributes:
        frame: grey as FER2013 is, in BGR, before a wall.
        square: what a perfect cut would take.
    """

    frame: Frame
    square: Placement


def walls(seed: int) -> tuple[Pixels, ...]:
    """Backdrops to choose from, uint8 (H, W) grey."""
    return tuple(
        np.asarray(cv2.cvtColor(backdrop(WIDTH_PX, HEIGHT_PX, seed + number), cv2.COLOR_BGR2GRAY), np.uint8)
        for number in range(WALLS)
    )


def stage(chip: Pixels, roll_deg: float, random: np.random.Generator, behind: Sequence[Pixels]) -> Staged:
    """Enlarge a chip, turn it clockwise, and put it somewhere; its edges repeat and fade into the wall.

    Args:
        chip: uint8 (S, S) grey.
        roll_deg: clockwise.
        random: chooses side, place and wall.
        behind: the walls.
    """
    side = random.uniform(*SIDES_PX)
    roll = math.radians(roll_deg)
    reach = side / 2 * (abs(math.cos(roll)) + abs(math.sin(roll)))
    x = random.uniform(reach, WIDTH_PX - reach)
    y = random.uniform(reach, HEIGHT_PX - reach)
    wall = behind[int(random.integers(len(behind)))]
    square = Placement(x, y, side, roll_deg)
    # from pixels of the picture to shares of the square, its centre at 0
    columns, rows = np.meshgrid(np.arange(WIDTH_PX) + 0.5 - x, np.arange(HEIGHT_PX) + 0.5 - y)
    across = (columns * math.cos(roll) + rows * math.sin(roll)) / side
    down = (rows * math.cos(roll) - columns * math.sin(roll)) / side
    size = chip.shape[0]
    face = cv2.remap(
        chip,
        ((across + 0.5) * size - 0.5).astype(np.float32),
        ((down + 0.5) * size - 0.5).astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    beyond = np.hypot(np.maximum(np.abs(across) - 0.5, 0), np.maximum(np.abs(down) - 0.5, 0))
    weight = np.clip(1 - beyond / FADE, 0, 1)
    picture = np.rint(weight * face + (1 - weight) * wall).astype(np.uint8)
    return Staged(Frame(1, 0, np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)), square)


def staged(chips: Pixels, rows: Sequence[int], roll_deg: float, seed: int) -> Iterator[Staged]:
    """Each chip before a wall; side, place and wall depend on seed, row and roll alone.

    Args:
        chips: uint8 (N, S, S, 1).
        rows: their numbers in the data.
        roll_deg: clockwise, of all.
        seed: of the chances.
    """
    behind = walls(seed)
    for chip, row in zip(chips, rows, strict=True):
        random = np.random.default_rng((seed, int(row), round(roll_deg) % 360))
        yield stage(chip[..., 0], roll_deg, random, behind)
