"""Whether the boxes that a program showed are those of the faces in the film.

The reference is the dense BlazeFace network, searching the whole of every full-size frame. Conventions differ: Haar's
square reaches from hair to chin, MediaPipe's from brow to chin, ours is the face's outline. On the real clip boxes of
one face overlap by 0.64 and more, whoever drew them; a box that overlaps by less than 0.4 marks something else.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from benchmarks.clips import frames_of
from edge.config import DetectorConfig
from edge.geometry import iou
from edge.parts import build_detector
from edge.types import Box

SAME = 0.4
REFERENCE = DetectorConfig(name="blazeface-full")


class Sight(msgspec.Struct, frozen=True):
    """What was seen of the faces.

    Attributes:
        frames: of the film.
        faces: in all frames together.
        found: of them, those that a box was shown for.
        false_alarms: boxes that belong to none.
    """

    frames: int
    faces: int
    found: int
    false_alarms: int

    @property
    def recall(self) -> float:
        """Share of the faces that were found."""
        return self.found / self.faces if self.faces else 1.0

    @property
    def alarms_per_frame(self) -> float:
        """False alarms."""
        return self.false_alarms / self.frames


class _Face(msgspec.Struct):
    box: tuple[float, float, float, float]


class _Scene(msgspec.Struct):
    """The part of an event, the program's or a peer's, that is looked at."""

    seq: int
    faces: list[_Face]


def reference(film: Path) -> tuple[tuple[Box, ...], ...]:
    """The faces of each frame.

    Raises:
        ConfigError: the reference's file is missing.
        PermanentError: this is no film.
    """
    detector, _ = build_detector(REFERENCE)
    return tuple(tuple(face.box for face in detector.detect(frame)) for frame in frames_of(film))


def read_events(lines: Iterable[bytes]) -> dict[int, tuple[Box, ...]]:
    """Number of the frame, from 1, to the boxes on it; frames without faces may be absent."""
    scenes = (msgspec.json.decode(line, type=_Scene) for line in lines if line.strip())
    return {scene.seq: tuple(Box(*face.box) for face in scene.faces) for scene in scenes}


def judge(faces: Sequence[Sequence[Box]], shown: Mapping[int, Sequence[Box]]) -> Sight:
    """Compare frame by frame; a box counts for one face, a face for one box, the nearest pairs first.

    Args:
        faces: of each frame, the reference's.
        shown: number of the frame, from 1, to the boxes on it.
    """
    found = sum(_matches(there, shown.get(seq, ())) for seq, there in enumerate(faces, start=1))
    boxes = sum(len(shown.get(seq, ())) for seq in range(1, len(faces) + 1))
    return Sight(len(faces), sum(map(len, faces)), found, boxes - found)


def _matches(faces: Sequence[Box], boxes: Sequence[Box]) -> int:
    pairs = sorted(
        ((iou(face, box), i, j) for i, face in enumerate(faces) for j, box in enumerate(boxes)), reverse=True
    )
    taken_faces: set[int] = set()
    taken_boxes: set[int] = set()
    for overlap, i, j in pairs:
        if overlap >= SAME and i not in taken_faces and j not in taken_boxes:
            taken_faces.add(i)
            taken_boxes.add(j)
    return len(taken_faces)
