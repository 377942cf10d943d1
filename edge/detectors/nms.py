"""Non-maximum suppression that averages instead of choosing."""

import numpy as np
from numpy.typing import NDArray


def iou(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of one box (4,) with many (N, 4); corners x0, y0, x1, y1."""
    size = np.maximum(np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2]), np.float32(0))
    overlap = size[:, 0] * size[:, 1]
    area = (box[2] - box[0]) * (box[3] - box[1])
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    result: NDArray[np.float32] = overlap / np.maximum(area + areas - overlap, np.float32(1e-9))
    return result


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
    boxes = points[:, :2].reshape(-1, 4)
    left = np.argsort(-scores, kind="stable")
    merged = []
    while left.size:
        best = left[0]
        same = iou(boxes[best], boxes[left]) > threshold
        same[0] = True  # a degenerate box overlaps not even itself
        group = left[same]
        weights = scores[group] / scores[group].sum()
        mean = (weights @ points[group].reshape(len(group), -1)).reshape(points.shape[1:])
        merged.append((mean.astype(np.float32, copy=False), float(scores[best])))
        left = left[~same]
    return merged
