"""From where a face is not worth reading: what labels are worth on chips spoilt in known ways."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.ports import Classifier
from edge.quality import Gate, sharpness
from edge.types import Pixels

THRESHOLD = 0.45
"""Of the shipped configuration."""
THRESHOLDS = (0.35, 0.4, 0.45, 0.5, 0.6)
SMALL_PX = (8, 10, 12, 16, 20, 24, 32)
BLUR_PX = (1.0, 1.5, 2.0, 2.5, 3.0)
MOTION_PX = (5, 9, 13)
SHARPNESS = (0.0, 0.03, 0.05, 0.07, 0.085, 0.1, 0.12, 0.15, 0.2, 0.3, np.inf)
TURNS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, np.inf)


class Worth(msgspec.Struct, frozen=True):
    """What labels are worth on some chips.

    Attributes:
        name: of the chips.
        n: chips.
        accuracy: of the likeliest class.
        named: share that reaches the threshold.
        accuracy_named: of those.
        confidence: mean of those.
        doubted: share that the gate refuses as blurred.
    """

    name: str
    n: int
    accuracy: float
    named: float
    accuracy_named: float
    confidence: float
    doubted: float


class Legibility(msgspec.Struct, frozen=True):
    """All tables.

    Attributes:
        cuts: threshold, share named, accuracy of those; clear chips.
        kinds: by what was done to the chips.
        bands: by sharpness, over all of `kinds`.
        turns: by how far the nose is beside the middle of the eyes, clear chips.
    """

    cuts: tuple[tuple[float, float, float], ...]
    kinds: tuple[Worth, ...]
    bands: tuple[Worth, ...]
    turns: tuple[Worth, ...]


class Answers(msgspec.Struct, frozen=True, eq=False):
    """What was said of N chips: whether rightly, how surely, and how sharp they were."""

    right: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    sharpness: NDArray[np.float64]

    def worth(self, name: str, chosen: NDArray[np.bool_] | slice = slice(None)) -> Worth:
        """Figures over the chosen ones."""
        right, confidence = self.right[chosen], self.confidence[chosen]
        named = confidence >= THRESHOLD
        return Worth(
            name=name,
            n=len(right),
            accuracy=_mean(right),
            named=_mean(named),
            accuracy_named=_mean(right[named]),
            confidence=_mean(confidence[named]),
            doubted=_mean(self.sharpness[chosen] < Gate().min_sharpness),
        )


def legibility(
    classifier: Classifier,
    chips: Pixels,
    truth: NDArray[np.int64],
    turns: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> Legibility:
    """Spoil the chips in each way and ask again.

    Args:
        classifier: with one view.
        chips: uint8 (N, S, S, 1).
        truth: int64 (N,), in the classifier's order.
        turns: which chips were found in a picture, and how far each is turned (`edge.contract.placement.turn`).
    """
    by_kind = {name: answers(classifier, spoilt, truth) for name, spoilt in _spoilt(chips)}
    clear = by_kind["clear"]
    every = Answers(
        *(np.concatenate([getattr(each, field) for each in by_kind.values()]) for field in Answers.__struct_fields__)
    )
    found, turned = turns
    seen = Answers(clear.right[found], clear.confidence[found], clear.sharpness[found])
    return Legibility(
        cuts=tuple(
            (least, _mean(clear.confidence >= least), _mean(clear.right[clear.confidence >= least]))
            for least in THRESHOLDS
        ),
        kinds=tuple(each.worth(name) for name, each in by_kind.items()),
        bands=tuple(_bands(every, every.sharpness, SHARPNESS)),
        turns=tuple(_bands(seen, turned, TURNS)),
    )


def answers(classifier: Classifier, chips: Pixels, truth: NDArray[np.int64]) -> Answers:
    """What is said of chips uint8 (N, S, S, 1)."""
    scores = np.array(classifier.classify(chips))
    return Answers(
        scores.argmax(axis=1) == truth,
        scores.max(axis=1).astype(np.float64),
        np.array([sharpness(chip) for chip in chips]),
    )


def _bands(all_of: Answers, values: NDArray[np.float64], edges: tuple[float, ...]) -> Iterator[Worth]:
    for low, high in pairwise(edges):
        chosen = (values >= low) & (values < high)
        if chosen.any():
            yield all_of.worth(f"over {low:g}" if high == np.inf else f"{low:g} to {high:g}", chosen)


def _spoilt(chips: Pixels) -> Iterator[tuple[str, Pixels]]:
    side = chips.shape[1]
    yield "clear", chips
    for px in SMALL_PX:
        yield f"{px} px", _each(chips, lambda chip, px=px: _small(chip, px))
    for sigma in BLUR_PX:
        yield (
            f"blur, σ {sigma:g} px of {side}",
            _each(
                chips, lambda chip, sigma=sigma: cv2.GaussianBlur(chip, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
            ),
        )
    for px in MOTION_PX:
        for name, degrees in (("across", 0), ("aslant", 45), ("down", 90)):
            path = _path(px, degrees)
            yield (
                f"moved {px} px of {side} {name}",
                _each(chips, lambda chip, path=path: cv2.filter2D(chip, -1, path, borderType=cv2.BORDER_REPLICATE)),
            )


def _each(chips: Pixels, change: Callable[[Pixels], object]) -> Pixels:
    return np.stack([np.asarray(change(chip[..., 0]), np.uint8)[..., np.newaxis] for chip in chips])


def _small(chip: Pixels, px: int) -> object:
    few = cv2.resize(chip, (px, px), interpolation=cv2.INTER_AREA)
    return cv2.resize(few, chip.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _path(px: int, degrees: float) -> NDArray[np.float32]:
    """Kernel of a motion over so many px."""
    line = np.zeros((px, px), np.float32)
    line[px // 2] = 1
    turned = cv2.warpAffine(line, cv2.getRotationMatrix2D((px // 2, px // 2), degrees, 1), (px, px))
    return np.asarray(turned / turned.sum(), np.float32)


def _mean(values: NDArray[np.bool_] | NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else 0.0
