"""The golden chips: pictures drawn by code, whose outputs are kept in the model file. No photos travel with a model."""

import cv2
import numpy as np

from edge.types import Pixels

FACES = 8
FIELDS = 4


def golden_chips(size: int, channels: int, seed: int = 0) -> Pixels:
    """The extremes, plain textures and simple faces: uint8 (16, S, S, C). Same arguments, same chips."""
    random = np.random.default_rng(seed)
    ramp = np.linspace(0, 255, size)
    grey = [
        np.zeros((size, size)),
        np.full((size, size), 255.0),
        np.broadcast_to(ramp, (size, size)),
        np.broadcast_to(ramp[:, None], (size, size)),
        *(_field(size, random) for _ in range(FIELDS)),
        *(_face(size, index / (FACES - 1), random) for index in range(FACES)),
    ]
    chips = np.stack(grey).round().clip(0, 255).astype(np.uint8)[..., np.newaxis]
    return np.ascontiguousarray(np.repeat(chips, channels, axis=3))


def _field(size: int, random: np.random.Generator) -> np.ndarray:
    """Smooth noise: like skin and shadow, it drives the activations over a wide range."""
    coarse = random.uniform(0, 255, (6, 6)).astype(np.float32)
    field: np.ndarray = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return field


def _face(size: int, smile: float, random: np.random.Generator) -> np.ndarray:
    """An oval with brows, eyes and a mouth from sad (0) to happy (1)."""
    picture = _field(size, random) * 0.3 + 30
    unit = size / 48

    def at(x: float, y: float) -> tuple[int, int]:
        return round(x * unit), round(y * unit)

    cv2.ellipse(picture, at(24, 25), at(17, 22), 0, 0, 360, 190.0, -1)
    for x in (16, 32):
        cv2.ellipse(picture, at(x, 20), at(4, 2 + 2 * smile), 0, 0, 360, 245.0, -1)
        cv2.circle(picture, at(x, 20), max(1, round(1.6 * unit)), 30.0, -1)
        cv2.line(picture, at(x - 4, 14 + (x > 24) * 2 * smile), at(x + 4, 14 + (x < 24) * 2 * smile), 60.0, 1)
    curve = round(6 * unit * (2 * smile - 1))
    start, end = (10, 170) if curve >= 0 else (190, 350)
    cv2.ellipse(picture, at(24, 35), (round(8 * unit), max(1, abs(curve))), 0, start, end, 70.0, max(1, round(unit)))
    blurred: np.ndarray = cv2.GaussianBlur(picture, (0, 0), 0.6 * unit)
    return blurred
