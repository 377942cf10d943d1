"""Where in a picture a face's chip is: a square that is turned as the head is, if it is tilted."""

import math

import msgspec

from edge.types import Box, Framing, Keypoints, PixelBox

LEAST_ROLL_DEG = 10.0
"""A head that is tilted by less is cut as it is: models learn from such, and the plain cut is cheaper."""
PROFILE = 0.7
"""From this `turn` on a face is seen from the side: one eye is behind the other, and their line tells no roll."""


class Placement(msgspec.Struct, frozen=True):
    """A square in a picture; may reach beyond it.

    Attributes:
        x: of its centre, in px from the picture's left edge.
        y: of its centre, in px from its top edge.
        side: in px.
        roll_deg: how far it is turned, clockwise as one sees it.
    """

    x: float
    y: float
    side: float
    roll_deg: float = 0.0

    def around(self) -> PixelBox:
        """The upright square around it, in whole pixels; the square itself if it is not turned."""
        side = self.side
        if self.roll_deg:
            roll = math.radians(self.roll_deg)
            side *= abs(math.cos(roll)) + abs(math.sin(roll))
        whole = max(1, round(side))
        return PixelBox(round(self.x - whole / 2), round(self.y - whole / 2), whole, whole)


def head_roll_deg(keypoints: Keypoints, width_px: int, height_px: int) -> float:
    """How far a head is tilted in the picture's plane, clockwise as one sees it: the slope of the line of its eyes.

    Args:
        keypoints: in [0, 1] of the picture.
        width_px: width of the picture.
        height_px: height of the picture.
    """
    (right_x, right_y), (left_x, left_y) = keypoints[:2].tolist()
    return math.degrees(math.atan2((left_y - right_y) * height_px, (left_x - right_x) * width_px))


def turn(keypoints: Keypoints, width_px: int, height_px: int) -> float:
    """How far the nose is beside the middle of the eyes, along their line, in distances of the eyes.

    0: the face looks at the camera. A nose stands out by about half that distance, so 0.7 is some 55° to the side.
    """
    (right_x, right_y), (left_x, left_y), (nose_x, nose_y) = keypoints[:3].tolist()
    eyes_x, eyes_y = (left_x - right_x) * width_px, (left_y - right_y) * height_px
    x, y = (nose_x - (right_x + left_x) / 2) * width_px, (nose_y - (right_y + left_y) / 2) * height_px
    beside: float = abs(x * eyes_x + y * eyes_y) / max(eyes_x * eyes_x + eyes_y * eyes_y, 1e-9)
    return beside


def roll_to_undo_deg(keypoints: Keypoints | None, width_px: int, height_px: int) -> float:
    """The roll of a head that is tilted by more than `LEAST_ROLL_DEG`; else, and if its eyes do not tell, 0."""
    if keypoints is None:
        return 0.0
    roll_deg = head_roll_deg(keypoints, width_px, height_px)
    tilted = abs(roll_deg) > LEAST_ROLL_DEG and turn(keypoints, width_px, height_px) <= PROFILE
    return roll_deg if tilted else 0.0


def placed(
    box: Box, width_px: int, height_px: int, framing: Framing, margin: float, roll_deg: float = 0.0
) -> Placement:
    """The square of the picture that becomes the chip.

    Args:
        box: the detector's box in [0, 1].
        width_px: width of the picture.
        height_px: height of the picture.
        framing: the detector's convention; what is above an upright head is beside a tilted one.
        margin: `ChipSpec.margin`.
        roll_deg: by which the square is turned.
    """
    w_px = box.w * width_px
    side, up = w_px * framing.scale * margin, framing.up * w_px
    x, y = (box.x + box.w / 2) * width_px, (box.y + box.h / 2) * height_px
    if not roll_deg:
        return Placement(x, y - up, side)
    roll = math.radians(roll_deg)
    return Placement(x + up * math.sin(roll), y - up * math.cos(roll), side, roll_deg)
