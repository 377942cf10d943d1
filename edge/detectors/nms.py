"""Non-maximum suppression that averages instead of choosing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def iou(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes; corners x0, y0, x1, y1."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    overlap = w * h
    return overlap / max((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap, 1e-9)


def weighted_nms(
    points: NDArray[np.float32], scores: NDArray[np.float32], threshold: float
) -> list[tuple[NDArray[np.float32], float]]:
    """Merge what overlaps into score-weighted means (Bazarevsky et al. 2019, section 3.4: less jitter over time).

    Args:
        points: (N, P, 2); the first two points are the box's corners, the others ride along.
        scores: (N,) in [0, 1].
        threshold: IoU from which two boxes are taken for the same face.

    Returns:
        Merged points (P, 2) and the best score of each group, best first.
    """
    # few are left at this point, so that plain numbers are faster than arrays
    corners = points[:, :2].reshape(-1, 4).tolist()
    ranks = scores.tolist()
    left = sorted(range(len(ranks)), key=lambda index: -ranks[index])
    merged = []
    while left:
        best, *others = left
        same = [index for index in others if iou(corners[best], corners[index]) > threshold]
        merged.append((_mean(points, scores, [best, *same]) if same else points[best], ranks[best]))
        left = [index for index in others if index not in same]
    return merged


def _mean(points: NDArray[np.float32], scores: NDArray[np.float32], group: list[int]) -> NDArray[np.float32]:
    """Of the points (P, 2) of a group, weighted by score."""
    chosen = scores[group]
    mean: NDArray[np.float32] = (chosen / chosen.sum()) @ points[group].reshape(len(group), -1)
    return mean.reshape(points.shape[1:]).astype(np.float32, copy=False)
