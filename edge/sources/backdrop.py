"""The calm wall behind the demo's people: a gradient with soft round lights, drawn once."""

import cv2
import numpy as np

from edge.types import Pixels

# blue, green, red
_TOP = np.array((206, 190, 168), np.float32)
_BOTTOM = np.array((176, 186, 206), np.float32)
_TO_THE_RIGHT = np.array((-10, 0, 14), np.float32)
_LIGHTS = np.array(((232, 214, 186), (196, 206, 236), (220, 226, 214)), np.float32)


def backdrop(width_px: int, height_px: int, seed: int) -> Pixels:
    """uint8 (H, W, 3) BGR; the same for the same arguments."""
    random = np.random.default_rng((seed, 2))
    # all of it is soft: drawn at a quarter of the size and enlarged
    rows, columns = -(-height_px // 4), -(-width_px // 4)
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    across = np.linspace(-0.5, 0.5, columns, dtype=np.float32)[None, :, None]
    wall = (1 - down) * _TOP + down * _BOTTOM + across * _TO_THE_RIGHT
    for _ in range(9):
        centre = (int(random.uniform(0, columns)), int(random.uniform(0, rows)))
        radius = max(1, int(random.uniform(0.06, 0.2) * rows))
        light = np.zeros((rows, columns), np.uint8)
        cv2.circle(light, centre, radius, (255,), cv2.FILLED, cv2.LINE_AA)
        light = cv2.blur(light, (radius // 3 * 2 + 1, radius // 3 * 2 + 1))
        colour = _LIGHTS[int(random.integers(len(_LIGHTS)))]
        wall += (colour - wall) * (light[..., None] * np.float32(0.30 / 255))
    wall = cv2.resize(wall, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    # half a grey level of noise keeps the gradient from showing bands
    noise = random.random((height_px, width_px, 1), np.float32)
    return np.asarray(np.clip(wall + noise, 0, 255), np.uint8)
