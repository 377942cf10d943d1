"""What happens in the demo: who is where, how large, how turned and with which expression. Pure, and the ground truth.

The scene is a grid of places. Each face wobbles around its place, and every few seconds two neighbours change places,
one passing in front of the other. All of it is a function of the time alone, so tests and benchmarks can ask what was
to be seen at any moment.
"""

import math
from dataclasses import dataclass

import numpy as np

from edge.contract.labels import FER2013_LABELS
from edge.types import Box

HOLD_S = 4.0
"""How long a face keeps an expression, the change included."""

BLEND_S = 0.6
"""How long the change from one expression to the next takes."""

SWAP_EVERY_S = 9.0
SWAP_S = 3.2
"""How often two neighbours change places, and how long they walk."""

MAX_ROLL_DEG = 15.0
FACE_ASPECT = 0.78
"""Half width of the oval of a face, in radii (half heights)."""

RADIUS_LIMIT = 0.21
"""The largest radius there is, as a share of the frame's height: 100 px of 480."""

MAX_FACES = 8
_SWAPS = 12


@dataclass(frozen=True, slots=True)
class DemoFace:
    """One face at one moment.

    Attributes:
        id: from 1, the same for ever.
        label: the expression it shows; during a change, the one that prevails.
        previous: where a change comes from; equal to `towards` if there is none.
        towards: where a change goes to.
        blend: how far the change is, 0 to 1.
        box: upright rectangle around the oval of the face, from brow to chin, in [0, 1] of the frame.
        x: centre of the oval in [0, 1] of the width.
        y: centre of the oval in [0, 1] of the height.
        radius: half the height of the oval, as a share of the frame's height.
        roll_deg: turn around the line of sight, clockwise on the screen.
        gaze: where the eyes look, -1 (left on the screen) to 1.
        lids: how far the eyes are open, 0 (mid-blink) to 1.
    """

    id: int
    label: str
    previous: str
    towards: str
    blend: float
    box: Box
    x: float
    y: float
    radius: float
    roll_deg: float
    gaze: float
    lids: float


@dataclass(frozen=True, slots=True)
class _Actor:
    """The seeded constants of one face; phases in radians, periods in seconds."""

    order: tuple[str, ...]
    offset_s: float
    phases: tuple[float, ...]
    periods_s: tuple[float, ...]
    blink_every_s: float
    place: int


