"""What it costs when the face does not look as in the data: cut otherwise, tilted, blurred, small, noisy, dark."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Dataset
from training.metrics import paired_difference, score
from training.predictors import Predictor
from training.randomness import normals, uniforms

Chips = NDArray[np.uint8]
Rows = NDArray[np.int64]

SEED = 2013
"""Of noise and tilt; fixed, so that the figures of any two models are over the same pictures."""

_SIDE_PX = 48  # lengths below are px of a chip of this side, and grow with the chip
_AT_ONCE = 512 * 48 * 48  # values that are spoilt at a time: noise takes twenty bytes for each
_NOISE_STREAM, _ROLL_STREAM = 1, 2


@dataclass(frozen=True, slots=True)
class Degradation:
    """One way in which pictures are spoilt.

    Attributes:
        name: short.
        what: is done, for the report.
        apply: chips uint8 (N, S, S, C) with their rows int64 (N,), to new chips of the same shape. Pixels beyond the
            chip repeat its edge.
    """

    name: str
    what: str
    apply: Callable[[Chips, Rows], Chips]


class Degraded(msgspec.Struct, frozen=True):
    """Figures on spoilt pictures.

    Attributes:
        name: of the degradation.
        what: was done.
        accuracy: on the spoilt pictures.
        macro_f1: likewise.
        loss: accuracy on the pictures as they are, less `accuracy`.
        loss_interval: 95 % interval of the loss, paired by picture.
    """

    name: str
    what: str
    accuracy: float
    macro_f1: float
    loss: float
    loss_interval: tuple[float, float]


def measure_robustness(
    predictor: Predictor,
    part: Dataset,
    probabilities: NDArray[np.floating],
    degradations: Sequence[Degradation] | None = None,
) -> tuple[Degraded, ...]:
    """Ask the model again about pictures spoilt in each way.

    Args:
        predictor: its classes in the order of `part.label_names`.
        part: pictures with truth.
        probabilities: (N, C), what it says of the pictures as they are.
        degradations: default: `DEGRADATIONS`.
    """
    right = probabilities.argmax(axis=1) == part.labels
    batch = max(1, _AT_ONCE // (part.side_px**2 * part.channels))
    results = []
    for each in DEGRADATIONS if degradations is None else degradations:
        spoilt = np.concatenate(
            [
                predictor.probabilities(each.apply(part.chips[at : at + batch], part.rows[at : at + batch]))
                for at in range(0, len(part), batch)
            ]
        )
        scores = score(spoilt, part.labels, part.label_names)
        loss, interval = paired_difference(right, spoilt.argmax(axis=1) == part.labels)
        results.append(Degraded(each.name, each.what, scores.accuracy, scores.macro_f1, loss, interval))
    return tuple(results)


def _each(chips: Chips, change: Callable[[Chips], Chips]) -> Chips:
    """OpenCV takes one picture at a time and drops a single channel."""
    return np.stack([change(chip).reshape(chip.shape) for chip in chips])


def _warped(chip: Chips, scale: float, roll_deg: float) -> Chips:
    """Enlarged by `scale` and turned anticlockwise about its middle."""
    side = chip.shape[0]
    middle = (side - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), roll_deg, scale)
    return cv2.warpAffine(chip, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _crop(share: float) -> Callable[[Chips, Rows], Chips]:
    return lambda chips, _: _each(chips, lambda chip: _warped(chip, 1 / share, 0))


def _roll(degrees: float) -> Callable[[Chips, Rows], Chips]:
    def apply(chips: Chips, rows: Rows) -> Chips:
        clockwise = uniforms(SEED, rows, 0, 1, _ROLL_STREAM)[:, 0] < 0.5
        angles = np.where(clockwise, -degrees, degrees).tolist()
        return np.stack(
            [_warped(chip, 1, angle).reshape(chip.shape) for chip, angle in zip(chips, angles, strict=True)]
        )

    return apply


def _blur(sigma_px: float) -> Callable[[Chips, Rows], Chips]:
    def apply(chips: Chips, _: Rows) -> Chips:
        sigma = sigma_px * chips.shape[1] / _SIDE_PX
        return _each(chips, lambda chip: cv2.GaussianBlur(chip, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))

    return apply


def _small(side_px: int) -> Callable[[Chips, Rows], Chips]:
    def apply(chips: Chips, _: Rows) -> Chips:
        size = (side_px, side_px)
        return _each(
            chips,
            lambda chip: cv2.resize(
                cv2.resize(chip, size, interpolation=cv2.INTER_AREA), chip.shape[1::-1], interpolation=cv2.INTER_LINEAR
            ),
        )

    return apply


def _noise(sigma: float) -> Callable[[Chips, Rows], Chips]:
    def apply(chips: Chips, rows: Rows) -> Chips:
        noise = normals(SEED, rows, 0, chips[0].size, _NOISE_STREAM).reshape(chips.shape)
        return np.clip(np.rint(chips + np.float32(sigma) * noise), 0, 255).astype(np.uint8)

    return apply


def _dark(share: float) -> Callable[[Chips, Rows], Chips]:
    return lambda chips, _: np.rint(chips * np.float32(share)).astype(np.uint8)


def _jpeg(quality: int) -> Callable[[Chips, Rows], Chips]:
    def change(chip: Chips) -> Chips:
        # OpenCV writes and reads BGR; the same reversal before and after leaves RGB as it was
        _, stored = cv2.imencode(".jpg", chip[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))
        read: Chips = cv2.imdecode(stored, cv2.IMREAD_UNCHANGED)
        return read.reshape(chip.shape)[..., ::-1]

    return lambda chips, _: _each(chips, change)


DEGRADATIONS: tuple[Degradation, ...] = (
    Degradation("tight crop", "square 0.8 × as wide", _crop(0.8)),
    Degradation("loose crop", "square 1.2 × as wide", _crop(1.2)),
    Degradation("roll", "turned by 15°, left or right at random", _roll(15)),
    Degradation("blur", "Gaussian, σ 1 px of 48", _blur(1)),
    Degradation("small", "reduced to 24 px by area, enlarged linearly", _small(24)),
    Degradation("noise", "Gaussian, σ 15 of 255, clipped", _noise(15)),
    Degradation("dark", "a quarter of the light", _dark(0.25)),
    Degradation("JPEG", "quality 30", _jpeg(30)),
)
"""As `measure_robustness` takes them; a new one is one function and one line here."""
