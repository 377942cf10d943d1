"""The pieces of a file, put together again."""

import io
from collections import Counter
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from edge.batch.shares import Piece, Seam
from edge.events import SceneEvent
from edge.geometry import iou

SAME_FACE = 0.5
"""Least overlap of one face as two pipelines outline it on one frame; they have seen other frames before."""


class Joined:
    """A file, piece by piece in their order. Frames are counted through.

    A face on the last frame of a piece goes on under its number in the next; every other face of the next gets a new
    one, in the order of their appearance.

    Attributes:
        frames: so far.
        faces: different ones so far.
        labels: on how many frames a face was called what.
        seconds: that the analysis took.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.faces = 0
        self.labels: Counter[str] = Counter()
        self.seconds = 0.0
        self._pieces = 0
        self._highest = 0
        self._seam: Seam | None = None
        self._decoder = msgspec.json.Decoder(SceneEvent)

    def fits(self, piece: Piece) -> bool:
        """Whether a piece begins with the very frame that follows those so far."""
        if not piece.exact:
            return False
        before = None if piece.before is None else piece.before.t_ns
        return before == (None if self._seam is None else self._seam.t_ns)

    def add(self, piece: Piece, take: Callable[[SceneEvent], object]) -> None:
        """Take in the next piece.

        Args:
            piece: it has to fit.
            take: gets its records, one after the other; those of a film of hours are large enough once.
        """
        numbers = self._numbered(piece)
        for line in io.BytesIO(piece.records):
            event = self._decoder.decode(line)
            faces = [replace(face, id=numbers[face.id]) for face in event.faces]
            faces.sort(key=lambda face: face.id)
            take(replace(event, seq=event.seq + self.frames, faces=tuple(faces)))
        self._pieces += 1
        self.frames += piece.frames
        self.labels.update(piece.labels)
        self.seconds += piece.seconds
        if piece.after is not None:
            faces_there = tuple((numbers[number], box) for number, box in piece.after.faces)
            self._seam = Seam(piece.after.t_ns, faces_there)

    def _numbered(self, piece: Piece) -> dict[int, int]:
        """By its number in the piece, the number of each face in the file."""
        if not self._pieces:
            self.faces, self._highest = len(piece.faces), max(piece.faces, default=0)
            return {number: number for number in piece.faces}
        numbers = self._known(piece)
        for number in sorted(piece.faces):
            if number not in numbers:
                self._highest += 1
                self.faces += 1
                numbers[number] = self._highest
        return numbers

    def _known(self, piece: Piece) -> dict[int, int]:
        """Who was there already: greedily, the surest pair first."""
        if self._seam is None or piece.before is None:
            return {}
        ranked = sorted(
            (-iou(box, other), number, own)
            for number, box in self._seam.faces
            for own, other in piece.before.faces
            if iou(box, other) >= SAME_FACE
        )
        numbers: dict[int, int] = {}
        for _, number, own in ranked:
            if own not in numbers and number not in numbers.values():
                numbers[own] = number
        return numbers