class Script:
    """The schedule of one demo.

    Args:
        seed: the same number gives the same film.
        faces: how many, 0 to `MAX_FACES`.
        aspect: width of the frame by its height.
    """

    def __init__(self, seed: int = 0, faces: int = 3, aspect: float = 4 / 3) -> None:
        if not 0 <= faces <= MAX_FACES:
            raise ValueError(f"{faces} faces; expected 0 to {MAX_FACES}")
        random = np.random.default_rng(seed)
        rows = 1 if faces <= 4 else 2
        columns = max(1, math.ceil(faces / rows))
        self._aspect = aspect
        self._cell_w, self._cell_h = 1 / columns, 1 / rows
        # 0.2 of the height is 96 px of 480; more faces are smaller, so that they stay apart
        self._radius_max = min(0.2, 0.42 * self._cell_w * aspect / FACE_ASPECT * 0.9, 0.33 * self._cell_h)
        self._places = tuple((i % columns, i // columns) for i in range(faces))
        order = tuple(str(label) for label in random.permutation(FER2013_LABELS))
        self._actors = tuple(self._cast(i, faces, order, random) for i in range(faces))
        self._standing = _standings(self._places, random)

    @staticmethod
    def _cast(index: int, faces: int, order: tuple[str, ...], random: np.random.Generator) -> _Actor:
        # everybody goes through the same order from another start: no two of up to seven show the same at once
        start = order.index("happy") + 2 * index
        return _Actor(
            order=tuple(order[(start + k) % len(order)] for k in range(len(order))),
            offset_s=HOLD_S * index / max(faces, 1),
            phases=tuple(float(p) for p in random.uniform(0, 2 * math.pi, 5)),
            periods_s=tuple(float(p) for p in random.uniform((7, 8, 11, 5, 6), (9, 11, 15, 8, 9))),
            blink_every_s=float(random.uniform(3.1, 4.7)),
            place=index,
        )

    def at(self, t_s: float) -> tuple[DemoFace, ...]:
        """All faces at `t_s` seconds of media time, by id."""
        return tuple(self._face(i, actor, max(t_s, 0.0)) for i, actor in enumerate(self._actors))

    def _face(self, index: int, actor: _Actor, t_s: float) -> DemoFace:
        waves = [math.sin(2 * math.pi * t_s / T + p) for T, p in zip(actor.periods_s, actor.phases, strict=True)]
        (column, row), nearer = self._walk(index, t_s)
        # while two pass each other their own swelling rests, so that the nearer one is the larger one
        swell = 0.17 * waves[2] * (1 - 0.9 * abs(nearer))
        # smallest at 0.63 of the largest: 60 px of 480 for up to three faces
        radius = self._radius_max * (0.83 + swell + 0.12 * nearer)
        x = (column + 0.5) * self._cell_w + 0.035 * waves[0] * min(1.0, 3 * self._cell_w)
        y = (row + 0.48 + 0.09 * waves[1] + 0.12 * nearer) * self._cell_h
        roll_deg = MAX_ROLL_DEG * 0.93 * waves[3]
        previous, towards, blend = _expression(actor, t_s)
        return DemoFace(
            id=index + 1,
            label=towards if blend >= 0.5 else previous,
            previous=previous,
            towards=towards,
            blend=blend,
            box=self._box(x, y, radius, math.radians(roll_deg)),
            x=x,
            y=y,
            radius=radius,
            roll_deg=roll_deg,
            gaze=0.7 * waves[4],
            lids=_lids(t_s + actor.phases[0], actor.blink_every_s),
        )

    def _walk(self, index: int, t_s: float) -> tuple[tuple[float, float], float]:
        """Column and row of face `index`, and how near it comes: above 0 in front, below 0 behind."""
        epoch = int(t_s // SWAP_EVERY_S)
        here = self._places[self._standing[epoch % len(self._standing)][index]]
        there = self._places[self._standing[(epoch + 1) % len(self._standing)][index]]
        # a swap comes at the end of its epoch
        u = (t_s - epoch * SWAP_EVERY_S - (SWAP_EVERY_S - SWAP_S)) / SWAP_S
        share = _smooth(u)
        arc = math.sin(math.pi * share) if here != there else 0.0
        sign = 1.0 if (there > here) == (epoch % 2 == 0) else -1.0
        return (here[0] + (there[0] - here[0]) * share, here[1] + (there[1] - here[1]) * share), sign * arc

    def _box(self, x: float, y: float, radius: float, roll_rad: float) -> Box:
        # extent of a turned ellipse: sqrt((a cos)² + (b sin)²) along each axis
        a, b = FACE_ASPECT * radius, radius
        half_w = math.hypot(a * math.cos(roll_rad), b * math.sin(roll_rad)) / self._aspect
        half_h = math.hypot(a * math.sin(roll_rad), b * math.cos(roll_rad))
        # the box begins at the brows, not at the hairline, as detectors and annotators have it
        top = 0.62 * half_h
        return Box(x - half_w, y - top, 2 * half_w, top + half_h)


def _standings(places: tuple[tuple[int, int], ...], random: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    """Who stands where in each epoch, as a cycle: the swaps there, then the same swaps back."""
    count = len(places)
    pairs = [
        (i, j)
        for i in range(count)
        for j in range(i + 1, count)
        if abs(places[i][0] - places[j][0]) + abs(places[i][1] - places[j][1]) == 1
    ]
    standing = list(range(count))
    there = [tuple(standing)]
    last = -1
    for _ in range(_SWAPS if pairs else 0):
        # never the same two twice in a row
        pick = int(random.integers(len(pairs) - (last >= 0 and len(pairs) > 1)))
        last = pick + (len(pairs) > 1 and 0 <= last <= pick)
        a, b = pairs[last]
        standing = [b if place == a else a if place == b else place for place in standing]
        there.append(tuple(standing))
    return tuple(there + there[-2:0:-1])


def _expression(actor: _Actor, t_s: float) -> tuple[str, str, float]:
    """Where a change comes from, where it goes to, and how far it is."""
    segment, within_s = divmod(t_s + actor.offset_s, HOLD_S)
    now = actor.order[int(segment) % len(actor.order)]
    following = actor.order[(int(segment) + 1) % len(actor.order)]
    blend = _smooth((within_s - (HOLD_S - BLEND_S)) / BLEND_S)
    return (now, now, 1.0) if blend == 0 else (now, following, blend)


def _lids(t_s: float, every_s: float) -> float:
    """A blink of 0.2 s, shut in its middle."""
    u = (t_s % every_s) / 0.2
    return 1.0 if u >= 1 else abs(2 * u - 1)


def _smooth(u: float) -> float:
    """From 0 to 1 with level ends (smoothstep), clamped."""
    u = min(max(u, 0.0), 1.0)
    return u * u * (3 - 2 * u)
