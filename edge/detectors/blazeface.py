"""BlazeFace (Bazarevsky et al. 2019) through TFLite, with our own decoding.

Input float32 (1, S, S, 3), RGB in [-1, 1]. Outputs, by shape: regressors (1, A, 16) in input pixels relative to the
anchor's centre (box centre, box size, six keypoints), classificators (1, A, 1) as logits.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge import runtime
from edge.contract.card import read_model
from edge.detectors.anchors import FULL_RANGE, SHORT_RANGE, AnchorGrid, anchor_centres
from edge.detectors.letterbox import Letterbox, letterbox_into
from edge.detectors.nms import weighted_nms
from edge.errors import PermanentError
from edge.types import Box, Face, Frame, Framing, read_only

MAX_EXPONENT = np.float32(80)
"""Of a float32, with room."""
MOST_CANDIDATES = 200
"""The likeliest: at a threshold near 0 each of 2304 anchors is one, and comparing all with all would take seconds."""
NMS_IOU = 0.3
"""`min_suppression_threshold` in MediaPipe's face detection graphs."""

WIDTH = 0.9
HEIGHT = 1.2
"""Of the outline that people draw around a face, in widths and heights of the network's square box: medians over some
hundred faces of photos, within 0.02 alike for all variants."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the published networks.

    Attributes:
        file: as in the catalogue of models.
        input_size_px: side of the square input.
        grids: its anchors.
        min_score: threshold at which it gave no false alarm on a clip without faces.
        up: how far a face's centre lies above the network's box's, in heights of that box.
    """

    file: str
    input_size_px: int
    grids: tuple[AnchorGrid, ...]
    min_score: float
    up: float

    def outlined(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        """The face as people mark it, from the corners of the network's box."""
        w, h = (x1 - x0) * WIDTH, (y1 - y0) * HEIGHT
        return Box((x0 + x1 - w) / 2, (y0 + y1 - h) / 2 - self.up * (y1 - y0), w, h)


VARIANTS = {
    "blazeface-full": Variant("face_detection_full_range.tflite", 192, FULL_RANGE, 0.6, 0.036),
    "blazeface-sparse": Variant("face_detection_full_range_sparse.tflite", 192, FULL_RANGE, 0.6, 0.036),
    "blazeface-short": Variant("face_detection_short_range.tflite", 128, SHORT_RANGE, 0.6, 0.088),
}


class BlazeFace:
    """A `FaceDetector`. Not safe for two threads at once."""

    # fitted on FER2013 crops: side 1.16 widths of the network's box, centre 0.084 widths above its centre
    framing = Framing(scale=1.16 / WIDTH, up=(0.084 - 0.036) / WIDTH)

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        min_score: float | None = None,
        doubt: float = 0.0,
        min_face_px: int = 0,
        threads: int = 1,
    ) -> None:
        """Load one of `VARIANTS` from its file.

        Args:
            name: key of `VARIANTS`.
            path: the .tflite.
            min_score: in [0, 1], of a face that is sure; None: the variant's own.
            doubt: by how much less a face may have that is not.
            min_face_px: narrower boxes are dropped; in pixels of the frame.
            threads: of the interpreter.

        Raises:
            PermanentError: the file cannot be read or is another model.
        """
        self.name = name
        self.threads = threads
        variant = VARIANTS[name]
        loaded = runtime.load(read_model(path), str(path), threads)
        self.runtime = loaded.runtime
        self._interpreter = loaded.interpreter
        size = variant.input_size_px
        self._anchors = anchor_centres(size, variant.grids)
        self._size = size
        self._input = self._tensor(self._interpreter.get_input_details(), (1, size, size, 3), path)
        outputs = self._interpreter.get_output_details()
        self._regressors = self._tensor(outputs, (1, len(self._anchors), 16), path)
        self._logits = self._tensor(outputs, (1, len(self._anchors), 1), path)
        self._sure = variant.min_score if min_score is None else min_score
        # at a threshold of 0 each of the anchors would be a doubtful face
        score = max(self._sure - doubt, self._sure / 2)
        self._min_logit = math.log(score / (1 - score)) if 0 < score < 1 else math.copysign(math.inf, score - 0.5)
        self._variant = variant
        self._min_face_px = min_face_px

    def detect(self, frame: Frame) -> tuple[Face, ...]:
        """All faces of the frame, best first."""
        interpreter = self._interpreter
        # written in place: no second input array; the view must be gone before invoke()
        place = letterbox_into(frame, interpreter.tensor(self._input)()[0])
        interpreter.invoke()
        # views, of which little is copied; they too must be gone before the next invoke()
        return self._decode(
            interpreter.tensor(self._regressors)()[0], interpreter.tensor(self._logits)()[0, :, 0], place, frame
        )

    def invoke(self) -> None:
        """The bare native call, on whatever the input holds: what a detection costs at least (for benchmarks)."""
        self._interpreter.invoke()

    def _decode(self, regressors: np.ndarray, logits: np.ndarray, place: Letterbox, frame: Frame) -> tuple[Face, ...]:
        (chosen,) = (logits >= self._min_logit).nonzero()
        if not chosen.size:
            return ()
        if chosen.size > MOST_CANDIDATES:
            chosen = chosen[np.argsort(-logits[chosen], kind="stable")[:MOST_CANDIDATES]]
        # above the threshold only the other end of exp() can overflow
        scores = 1 / (1 + np.exp(np.minimum(-logits[chosen], MAX_EXPONENT)))
        points = regressors[chosen].reshape(-1, 8, 2)
        points /= self._size
        half = points[:, 1] / 2
        points[:, 1] = points[:, 0]
        points += self._anchors[chosen, np.newaxis]
        points[:, 0] -= half
        points[:, 1] += half
        faces = []
        for merged, score in weighted_nms(points, scores, NMS_IOU):
            found = place.to_frame(merged)
            numbers = found.ravel().tolist()
            box = self._variant.outlined(*numbers[:4])
            # what is no number would break all that follows
            if not all(map(math.isfinite, numbers)) or box.w * frame.width < max(self._min_face_px, 1):
                continue
            marks = found[2:]
            read_only(marks)
            faces.append(Face(box, score, marks, score >= self._sure))
        return tuple(faces)

    @staticmethod
    def _tensor(details: list[dict[str, object]], shape: tuple[int, ...], path: Path) -> int:
        for tensor in details:
            if tuple(tensor["shape"]) == shape and tensor["dtype"] == np.float32:  # type: ignore[arg-type]
                return int(tensor["index"])  # type: ignore[call-overload, no-any-return]
        found = [f"{np.dtype(t['dtype']).name}{tuple(t['shape'])}" for t in details]  # type: ignore[call-overload, arg-type]
        raise PermanentError(
            f"{path} is another model: expected a float32 tensor of shape {shape}, found {', '.join(found)}; "
            "run `emotion-edge models verify`"
        )
