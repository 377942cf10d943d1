"""What is made of the network's answers, on a network that answers what it is told."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge.detectors import blazeface
from edge.detectors.blazeface import BlazeFace
from edge.types import Frame

ANCHORS = 896
FRAME = Frame(1, 0, np.zeros((128, 128, 3), np.uint8))


class Told:
    """An interpreter whose outputs are set by hand."""

    def __init__(self) -> None:
        self.tensors = [
            np.zeros((1, 128, 128, 3), np.float32),
            np.zeros((1, ANCHORS, 16), np.float32),
            np.full((1, ANCHORS, 1), -100, np.float32),
        ]

    def get_input_details(self) -> list[dict[str, object]]:
        return [self._details(0)]

    def get_output_details(self) -> list[dict[str, object]]:
        return [self._details(1), self._details(2)]

    def tensor(self, index: int) -> Callable[[], np.ndarray]:
        return lambda: self.tensors[index]

    def invoke(self) -> None:
        """The answers are there already."""

    def face(self, anchor: int, logit: float, side_px: float = 40) -> None:
        """One more."""
        self.tensors[1][0, anchor, 2:4] = side_px
        self.tensors[2][0, anchor] = logit

    def _details(self, index: int) -> dict[str, object]:
        return {"index": index, "shape": self.tensors[index].shape, "dtype": np.float32}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    interpreter = Told()
    monkeypatch.setattr(blazeface, "read_model", lambda path: b"")
    loaded = SimpleNamespace(interpreter=interpreter, runtime="told")
    monkeypatch.setattr(blazeface.runtime, "load", lambda model, name, threads: loaded)
    return interpreter


def made(**settings: float) -> BlazeFace:
    return BlazeFace("blazeface-short", Path("x.tflite"), **settings)  # type: ignore[arg-type]


def test_a_face_is_sure_from_its_score_on_and_doubtful_a_little_below(told: Told):
    for anchor, score in ((0, 0.7), (250, 0.55), (800, 0.45)):
        told.face(anchor, float(np.log(score / (1 - score))))
    found = made(min_score=0.6, doubt=0.1).detect(FRAME)
    assert [(round(face.score, 2), face.sure) for face in found] == [(0.7, True), (0.55, False)]


def test_at_a_low_threshold_not_every_anchor_is_a_doubtful_face(told: Told):
    for anchor in range(ANCHORS):
        told.face(anchor, -100, side_px=10)
    told.face(0, 5)
    assert len(made(min_score=0.05, doubt=0.1).detect(FRAME)) == 1


def test_without_a_threshold_only_the_likeliest_are_compared(told: Told, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("edge.detectors.blazeface.MOST_CANDIDATES", 3)
    for anchor in range(ANCHORS):
        told.face(anchor, -1 - anchor / ANCHORS, side_px=10)
    told.face(450, 5)
    found = made(min_score=0.0).detect(FRAME)
    assert 1 <= len(found) <= 3
    assert round(found[0].score, 2) == 0.99


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", [1, 3, 9])
def test_what_is_no_number_is_no_face(told: Told, place: int, value: float):
    told.face(0, 5)
    told.face(450, 4)
    told.tensors[1][0, 0, place] = value
    assert [round(face.score, 2) for face in made().detect(FRAME)] == [0.98]
