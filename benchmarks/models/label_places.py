"""Where names go in a crowded picture: beside their marks, clear of the other marks and names."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP_PT = 4.0
WIDTH_EM = 0.6
"""Of a letter, on average, in widths of an m."""


@dataclass(frozen=True, slots=True)
class Label:
    """A mark and its name.

    Attributes:
        text: the name.
        at: the mark's middle, in the axes' data.
        area_pt2: of the round mark.
        shown: whether the name is; the mark is in the way of others all the same.
        strong: whether it is written in bold.
    """

    SIZE_PT: ClassVar[float] = 8.5

    text: str
    at: tuple[float, float]
    area_pt2: float
    shown: bool = True
    strong: bool = False


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    low: float
    right: float
    high: float

    def shared(self, other: "_Box") -> float:
        wide = min(self.right, other.right) - max(self.left, other.left)
        tall = min(self.high, other.high) - max(self.low, other.low)
        return max(0.0, wide) * max(0.0, tall)


def radius_pt(area_pt2: float) -> float:
    """Of a round mark."""
    return math.sqrt(area_pt2 / math.pi)


def placed(axes: "Axes", labels: Sequence[Label]) -> Iterator[tuple[Label, tuple[float, float]]]:
    """Each name that is shown, and by how many points its left middle lies from its mark's.

    One after the other takes the place where it covers least; right of the mark where that is free.

    Args:
        axes: as they are going to be drawn: later changes of their limits or place spoil it.
        labels: of all marks.
    """
    to_pt = 72 / axes.figure.dpi
    middles = [tuple(to_pt * axes.transData.transform(label.at)) for label in labels]
    frame = axes.get_window_extent()
    inside = _Box(*(to_pt * end for end in (frame.x0, frame.y0, frame.x1, frame.y1)))
    taken = []
    for (x, y), label in zip(middles, labels, strict=True):
        reach = radius_pt(label.area_pt2)
        taken.append(_Box(x - reach, y - reach, x + reach, y + reach))
    for (x, y), label in zip(middles, labels, strict=True):
        if not label.shown:
            continue
        ranked = []
        for order, (dx, dy) in enumerate(_places(label)):
            box = _extent(label, x + dx, y + dy)
            outside = (box.right - box.left) * (box.high - box.low) - box.shared(inside)
            ranked.append((round(outside + sum(box.shared(other) for other in taken), 1), order, (dx, dy), box))
        _, _, offset_pt, box = min(ranked, key=lambda each: each[:2])
        taken.append(box)
        yield label, offset_pt


def _places(label: Label) -> Iterator[tuple[float, float]]:
    """Where a name may begin, by preference: right, above, below, left; further away where it is crowded."""
    reach, width = radius_pt(label.area_pt2), _width(label)
    rise = reach + GAP_PT + label.SIZE_PT / 2
    for more in (0.0, label.SIZE_PT):
        yield reach + GAP_PT + more, 0.0
        yield from itertools.product((-width / 2, 0.0, -width), (rise + more, -rise - more))
        yield -reach - GAP_PT - width - more, 0.0


def _width(label: Label) -> float:
    return len(label.text) * label.SIZE_PT * WIDTH_EM * (1.1 if label.strong else 1.0)


def _extent(label: Label, left: float, middle: float) -> _Box:
    half = 0.6 * label.SIZE_PT
    return _Box(left, middle - half, left + _width(label), middle + half)
