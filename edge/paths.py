"""How a face moves: smooths what a detector says of its place, and says where it is between two detections."""

import msgspec

from edge.geometry import moved
from edge.types import Box

STILL = 0.05
"""Share of the box's width by which a detector's boxes of a face at rest wander (median 0.01, 95 % 0.03 on clips)."""

CALM = 0.5
"""Weight of a new box that lies within that: the rest is jitter."""

STEADY_S = 0.25
"""Time constant of the velocity's average."""

LEAST_SPEED = 0.3
"""Widths per second; what is slower is taken for standing still."""

AHEAD_S = 0.3
"""A face is moved on for so long at most: people turn round."""


class Path(msgspec.Struct, frozen=True):
    """Where a face was, and how it moves.

    Attributes:
        box: smoothed, when it was detected last.
        t_ns: then.
        vx: of the centre, in shares of the frame's width per second.
        vy: likewise of its height.
        near: whether it was found in a part of the frame: the whole frame may be too coarse to show it.
    """

    box: Box
    t_ns: int
    vx: float = 0.0
    vy: float = 0.0
    near: bool = False

    def at(self, t_ns: int, ahead_s: float = AHEAD_S) -> Box:
        """Where the face is, as far as its velocity tells."""
        if self.vx * self.vx + self.vy * self.vy < (LEAST_SPEED * self.box.w) ** 2:
            return self.box
        dt_s = min(max((t_ns - self.t_ns) / 1e9, 0.0), ahead_s)
        return moved(self.box, self.vx * dt_s, self.vy * dt_s)

    def seen(self, box: Box, t_ns: int, near: bool) -> "Path":
        """The path with one more detection.

        A box that differs from what was expected by no more than jitter is averaged; one that differs more is believed
        the more the further it is away, so that a face that sets off is not followed late.
        """
        expected = self.at(t_ns)
        width, height = max(expected.w, 1e-6), max(expected.h, 1e-6)
        dx, dy = box.x + box.w / 2 - expected.x - expected.w / 2, box.y + box.h / 2 - expected.y - expected.h / 2
        place = _weight(max(abs(dx) / width, abs(dy) / height))
        size = _weight(max(abs(box.w / width - 1), abs(box.h / height - 1)))
        w, h = expected.w + size * (box.w - expected.w), expected.h + size * (box.h - expected.h)
        x = expected.x + expected.w / 2 + place * dx - w / 2
        y = expected.y + expected.h / 2 + place * dy - h / 2
        smooth = Box(x, y, w, h)
        dt_s = (t_ns - self.t_ns) / 1e9
        if dt_s <= 0:
            return Path(smooth, t_ns, self.vx, self.vy, near)
        was = self.box
        vx, vy = (x + w / 2 - was.x - was.w / 2) / dt_s, (y + h / 2 - was.y - was.h / 2) / dt_s
        share = dt_s / (dt_s + STEADY_S)
        return Path(smooth, t_ns, self.vx + share * (vx - self.vx), self.vy + share * (vy - self.vy), near)


def _weight(difference: float) -> float:
    """Of a new box, for its difference in widths."""
    return min(1.0, max(CALM, difference / STILL))
