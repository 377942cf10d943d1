"""Makes each picture look different each time it is seen: other geometry, light, sharpness, noise.

Everything works on whole batches of uint8 chips, and every (row, view) pair can be replayed: see `randomness`.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from training.randomness import normals, uniforms
from training.recipe import AugmentSettings

Chips = NDArray[np.uint8]
Floats = NDArray[np.float32]

_NOISE_STREAM = 1

# One column of uniforms for each decision. Appending keeps old recipes' views; never reorder.
(
    _FLIP, _WIDE, _ROLL, _SCALE, _ASPECT, _SHIFT_X, _SHIFT_Y, _CONTRAST, _BRIGHTNESS, _BLUR, _BLUR_SIGMA,
    _SMALL, _SMALL_SIZE, _NOISE, _NOISE_SIGMA, _ERASE, _ERASE_X, _ERASE_Y, _ERASE_W, _ERASE_H, _ERASE_GREY,
    _SHEAR,
) = range(22)  # fmt: skip
_DRAWS = 22


def augment(chips: Chips, rows: NDArray[np.int64], view: int, seed: int, settings: AugmentSettings) -> Chips:
    """One view of each chip.

    Args:
        chips: uint8 (N, S, S, C) in 0..255; left as it is. Its channels change
            alike, but for the noise.
        rows: int64 (N,), which picture each chip is; together with `view` and `seed` it decides everything.
        view: counts how often the picture has been seen (the epoch).
        seed: of the run.
        settings: ranges and shares.

    Returns:
        uint8 (N, S, S, C), new.
    """
    draws = uniforms(seed, rows, view, _DRAWS)
    # float32 (N, C, S, S): the matrices below act on the last two axes
    pictures = np.ascontiguousarray(_geometry(chips, draws, settings).transpose(0, 3, 1, 2), np.float32)
    _light(pictures, draws, settings)
    _soften(pictures, draws, settings)
    noisy = np.flatnonzero(draws[:, _NOISE] < settings.noise_share)
    if noisy.size:
        noise = normals(seed, rows[noisy], view, pictures[0].size, _NOISE_STREAM)
        pictures[noisy] += noise.reshape(-1, *pictures.shape[1:]) * _noise_sigma(draws[noisy], settings)
    _erase(pictures, draws, settings)
    views = np.clip(np.rint(pictures), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(views.transpose(0, 2, 3, 1))


def _around(draw: Floats, reach: Floats | float) -> Floats:
    """Uniform in [-reach, reach)."""
    return (2 * draw - 1) * reach


def inverse_transforms(draws: Floats, settings: AugmentSettings, side_px: int) -> Floats:
    """Where each pixel of the view comes from.

    Returns:
        float32 (N, 2, 3): maps x, y in px of the view to x, y in px of the chip.
    """
    wide = draws[:, _WIDE] < settings.wide_share
    roll = np.deg2rad(_around(draws[:, _ROLL], np.where(wide, settings.wide_roll_deg, settings.roll_deg)))
    scale = 1 + _around(draws[:, _SCALE], np.where(wide, settings.wide_scale, settings.scale))
    # aspect is split between the axes, so that it does not change the area
    stretch = np.sqrt(1 + _around(draws[:, _ASPECT], settings.aspect))
    mirror = np.where(draws[:, _FLIP] < settings.flip_share, -1, 1)
    zoom_x, zoom_y = scale * stretch * mirror, scale / stretch
    cos, sin = np.cos(roll), np.sin(roll)
    linear = np.stack([np.stack([cos / zoom_x, sin / zoom_x], -1), np.stack([-sin / zoom_y, cos / zoom_y], -1)], 1)
    if settings.shear:
        # applied first, x += shear · y; so its inverse comes last
        shear = _around(draws[:, _SHEAR], settings.shear)
        linear[:, 0] -= shear[:, None] * linear[:, 1]
    centre = (side_px - 1) / 2
    shift = np.stack([_around(draws[:, c], settings.shift) for c in (_SHIFT_X, _SHIFT_Y)], -1) * side_px
    offset = centre - np.einsum("nij,nj->ni", linear, centre + shift)
    return np.concatenate([linear, offset[:, :, None]], axis=2).astype(np.float32)


def _geometry(pictures: Chips, draws: Floats, settings: AugmentSettings) -> Chips:
    count, side, _, channels = pictures.shape
    transforms = inverse_transforms(draws, settings, side)
    axis = np.arange(side, dtype=np.float32)
    source = (
        transforms[:, :, 0, None, None] * axis[None, None, None, :]
        + transforms[:, :, 1, None, None] * axis[None, None, :, None]
        + transforms[:, :, 2, None, None]
    )
    # clamping to the chip repeats its edge pixels; it also keeps the neighbour in the tall picture out
    np.clip(source, 0, side - 1, out=source)
    # cv2.remap interpolates in steps of 1/32 px; rounding here, where the numbers are small, makes a view independent
    # of its place in the batch
    np.rint(source * 32, out=source)
    source /= 32
    # All chips of the batch under each other are one tall picture, so that one call moves them all.
    # cv2.remap takes pictures of fewer than 2^15 rows; in 1/32 px these are numbers that float32 holds exactly.
    most = (2**15 - 1) // side
    source[:, 1] += (np.arange(count, dtype=np.float32) % most * side)[:, None, None]
    moved = [
        cv2.remap(
            np.ascontiguousarray(pictures[at : at + most]).reshape(-1, side, channels),
            source[at : at + most, 0].reshape(-1, side),
            source[at : at + most, 1].reshape(-1, side),
            cv2.INTER_LINEAR,
        )
        for at in range(0, count, most)
    ]
    return np.concatenate(moved).reshape(count, side, side, channels)


def _light(pictures: Floats, draws: Floats, settings: AugmentSettings) -> None:
    contrast = 1 + _around(draws[:, _CONTRAST], settings.contrast)
    brightness = _around(draws[:, _BRIGHTNESS], settings.brightness) * 255
    mean = pictures.mean(axis=(1, 2, 3))
    pictures *= contrast.astype(np.float32)[:, None, None, None]
    pictures += (mean * (1 - contrast) + brightness).astype(np.float32)[:, None, None, None]
    np.clip(pictures, 0, 255, out=pictures)


def _soften(pictures: Floats, draws: Floats, settings: AugmentSettings) -> None:
    """Blur and loss of resolution are linear along each axis: a matrix from the left, its transpose from the right."""
    side = pictures.shape[-1]
    blurred = np.flatnonzero(draws[:, _BLUR] < settings.blur_share)
    if blurred.size:
        bank = _blur_bank(side, settings.blur_sigma_px)
        choice = (draws[blurred, _BLUR_SIGMA] * len(bank)).astype(np.int64)
        along = bank[choice][:, None]
        pictures[blurred] = along @ pictures[blurred] @ along.swapaxes(2, 3)
    small = np.flatnonzero(draws[:, _SMALL] < settings.small_share)
    if small.size:
        bank = _small_bank(side, settings.small_px)
        choice = (draws[small, _SMALL_SIZE] * len(bank)).astype(np.int64)
        along = bank[choice][:, None]
        pictures[small] = along @ pictures[small] @ along.swapaxes(2, 3)


@lru_cache
def _blur_bank(side: int, sigma_px: tuple[float, float]) -> Floats:
    """float32 (16, side, side): Gaussian blurs of sixteen strengths, edges repeated; each row sums to 1."""
    eye = np.eye(side, dtype=np.float32)
    blurs = []
    for sigma in np.linspace(*sigma_px, 16):
        size = 2 * int(np.ceil(3 * sigma)) + 1
        kernel = cv2.getGaussianKernel(size, float(sigma), cv2.CV_32F)
        blurs.append(cv2.sepFilter2D(eye, -1, np.ones(1, np.float32), kernel, borderType=cv2.BORDER_REPLICATE))
    return np.stack(blurs)


@lru_cache
def _small_bank(side: int, small_px: tuple[int, int]) -> Floats:
    """float32 (M, side, side): down to each size by area and up again linearly, as a distant face goes into a chip."""
    eye = np.eye(side, dtype=np.float32)
    return np.stack(
        [
            cv2.resize(cv2.resize(eye, (side, size), interpolation=cv2.INTER_AREA), (side, side))
            for size in range(small_px[0], small_px[1] + 1)
        ]
    )


def _noise_sigma(draws: Floats, settings: AugmentSettings) -> Floats:
    """Deviation in grey levels for each picture, (N, 1, 1, 1)."""
    low, high = settings.noise_sigma
    return (low + (high - low) * draws[:, _NOISE_SIGMA])[:, None, None, None]


def _erase(pictures: Floats, draws: Floats, settings: AugmentSettings) -> None:
    """Random erasing (Zhong et al. 2020): a rectangle of one grey hides a part of some faces, as a hand would."""
    chosen = np.flatnonzero(draws[:, _ERASE] < settings.erase_share)
    if not chosen.size:
        return
    side = pictures.shape[-1]
    low, high = (share * side for share in settings.erase_side)
    inside = []
    for start_column, length_column in ((_ERASE_Y, _ERASE_H), (_ERASE_X, _ERASE_W)):
        length = low + (high - low) * draws[chosen, length_column]
        start = draws[chosen, start_column] * (side - length)
        axis = np.arange(side, dtype=np.float32)
        inside.append((axis >= start[:, None]) & (axis < (start + length)[:, None]))
    hidden = (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
    grey = (draws[chosen, _ERASE_GREY] * 255)[:, None, None, None]
    pictures[chosen] = np.where(hidden, grey, pictures[chosen])
