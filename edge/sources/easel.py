"""Soft and sharp shapes on a small canvas, measured in radii of a face."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Pixels

Plane = NDArray[np.float32]
Point = tuple[float, float]
Colour = tuple[float, float, float]
"""Blue, green, red in 0..255."""

LEFT, TOP, RIGHT, BOTTOM = -1.45, -1.42, 1.45, 1.75
"""What a portrait shows, in radii of the face around the centre of its oval."""

_SUBPIXEL_BITS: Final = 4


def shade(colour: Colour, factor: float) -> Colour:
    """Darker below 1, lighter above."""
    b, g, r = (min(255.0, max(0.0, c * factor)) for c in colour)
    return b, g, r


class Easel:
    """Puts soft and sharp shapes, given in radii of the face, on a canvas of `px_per_radius`."""

    def __init__(self, px_per_radius: float) -> None:
        self.scale = px_per_radius
        self.width = round((RIGHT - LEFT) * px_per_radius)
        self.height = round((BOTTOM - TOP) * px_per_radius)
        xs = (np.arange(self.width, dtype=np.float32) + 0.5) / px_per_radius + LEFT
        ys = (np.arange(self.height, dtype=np.float32) + 0.5) / px_per_radius + TOP
        self.x, self.y = xs[None, :], ys[:, None]
        self.colour: NDArray[np.float32] = np.zeros((self.height, self.width, 3), np.float32)
        self.alpha: Plane = np.zeros((self.height, self.width), np.float32)

    def polygon(self, points: list[Point]) -> Plane:
        """Coverage (0..1) of a filled polygon with smooth edges."""
        # drawn three times as large and averaged: fillPoly's own smoothing frays on outlines of many short edges; but
        # only there where the shape lies, as most are small
        corners = (np.array(points) - (LEFT, TOP)) * (3 * self.scale) - 0.5
        plane = np.zeros((self.height, self.width), np.float32)
        size = np.array((self.width, self.height))
        (x0, y0), (x1, y1) = np.clip((corners.min(axis=0) // 3 - 1, corners.max(axis=0) // 3 + 2), 0, size).astype(int)
        if x1 > x0 and y1 > y0:
            mask = np.zeros(((y1 - y0) * 3, (x1 - x0) * 3), np.uint8)
            corners -= (3 * x0, 3 * y0)
            cv2.fillPoly(mask, [np.round(corners * (1 << _SUBPIXEL_BITS)).astype(np.int32)], (255,), 8, _SUBPIXEL_BITS)
            small = cv2.resize(mask, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
            plane[y0:y1, x0:x1] = np.asarray(small, np.float32) * np.float32(1 / 255)
        return plane

    def smooth(self, points: list[Point]) -> Plane:
        """Coverage of a polygon whose corners are cut twice (Chaikin 1974), which rounds them."""
        corners = np.array(points)
        for _ in range(2):
            following = np.roll(corners, -1, axis=0)
            corners = np.stack([0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following], 1).reshape(-1, 2)
        return self.polygon([(float(x), float(y)) for x, y in corners])

    def ellipse(self, centre: Point, radii: Point, turn_deg: float = 0.0) -> Plane:
        """Coverage of a filled ellipse with smooth edges."""
        return self.polygon(ellipse(centre, radii, turn_deg))

    def glow(self, centre: Point, radii: Point) -> Plane:
        """A soft spot: 1 in its centre, 0.6 at `radii`, fading out (a Gaussian)."""
        u, v = (self.x - centre[0]) / radii[0], (self.y - centre[1]) / radii[1]
        return np.asarray(np.exp(-0.5 * (u * u + v * v)), np.float32)

    def lay(self, mask: Plane, colour: Colour | NDArray[np.float32]) -> None:
        """Paint over what is there, opaque where `mask` is 1."""
        self.tint(mask, colour)
        self.alpha += (1 - self.alpha) * mask

    def tint(self, mask: Plane, colour: Colour | NDArray[np.float32]) -> None:
        """Colour what is there, without adding substance."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not rows.size:
            return
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        paint = np.broadcast_to(np.asarray(colour, np.float32), self.colour.shape)[part]
        self.colour[part] += (paint - self.colour[part]) * mask[part][..., None]

    def finished(self) -> Pixels:
        """uint8 (h, w, 4): blue, green, red multiplied by alpha, and alpha."""
        alpha = np.clip(self.alpha, 0, 1)[..., None]
        colour = np.clip(self.colour, 0, 255) * alpha
        return np.concatenate([colour, alpha * 255], axis=2).round().astype(np.uint8)


def ellipse(centre: Point, radii: Point, turn_deg: float = 0.0, points: int = 64) -> list[Point]:
    """The outline of an ellipse."""
    turn = np.radians(turn_deg)
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    u, v = radii[0] * np.cos(angles), radii[1] * np.sin(angles)
    xs = centre[0] + u * np.cos(turn) - v * np.sin(turn)
    ys = centre[1] + u * np.sin(turn) + v * np.cos(turn)
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
