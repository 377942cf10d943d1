"""What counts as a found face and as a false alarm, and how the boxes of a detector lie to the marked ones."""

import time
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from benchmarks.faces.photos import SIZES, KnownFace, Photo
from edge.geometry import iou
from edge.ports import FaceDetector
from edge.types import Box, Frame

MIN_IOU = 0.4
FIT_IOU = 0.3
"""A box of another convention still overlaps its face by this much; what does not is another thing."""
FIT_LEAST = 5
"""From fewer faces no convention is learnt: boxes stay as they are."""


class Counts(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        present: scored faces of each of `SIZES`.
        found: of them.
        false: boxes that lie on no face, scored or not.
    """

    present: tuple[int, ...] = (0,) * len(SIZES)
    found: tuple[int, ...] = (0,) * len(SIZES)
    false: int = 0

    @property
    def recall(self) -> float:
        """Of all sizes; 0 if there was no face."""
        return sum(self.found) / max(sum(self.present), 1)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            tuple(map(sum, zip(self.present, other.present, strict=True))),
            tuple(map(sum, zip(self.found, other.found, strict=True))),
            self.false + other.false,
        )


class Outline(msgspec.Struct, frozen=True):
    """How the marked faces lie to a detector's boxes.

    Attributes:
        width: in widths of the box.
        height: in heights of the box.
        up: of the centre above the box's, in heights of the box.
    """

    width: float = 1.0
    height: float = 1.0
    up: float = 0.0

    def of(self, box: Box) -> Box:
        """The box as the people who marked the faces would have drawn it."""
        w, h = box.w * self.width, box.h * self.height
        return Box(box.x + (box.w - w) / 2, box.y + box.h / 2 - self.up * box.h - h / 2, w, h)


Seen = tuple[list[Box], tuple[KnownFace, ...]]
"""A photo's found boxes in pixels, and its known faces."""


def look(detector: FaceDetector, photos: Iterable[Photo]) -> tuple[list[Seen], float]:
    """Search all photos. The second: median milliseconds of processor time of one search, of all threads."""
    seen, times_ns = [], []
    for photo in photos:
        frame = Frame(1, 0, photo.picture)
        started = time.process_time_ns()
        found = detector.detect(frame)
        times_ns.append(time.process_time_ns() - started)
        w, h = frame.width, frame.height
        boxes = [Box(face.box.x * w, face.box.y * h, face.box.w * w, face.box.h * h) for face in found]
        seen.append((boxes, photo.faces))
    return seen, round(float(np.median(times_ns)) / 1e6, 3)


def outline(seen: Iterable[Seen]) -> Outline:
    """The medians over all scored faces of 40 px or more that a box lies on."""
    ratios = []
    for boxes, faces in seen:
        for face in (face for face in faces if face.scored and face.size and boxes):
            box = max(boxes, key=lambda box: iou(box, face.box))
            if iou(box, face.box) >= FIT_IOU:
                above = box.y + box.h / 2 - face.box.y - face.box.h / 2
                ratios.append((face.box.w / box.w, face.box.h / box.h, above / box.h))
    if len(ratios) < FIT_LEAST:
        return Outline()
    width, height, up = np.median(ratios, axis=0).round(4).tolist()
    return Outline(width, height, up)


def count(boxes: Sequence[Box], faces: Sequence[KnownFace]) -> Counts:
    """A face is found if a box has an IoU of 0.4 with it; a box is false if it has that with no face, scored or not."""
    present, found = [0] * len(SIZES), [0] * len(SIZES)
    for face in faces:
        if face.scored:
            present[face.size] += 1
            found[face.size] += any(iou(face.box, box) >= MIN_IOU for box in boxes)
    false = sum(all(iou(box, face.box) < MIN_IOU for face in faces) for box in boxes)
    return Counts(tuple(present), tuple(found), false)
