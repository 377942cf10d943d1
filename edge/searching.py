"""Runs a detector on the whole frame or on a part of it; boxes come back as shares of the frame."""

from msgspec.structs import replace

from edge.geometry import SAME_FACE, around, inside
from edge.ports import FaceDetector
from edge.tiles import tiles
from edge.types import Box, Face, Frame, Framing, PixelBox, read_only

BORDER = 0.01
"""A face nearer to a part's inner border than this share of the part is cut by it: another part has it whole."""

CHECK = 4.0
"""Side of the part in which what may be a face is looked at closely, in sides of its box; with 3, false ones passed."""

LEAST_PX = 16
"""Side of the smallest part that is searched."""


class Searcher:
    """One detector for the whole frame, and one, cheaper and for large faces, for parts of it."""

    def __init__(self, wide: FaceDetector, near: FaceDetector | None = None) -> None:
        """`near`: its boxes have to be framed as those of `wide` are; None: only the whole frame is searched."""
        self.wide = wide
        self.near = near

    @property
    def framing(self) -> Framing:
        """How the boxes relate to the chip's square."""
        return self.wide.framing

    def find(self, frame: Frame, region: Box | None) -> tuple[Face, ...]:
        """The faces in a part of the frame, or in all of it; those that the part's border cuts are left out."""
        if region is None or self.near is None:
            return self.wide.detect(frame)
        part = _pixels(region, frame)
        if part.w < LEAST_PX or part.h < LEAST_PX:
            return ()
        found = (_placed(face, part, frame) for face in self.near.detect(frame.part(part)))
        return tuple(face for face in found if not _cut(face.box, part, frame))


class Thorough:
    """A `FaceDetector` for a picture that no other follows: the whole of it and all its parts, each once."""

    def __init__(self, searcher: Searcher, min_face_px: int) -> None:
        """`min_face_px`: as `edge.tiles` takes it."""
        self.name = searcher.wide.name
        self.framing = searcher.framing
        self._searcher = searcher
        self._min_face_px = min_face_px

    def detect(self, frame: Frame) -> tuple[Face, ...]:
        """All faces, best first; doubtful ones that a closer look made sure included."""
        found = list(self._searcher.find(frame, None))
        if self._searcher.near:
            for tile in tiles(frame.width, frame.height, self._min_face_px):
                found += self._searcher.find(frame, tile)
        kept: list[Face] = []
        for face in sorted(found, key=lambda face: (not face.sure, -face.score)):
            if any(inside(face.box, other.box) > SAME_FACE for other in kept):
                continue
            if face.sure or self._confirmed(frame, face):
                kept.append(face)
        return tuple(kept)

    def _confirmed(self, frame: Frame, face: Face) -> bool:
        if not self._searcher.near:
            return False
        closer = self._searcher.find(frame, around(face.box, CHECK, frame.width / frame.height))
        return any(other.sure and inside(other.box, face.box) > SAME_FACE for other in closer)


def _pixels(region: Box, frame: Frame) -> PixelBox:
    """Even numbers, as the colour planes have one value for two by two pixels."""
    x, y = int(max(region.x, 0.0) * frame.width) & ~1, int(max(region.y, 0.0) * frame.height) & ~1
    right = min(round((region.x + region.w) * frame.width), frame.width)
    bottom = min(round((region.y + region.h) * frame.height), frame.height)
    return PixelBox(x, y, max(right - x, 0) & ~1, max(bottom - y, 0) & ~1)


def _placed(face: Face, part: PixelBox, frame: Frame) -> Face:
    """A face of the part as one of the frame."""
    sx, sy = part.w / frame.width, part.h / frame.height
    x, y = part.x / frame.width, part.y / frame.height
    box = Box(x + face.box.x * sx, y + face.box.y * sy, face.box.w * sx, face.box.h * sy)
    if face.keypoints is None:
        return replace(face, box=box)
    marks = face.keypoints * (sx, sy) + (x, y)
    marks = marks.astype(face.keypoints.dtype)
    read_only(marks)
    return replace(face, box=box, keypoints=marks)


def _cut(box: Box, part: PixelBox, frame: Frame) -> bool:
    """Whether a border of the part that is not the frame's goes through the face."""
    edge_x, edge_y = BORDER * part.w / frame.width, BORDER * part.h / frame.height
    left, top = part.x / frame.width, part.y / frame.height
    right, bottom = (part.x + part.w) / frame.width, (part.y + part.h) / frame.height
    return (
        (part.x > 0 and box.x < left + edge_x)
        or (part.y > 0 and box.y < top + edge_y)
        # a last odd row or column was left out
        or (part.x + part.w < frame.width - 1 and box.x + box.w > right - edge_x)
        or (part.y + part.h < frame.height - 1 and box.y + box.h > bottom - edge_y)
    )
