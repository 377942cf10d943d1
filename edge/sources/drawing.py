"""Draws one face: the features that move on a portrait made beforehand, and the portrait on the frame."""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.sources.easel import LEFT, TOP, Colour, Point, shade
from edge.sources.expressions import Expression
from edge.sources.portrait import Person, portrait
from edge.types import Pixels

Curve = NDArray[np.float64]
"""(n, 2) points in radii of the face."""

_BITS: Final = 4
_EYE: Final[Point] = (0.34, -0.10)
_EYE_HALF_W: Final = 0.175
_BROW_Y: Final = -0.33
_MOUTH_Y: Final = 0.60
_WHITE: Final[Colour] = (236, 240, 244)
_U: Final[NDArray[np.float64]] = np.linspace(-1, 1, 15)


class Sitter:
    """A person who can be drawn with any expression.

    Args:
        person: who it is.
        px_per_radius: size of the stored picture; the largest that will be asked for.
    """

    def __init__(self, person: Person, px_per_radius: float) -> None:
        self._person = person
        self._scale = px_per_radius
        self._blank = portrait(person, px_per_radius)
        self._drawn = self._blank
        self._drawn_as: tuple[Expression, float, float] | None = None

    def picture(self, expression: Expression, gaze: float, lids: float) -> Pixels:
        """The person with this expression; kept, as most frames show the same as the one before.

        Args:
            expression: what the features do.
            gaze: where the eyes look, -1 (left on the screen) to 1.
            lids: how far the eyes are open, 0 to 1.

        Returns:
            uint8 (h, w, 4), colours multiplied by alpha; the caller must not write to it.
        """
        # in steps that nobody sees, so that a slowly moving gaze does not redraw every frame
        gaze = round(gaze * 6) / 6
        if self._drawn_as != (expression, gaze, lids):
            sketch = _Sketch(self._blank.copy(), self._scale, self._person)
            sketch.features(expression, gaze, lids)
            self._drawn, self._drawn_as = sketch.canvas, (expression, gaze, lids)
        return self._drawn

    def paste(self, frame: Pixels, picture: Pixels, centre_px: Point, radius_px: float, roll_deg: float) -> None:
        """Put a `picture` on a frame.

        Args:
            frame: uint8 (H, W, 3), written to.
            picture: from `picture`.
            centre_px: where the centre of the face's oval goes.
            radius_px: half the height of the oval on the frame.
            roll_deg: clockwise turn on the screen.
        """
        zoom = radius_px / self._scale
        cos, sin = zoom * math.cos(math.radians(roll_deg)), zoom * math.sin(math.radians(roll_deg))
        origin_x, origin_y = -LEFT * self._scale, -TOP * self._scale
        turn = np.array(
            [
                [cos, -sin, centre_px[0] - cos * origin_x + sin * origin_y],
                [sin, cos, centre_px[1] - sin * origin_x - cos * origin_y],
            ]
        )
        height, width = picture.shape[:2]
        corners = turn @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
        x0, y0 = (max(0, math.floor(v)) for v in corners.min(axis=1))
        x1 = min(frame.shape[1], math.ceil(corners[0].max()))
        y1 = min(frame.shape[0], math.ceil(corners[1].max()))
        if x1 <= x0 or y1 <= y0:
            return
        turn[:, 2] -= (x0, y0)
        warped = cv2.warpAffine(picture, turn, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        part = frame[y0:y1, x0:x1]
        # cvtColor, not slices: OpenCV is a hundred times slower on arrays with gaps between the pixels
        through = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(warped, 3)), cv2.COLOR_GRAY2BGR)
        colour = cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR)
        part[:] = cv2.add(cv2.multiply(part, through, scale=1 / 255), colour)


