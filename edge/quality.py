"""Whether a face can be read at all: what is too small, blurred or turned away is doubted instead of named.

The limits were measured on FER2013's PublicTest (docs/adr/0013-a-tilted-head-is-cut-upright-a-bad-look-is-not-read.md).
Of the labels of clear faces 75 in 100 are right, of those just at the threshold 46. A look is doubted from where fewer
than 60 are, half-way between.
"""

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from msgspec.structs import replace

from edge.contract.chip import shrink
from edge.contract.placement import PROFILE, turn
from edge.types import UNCERTAIN, Keypoints, Pixels, Track

Doubt = Literal["small", "blurred", "turned"]

SIDE_PX = 48
"""Of the chip that the limit of sharpness is for; larger ones are shrunk to it first."""
FLAT = 25.0
"""Added to the variance, in squared grey levels: the noise of a flat wall is no structure."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a face needs to be read.

    Attributes:
        min_px: side of the square that is cut, in px of the frame.
        min_sharpness: see `sharpness`.
        max_turn: see `edge.contract.placement.turn`.
    """

    min_px: int = 12
    min_sharpness: float = 0.085
    max_turn: float = PROFILE

    def doubt(
        self, chip: Pixels, side_px: float, keypoints: Keypoints | None, shape_px: tuple[int, int]
    ) -> Doubt | None:
        """Why a face should not be read; None: it may be.

        Args:
            chip: uint8 (S, S, 1) grey or (S, S, 3) RGB.
            side_px: of the square it was cut from, in px of the frame.
            keypoints: of the face, in [0, 1] of the frame, if they are known.
            shape_px: width and height of the frame.
        """
        if side_px < self.min_px:
            return "small"
        if keypoints is not None and turn(keypoints, *shape_px) > self.max_turn:
            return "turned"
        return "blurred" if sharpness(chip) < self.min_sharpness else None


def sharpness(chip: Pixels) -> float:
    """How much brightness changes from pixel to pixel in the direction in which it changes least, against its contrast.

    The smaller eigenvalue of the structure tensor (Förstner and Gülch 1987) over the chip's variance: a blur by motion
    leaves the edges along its path sharp, and the usual variance of the Laplacian with them.

    Args:
        chip: uint8 (S, S, 1) grey or (S, S, 3) RGB.
    """
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY) if chip.shape[-1] == 3 else chip[..., 0]
    if grey.shape[0] > SIDE_PX:
        grey = shrink(np.asarray(grey, np.uint8), SIDE_PX, SIDE_PX)
    values = grey.astype(np.float32)
    across = (values[1:-1, 2:] - values[1:-1, :-2]).ravel()
    down = (values[2:, 1:-1] - values[:-2, 1:-1]).ravel()
    xx, yy, xy = float(across.dot(across)), float(down.dot(down)), float(across.dot(down))
    least = ((xx + yy) / 2 - math.hypot((xx - yy) / 2, xy)) / across.size
    flat = values.ravel()
    level = flat - np.float32(np.add.reduce(flat) / flat.size)
    contrast = float(level.dot(level)) / level.size
    return least / (contrast + FLAT)


def unread(track: Track, doubt: Doubt, t_ns: int, hold_s: float) -> Track:
    """The face after a look that was no good: its label stands a while, then it is `UNCERTAIN` and has no scores.

    Args:
        track: as it was before.
        doubt: what was wrong.
        t_ns: time of the look.
        hold_s: how long a label stands after the last good look.
    """
    if track.scored_ns is not None and (t_ns - track.scored_ns) / 1e9 < hold_s:
        return replace(track, doubt=doubt, looked_ns=t_ns)
    return replace(
        track,
        doubt=doubt,
        looked_ns=t_ns,
        label=UNCERTAIN,
        confidence=0.0,
        scores=None,
        scored_seq=None,
        scored_ns=None,
        led_ns=None,
    )
