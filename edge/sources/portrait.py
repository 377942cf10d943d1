"""The parts of a drawn person that never move: skin, hair, ears, nose, shoulders, softly lit. Drawn once per person."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from edge.sources.easel import BOTTOM, Colour, Easel, Point, ellipse, shade
from edge.types import Pixels

_COMPLEXIONS: Final[tuple[tuple[Colour, Colour], ...]] = (
    ((184, 210, 244), (34, 46, 74)),
    ((142, 182, 230), (30, 26, 28)),
    ((166, 200, 242), (92, 148, 196)),
    ((92, 128, 182), (36, 32, 36)),
    ((178, 204, 246), (40, 74, 142)),
    ((82, 113, 166), (30, 28, 30)),
    ((116, 158, 212), (44, 58, 92)),
)
"""Skin and hair."""

_IRISES: Final[tuple[Colour, ...]] = ((40, 66, 104), (132, 104, 62), (66, 104, 74), (34, 48, 76))
_SHIRTS: Final[tuple[Colour, ...]] = (
    (150, 122, 70),
    (96, 112, 208),
    (108, 156, 112),
    (150, 96, 138),
    (84, 164, 220),
    (170, 150, 120),
)
_STYLES: Final = ("short", "long", "curly", "bob")


@dataclass(frozen=True, slots=True)
class Person:
    """Who is drawn. Colours are blue, green, red in 0..255."""

    skin: Colour
    hair: Colour
    iris: Colour
    shirt: Colour
    style: str


def cast(seed: int, count: int) -> tuple[Person, ...]:
    """`count` people who differ from each other; the same for the same seed."""
    random = np.random.default_rng((seed, 7))

    def shuffled(n: int) -> list[int]:
        return [int(i) for i in np.resize(random.permutation(n), max(count, 1))]

    looks, irises, shirts, styles = (shuffled(len(palette)) for palette in (_COMPLEXIONS, _IRISES, _SHIRTS, _STYLES))
    return tuple(
        Person(*_COMPLEXIONS[looks[i]], _IRISES[irises[i]], _SHIRTS[shirts[i]], _STYLES[styles[i]])
        for i in range(count)
    )


def _head() -> list[Point]:
    """An oval whose lower half narrows to the chin."""
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    ys = -np.cos(angles)
    xs = 0.78 * np.sin(angles) * (1 - 0.10 * np.clip(ys, 0, 1) ** 1.5)
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]


def portrait(person: Person, px_per_radius: float) -> Pixels:
    """The person without brows, eyes and mouth.

    Returns:
        uint8 (h, w, 4): blue, green, red multiplied by alpha, and alpha, spanning `LEFT`..`RIGHT`, `TOP`..`BOTTOM`.
    """
    easel = Easel(px_per_radius)
    _back_hair(easel, person)
    _bust(easel, person)
    _face(easel, person)
    _nose(easel, person)
    _front_hair(easel, person)
    # the bust ends softly instead of with a cut
    easel.alpha *= np.clip((BOTTOM - 0.02 - easel.y) / 0.42, 0, 1) ** 1.3
    return easel.finished()


def _back_hair(easel: Easel, person: Person) -> None:
    match person.style:
        case "long":
            outline = [*ellipse((0, -0.22), (0.98, 1.02))[32:], (1.0, 0.5), (0.86, 1.12), (-0.86, 1.12), (-1.0, 0.5)]
            easel.lay(easel.smooth(outline), shade(person.hair, 0.72))
        case "bob":
            outline = [*ellipse((0, -0.2), (1.0, 1.03))[32:], (1.03, 0.35), (0.82, 0.72), (-0.82, 0.72), (-1.03, 0.35)]
            easel.lay(easel.smooth(outline), shade(person.hair, 0.75))
        case "curly":
            for x, y in ellipse((0, -0.34), (0.78, 0.74), points=15):
                if y < 0.15:
                    easel.lay(easel.ellipse((x, y), (0.27, 0.27)), shade(person.hair, 0.8 + 0.25 * (0.3 - x) / 2))
        case _:
            easel.lay(easel.ellipse((0, -0.26), (0.86, 0.94)), shade(person.hair, 0.8))


def _bust(easel: Easel, person: Person) -> None:
    neck = [(-0.36, 0.6), (0.36, 0.6), (0.42, 1.3), (0.42, 1.75), (-0.42, 1.75), (-0.42, 1.3)]
    easel.lay(easel.polygon(neck), shade(person.skin, 0.86))
    # the jaw's shadow on the neck
    easel.tint(easel.polygon(neck) * easel.glow((0.05, 0.92), (0.5, 0.2)) * 0.6, shade(person.skin, 0.5))
    shoulders = [(-0.46, 1.16), (-0.3, 1.36), (0.0, 1.5), (0.3, 1.36), (0.46, 1.16)]
    shoulders += [(0.85, 1.3), (1.2, 1.46), (1.36, 1.95), (-1.36, 1.95), (-1.2, 1.46), (-0.85, 1.3)]
    cloth = easel.smooth(shoulders)
    light = 1.05 - 0.22 * np.clip(easel.x + 0.2, -1, 1) - 0.25 * np.clip(easel.y - 1.35, 0, 1)
    easel.lay(cloth, np.asarray(person.shirt, np.float32) * light[..., None])
    for sign in (-1, 1):
        easel.lay(easel.ellipse((sign * 0.78, 0.02), (0.12, 0.21), -8 * sign), shade(person.skin, 0.88))
        easel.tint(easel.ellipse((sign * 0.80, 0.02), (0.05, 0.12), -8 * sign) * 0.6, shade(person.skin, 0.66))


def _face(easel: Easel, person: Person) -> None:
    head = easel.polygon(_head())
    # lit from the upper left: a sphere's fall-off, gentle in the middle, darker to the right and below
    distance = ((easel.x + 0.16) / 0.86) ** 2 + ((easel.y + 0.18) / 1.12) ** 2
    light = 1.07 - 0.13 * distance - 0.13 * np.clip(distance - 0.7, 0, None) ** 1.5
    easel.lay(head, np.clip(np.asarray(person.skin, np.float32) * light[..., None], 0, 255))
    dark, warm = (
        shade(person.skin, 0.62),
        (person.skin[0] * 0.8, person.skin[1] * 0.8, min(255.0, person.skin[2] * 1.1)),
    )
    for sign in (-1, 1):
        easel.tint(head * easel.glow((sign * 0.34, -0.12), (0.19, 0.12)) * 0.42, dark)
        easel.tint(head * easel.glow((sign * 0.45, 0.27), (0.17, 0.13)) * 0.3, warm)
        easel.tint(head * easel.glow((sign * 0.36, 0.19), (0.13, 0.06)) * 0.22, shade(person.skin, 1.15))
    easel.tint(head * easel.glow((0, 0.76), (0.16, 0.05)) * 0.3, dark)
    easel.tint(head * easel.glow((-0.02, 0.9), (0.16, 0.07)) * 0.25, shade(person.skin, 1.1))
    easel.tint(head * easel.glow((-0.12, -0.55), (0.3, 0.14)) * 0.25, shade(person.skin, 1.15))


def _nose(easel: Easel, person: Person) -> None:
    dark = shade(person.skin, 0.55)
    easel.tint(easel.glow((-0.02, 0.0), (0.05, 0.2)) * 0.4, shade(person.skin, 1.16))
    easel.tint(easel.glow((0.11, 0.1), (0.05, 0.16)) * 0.32, dark)
    easel.tint(easel.glow((-0.10, -0.12), (0.035, 0.1)) * 0.2, dark)
    easel.tint(easel.glow((0, 0.36), (0.15, 0.04)) * 0.5, dark)
    easel.tint(easel.glow((-0.03, 0.22), (0.08, 0.07)) * 0.4, shade(person.skin, 1.18))
    for sign in (-1, 1):
        easel.tint(easel.glow((sign * 0.14, 0.27), (0.035, 0.05)) * 0.35, dark)
        easel.tint(easel.ellipse((sign * 0.075, 0.325), (0.042, 0.022), 12 * sign) * 0.8, shade(person.skin, 0.33))


def _front_hair(easel: Easel, person: Person) -> None:
    light = np.clip(1.12 - 0.35 * (easel.x + 0.35) ** 2 - 0.4 * (easel.y + 1.0), 0.62, 1.3)
    # strands: a faint ripple across the hair
    light = light * (1 + 0.035 * np.sin(easel.x * 31 + easel.y * 9))
    hair = np.clip(np.asarray(person.hair, np.float32) * light[..., None], 0, 255)
    crown = ellipse((0, -0.22), (0.86, 1.0))[32:]
    match person.style:
        case "long":
            crown = ellipse((0, -0.22), (0.93, 1.02))[32:]
            parted = [(0.93, 0.55), (0.78, 0.6), (0.72, -0.1), (0.52, -0.5), (0.1, -0.8), (-0.05, -0.84)]
            parted += [(-0.3, -0.72), (-0.6, -0.42), (-0.72, -0.1), (-0.78, 0.6), (-0.93, 0.55)]
            easel.lay(easel.smooth(crown + parted), hair)
        case "bob":
            crown = ellipse((0, -0.2), (0.97, 1.03))[32:]
            fringe = [(0.97, 0.42), (0.74, 0.5), (0.72, -0.2), (0.68, -0.56), (0.34, -0.66), (0, -0.68), (-0.34, -0.66)]
            fringe += [(-0.68, -0.56), (-0.72, -0.2), (-0.74, 0.5), (-0.97, 0.42)]
            easel.lay(easel.smooth(crown + fringe), hair)
        case "curly":
            for row, (height, width) in enumerate(((-0.84, 0.56), (-0.96, 0.48), (-1.08, 0.34))):
                for k in range(6):
                    x = (k - 2.5) / 2.5 * width + 0.05 * (-1) ** row
                    at, size = (x, height + 0.5 * x * x), (0.19, 0.17)
                    easel.lay(easel.ellipse(at, size), shade(person.hair, 0.98 - 0.22 * x + 0.05 * row))
                    easel.tint(
                        easel.ellipse(at, size) * easel.glow((x - 0.05, at[1] - 0.05), (0.09, 0.08)) * 0.5,
                        shade(person.hair, 1.25),
                    )
        case _:
            swept = [(0.86, -0.2), (0.78, 0.0), (0.74, -0.1), (0.70, -0.42), (0.45, -0.62), (0.05, -0.66)]
            swept += [(-0.35, -0.56), (-0.62, -0.66), (-0.72, -0.3), (-0.78, 0.0), (-0.86, -0.2)]
            easel.lay(easel.smooth(crown + swept), hair)
