"""What boxes have to do with each other."""

from edge.types import Box

SAME_FACE = 0.6
"""Two boxes of which one lies in the other by this share outline the same face, however different their sizes."""


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0..1."""
    shared = _shared(a, b)
    return shared / (a.w * a.h + b.w * b.h - shared) if shared else 0.0


def inside(a: Box, b: Box) -> float:
    """Share of the smaller box that lies in the other, 0..1."""
    shared = _shared(a, b)
    return shared / max(min(a.w * a.h, b.w * b.h), 1e-12) if shared else 0.0


def distance(a: Box, b: Box) -> float:
    """Of the centres, in widths (and heights) of the larger box."""
    dx = abs(a.x + a.w / 2 - b.x - b.w / 2) / max(a.w, b.w, 1e-9)
    dy = abs(a.y + a.h / 2 - b.y - b.h / 2) / max(a.h, b.h, 1e-9)
    return max(dx, dy)


def moved(box: Box, dx: float, dy: float) -> Box:
    """The same size elsewhere."""
    return Box(box.x + dx, box.y + dy, box.w, box.h)


def around(box: Box, times: float, aspect: float) -> Box:
    """The square around a box, `times` as long as its longer side (in pixels); cut at the frame's borders.

    Args:
        box: in [0, 1].
        times: at least 1.
        aspect: width of the frame by its height.
    """
    side = max(box.w * aspect, box.h) * times
    w, h = min(side / aspect, 1.0), min(side, 1.0)
    x0, y0 = box.x + box.w / 2 - w / 2, box.y + box.h / 2 - h / 2
    x0, x1 = max(x0, 0.0), min(x0 + w, 1.0)
    y0, y1 = max(y0, 0.0), min(y0 + h, 1.0)
    return Box(x0, y0, max(x1 - x0, 0.0), max(y1 - y0, 0.0))


def _shared(a: Box, b: Box) -> float:
    """Area that both cover."""
    w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    return w * h if w > 0 and h > 0 else 0.0
