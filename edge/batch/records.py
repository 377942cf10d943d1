"""Records as bytes: JSON Lines in the schema of `edge.events`, or CSV with a row for each face."""

import csv
import io
from collections.abc import Sequence

import msgspec

from edge.batch.settings import Format
from edge.events import FaceEvent, SceneEvent

FIRST_COLUMNS = ("file", "frame", "media_s", "width", "height")
FACE_COLUMNS = (
    "face",
    "x",
    "y",
    "w",
    "h",
    "label",
    "confidence",
    "valence",
    "arousal",
    "detector_score",
    "stale_ms",
    "misses",
    "doubt",
)
"""One `score_LABEL` for each class of the model follows."""


class Records:
    """Turns records into the bytes of one format."""

    def __init__(self, style: Format, labels: Sequence[str]) -> None:
        """`labels`: class names of the model, in the order of the columns."""
        self._labels = labels
        self._csv = style == "csv"
        self._encoder = msgspec.json.Encoder()

    @property
    def head(self) -> bytes:
        """What stands at the top of a file."""
        if not self._csv:
            return b""
        return _row([*FIRST_COLUMNS, *FACE_COLUMNS, *(f"score_{label}" for label in self._labels)])

    def lines(self, event: SceneEvent, file: str) -> bytes:
        """The lines of one record; in CSV, a record without faces has one line with empty columns.

        Args:
            event: the record.
            file: the path of what was analysed, for CSV.
        """
        if not self._csv:
            return self._encoder.encode(event) + b"\n"
        first = [file, event.seq, event.media_s, event.width, event.height]
        rows = [[*first, *self._face(face)] for face in event.faces]
        return b"".join(map(_row, rows or [[*first, *[None] * (len(FACE_COLUMNS) + len(self._labels))]]))

    def _face(self, face: FaceEvent) -> list[object]:
        return [
            face.id,
            *face.box,
            face.label,
            face.confidence,
            face.valence,
            face.arousal,
            face.detector_score,
            face.stale_ms,
            face.misses,
            face.doubt,
            *(face.scores.get(label) for label in self._labels),
        ]


def _row(values: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode("utf-8", "surrogateescape")