class _Sketch:
    """Draws the features of one expression on a copy of the portrait."""

    def __init__(self, canvas: Pixels, scale: float, person: Person) -> None:
        self.canvas = canvas
        self._scale = scale
        self._person = person
        self._lip: Colour = (person.skin[0] * 0.62, person.skin[1] * 0.56, person.skin[2] * 0.84)

    def features(self, look: Expression, gaze: float, lids: float) -> None:
        self._cheeks(look)
        self._folds(look)
        for side in (-1, 1):
            self._eye(side, look, gaze, lids)
            self._brow(side, look)
        self._mouth(look)

    def _fixed(self, curve: Curve) -> NDArray[np.int32]:
        pixels = (curve - (LEFT, TOP)) * self._scale - 0.5
        return np.round(pixels * (1 << _BITS)).astype(np.int32)

    def _fill(self, curve: Curve, colour: Colour) -> None:
        cv2.fillPoly(self.canvas, [self._fixed(curve)], (*colour, 255), cv2.LINE_AA, _BITS)

    def _line(self, curve: Curve, colour: Colour, width: float) -> None:
        thickness_px = max(1, round(width * self._scale))
        cv2.polylines(self.canvas, [self._fixed(curve)], False, (*colour, 255), thickness_px, cv2.LINE_AA, _BITS)

    def _skin(self, factor: float, depth: float) -> Colour:
        """The skin, darkened by `factor` to the share `depth`."""
        return shade(self._person.skin, 1 + (factor - 1) * depth)

    def _cheeks(self, look: Expression) -> None:
        radius = round(0.2 * self._scale)
        v, u = np.mgrid[-radius : radius + 1, -radius : radius + 1] / (0.5 * radius)
        weight = (0.5 * max(look.blush - 0.25, 0) * np.exp(-(u * u + v * v)))[..., None]
        if not weight.any():
            return
        skin = self._person.skin
        # a blush is redder, not darker: cheeks darker than the eyes are no cheeks to a Haar cascade
        warm = np.array((skin[0] * 0.72, skin[1] * 0.72, min(255.0, skin[2] * 1.2), 255))
        for side in (-1, 1):
            x = round((side * 0.46 - LEFT) * self._scale)
            y = round((0.26 - TOP) * self._scale)
            patch = self.canvas[y - radius : y + radius + 1, x - radius : x + radius + 1]
            patch[:] = patch + (warm - patch) * weight

    def _folds(self, look: Expression) -> None:
        for side in (-1, 1):
            if look.fold > 0.05:
                t = np.linspace(0, 1, 8)
                xs = 0.19 + (look.mouth_width - 0.10) * np.sin(0.5 * np.pi * t)
                ys = 0.27 + (0.29 - 0.7 * look.corners) * t**1.4
                self._line(np.stack([side * xs, ys], 1), self._skin(0.8, look.fold), 0.02)
            if look.furrow > 0.05:
                lean = np.array([(0.055, -0.38), (0.045, -0.30), (0.065, -0.22)]) * (side, 1)
                self._line(lean, self._skin(0.74, look.furrow), 0.02)
            if look.wrinkle > 0.05:
                for k in range(2):
                    crease = np.array([(0.02, -0.01), (0.08, -0.05), (0.13, -0.02)]) * (side, 1) + (0, 0.075 * k)
                    self._line(crease, self._skin(0.76, look.wrinkle), 0.02)

    def _eye(self, side: int, look: Expression, gaze: float, lids: float) -> None:
        x, y = side * _EYE[0], _EYE[1]
        upper = 0.095 * look.eye_open * lids
        lower = 0.062 * (0.5 + 0.5 * look.eye_open) * (1 - 0.75 * look.lower_lid) * lids
        bow = 1 - np.abs(_U) ** 2.2
        # the outer end hangs by `lid_slant`
        hang = look.lid_slant * (_U * side + 1) / 2
        over = np.stack([x + _U * _EYE_HALF_W, y - upper * bow + hang], 1)
        under = np.stack([x + _U * _EYE_HALF_W, y + lower * bow + hang], 1)
        lash = shade(self._person.hair, 0.25)
        if lids > 0.12:
            self._eyeball(np.concatenate([over, under[::-1]]), (x + 0.055 * gaze, y - 0.012 + look.gaze_down), lash)
        crease = over[2:-2] - (0, 0.05 + 0.02 * look.eye_open)
        self._line(crease, self._skin(0.7, 0.8), 0.02)
        self._line(under[1:-1], self._skin(0.62, 1.0), 0.02)
        self._line(over, lash, 0.05)

    def _eyeball(self, opening: Curve, iris: Point, lash: Colour) -> None:
        """White and iris, seen through the opening between the lids."""
        outline = self._fixed(opening)
        x0, y0 = (outline.min(axis=0) >> _BITS) - 1
        x1, y1 = (outline.max(axis=0) >> _BITS) + 3
        patch = self.canvas[y0:y1, x0:x1]
        ball = np.empty_like(patch)
        # the lid's shadow on the white
        fall = np.linspace(0.74, 1.03, patch.shape[0])[:, None, None]
        ball[:] = np.clip(fall * (*_WHITE, 0), 0, 255)
        ball[..., 3] = 255
        corner = np.array((x0, y0), np.float64) / self._scale + (LEFT, TOP)

        def disc(centre: Point, radius: float, colour: Colour) -> None:
            at = np.round(((np.array(centre) - corner) * self._scale - 0.5) * (1 << _BITS)).astype(int)
            size = round(radius * self._scale * (1 << _BITS))
            cv2.circle(ball, (int(at[0]), int(at[1])), size, (*colour, 255), cv2.FILLED, cv2.LINE_AA, _BITS)

        disc(iris, 0.086, shade(self._person.iris, 0.55))
        disc(iris, 0.072, self._person.iris)
        disc(iris, 0.04, shade(lash, 0.5))
        disc((iris[0] - 0.028, iris[1] - 0.03), 0.02, (255, 255, 255))
        mask = np.zeros(patch.shape[:2], np.uint8)
        cv2.fillPoly(mask, [outline - np.array((x0, y0), np.int32) * (1 << _BITS)], (255,), cv2.LINE_AA, _BITS)
        weight = (mask / 255.0)[..., None]
        patch[:] = patch + (ball - patch.astype(np.float64)) * weight

    def _brow(self, side: int, look: Expression) -> None:
        # u: 0 at the inner end, 1 at the outer
        u = np.linspace(0, 1, 13)
        xs = 0.15 - look.brow_pinch + (0.40 + 0.6 * look.brow_pinch) * u
        lift = look.brow_lift + look.brow_inner * (1 - u) ** 1.5 - 0.35 * look.brow_inner * u**2
        ys = _BROW_Y - lift - look.brow_arch * np.sin(np.pi * np.minimum(u * 0.9 + 0.05, 1)) + 0.05 * u**2
        thick = 0.046 * (0.75 + 0.5 * u - 1.05 * u**2)
        edge = np.concatenate([np.stack([xs, ys - thick], 1), np.stack([xs, ys + thick], 1)[::-1]])
        self._fill(edge * (side, 1), shade(self._person.hair, 0.62))

    def _mouth(self, look: Expression) -> None:
        bow = 1 - _U**2
        # full lips keep their ends together: the fourth power opens a mouth wider than a parabola does
        open_bow = 1 - _U**4
        xs = _U * look.mouth_width
        seam = _MOUTH_Y - look.corners * (_U**2 - 0.35)
        upper = seam - (look.upper_lip + look.skew * np.clip(_U + 0.4, 0, 1)) * open_bow
        lower = seam + look.lower_lip * open_bow
        cupid = look.lips * bow * (1 - 0.35 * np.exp(-((_U / 0.16) ** 2)))
        self._fill(_band(xs, upper - cupid, upper + 0.01), shade(self._lip, 0.9))
        self._fill(_band(xs * 0.96, lower - 0.01, lower + 1.25 * look.lips * bow), self._lip)
        gap = lower - upper
        if gap.max() > 0.02:
            self._fill(_band(xs, upper, lower), (38, 28, 62))
            tongue = np.maximum(lower - 0.4 * gap.max() * np.clip(1 - (_U / 0.75) ** 2, 0, 1), upper)
            if look.lower_lip > 0.08:
                self._fill(_band(xs, tongue, lower), (88, 78, 176))
            if look.teeth > 0.01:
                inset = np.minimum(upper + np.minimum(look.teeth, 0.8 * gap) * np.clip(1.25 - _U**2, 0, 1), lower)
                self._fill(_band(xs, upper, inset), (226, 234, 238))
        else:
            self._line(np.stack([xs, (upper + lower) / 2], 1), shade(self._lip, 0.58), 0.022)
        # the corners' shadow
        for k in (0, -1):
            end = np.array([[xs[k], seam[k]], [xs[k] * 1.1, seam[k] - 0.02 * np.sign(look.corners)]])
            self._line(end, self._skin(0.6, 1.0), 0.025)


def _band(xs: NDArray[np.float64], tops: NDArray[np.float64], bottoms: NDArray[np.float64]) -> Curve:
    """The area between two curves over the same `xs`."""
    return np.concatenate([np.stack([xs, tops], 1), np.stack([xs, bottoms], 1)[::-1]])
