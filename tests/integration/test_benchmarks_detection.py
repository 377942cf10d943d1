"""The page on face detectors is made of what was counted."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.faces.detection import SETTINGS, Setting, available, main, survey
from benchmarks.faces.detection_page import document
from benchmarks.faces.face_counts import Counts, count, look, outline
from benchmarks.faces.photos import CONDITIONS, load_photos
from edge import model_store
from edge.config import DetectorConfig
from edge.detectors.blazeface import VARIANTS
from edge.parts import build_detector
from edge.types import Box, Face, Frame, Framing
from tests.real_data import real_data
from training.reporting.document import write

PHOTOS = 12


class Bright:
    """Finds the one bright thing on a dark picture, in a box three times as wide: its IoU with it is a third."""

    name = "bright"
    framing = Framing(1.0, 0.0)

    def detect(self, frame: Frame) -> tuple[Face, ...]:
        rows, columns = np.nonzero(frame.luma > 60)
        if not rows.size:
            return ()
        x, y = int(columns.min()), int(rows.min())
        w, h = int(columns.max()) + 1 - x, int(rows.max()) + 1 - y
        return (Face(Box((x - w) / frame.width, y / frame.height, 3 * w / frame.width, h / frame.height), 1.0),)


def drawn(folder: Path) -> Path:
    """Photos of one bright ellipse each."""
    rows = ["file,x,y,w,h,ignore"]
    for index in range(PHOTOS):
        picture = np.zeros((120, 160, 3), np.uint8)
        x, y = 60 + index, 40
        cv2.ellipse(picture, (x + 25, y + 25), (25, 25), 0, 0, 360, (255, 255, 255), -1)
        cv2.imwrite(str(folder / f"{index}.png"), picture)
        rows.append(f"{index}.png,{x},{y},50,50,0")
    (folder / "annotations.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_a_right_face_in_another_framing_counts_when_reframed(tmp_path: Path):
    setting = Setting("bright", DetectorConfig())
    found = survey(drawn(tmp_path), [setting], lambda config: Bright(), lambda line: None)
    assert [line.condition for line in found.lines] == [condition.name for condition in CONDITIONS]
    came = found.lines[0]
    assert came.as_drawn.present == (0, PHOTOS, 0)
    assert (came.as_drawn.found, came.as_drawn.false) == ((0, 0, 0), PHOTOS)
    assert (came.reframed.found, came.reframed.false) == ((0, PHOTOS, 0), 0)
    assert found.outlines["bright"].width == pytest.approx(1 / 3, abs=0.02)
    assert found.lines[1].reframed.present == (0, 2 * PHOTOS, 0), "turned both ways"
    page = write(document(found), tmp_path / "out")
    assert f"{PHOTOS} photos, {PHOTOS} scored faces; 0 more" in page.read_text()
    assert f"| {PHOTOS}/{PHOTOS} |" in page.read_text()
    figures = json.loads((tmp_path / "out" / "detection.json").read_text())
    assert figures["lines"][0]["reframed"]["found"] == [0, PHOTOS, 0]
    for picture in ("detection-sizes.png", "detection-roll.png"):
        assert (tmp_path / "out" / picture).stat().st_size > 5000


def test_the_command_measures_the_detectors_of_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--faces", str(drawn(tmp_path)), "--only", "haar", "--out", str(tmp_path / "out")]) == 0
    assert "detection.md" in capsys.readouterr().out
    assert "| haar | 0/0 |" in (tmp_path / "out" / "detection.md").read_text()


def test_mediapipe_is_left_out_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("benchmarks.faces.detection.find_spec", lambda name: None)
    left_out = {setting.name for setting in SETTINGS} - {setting.name for setting in available()}
    assert left_out == {"mediapipe 0.5", "mediapipe 0.6"}


@pytest.mark.parametrize(("asked", "said"), [((), "annotations.csv"), (("--only", "yolo"), "no setting yolo")])
def test_what_cannot_be_measured_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: tuple[str, ...], said: str
):
    assert main(["--faces", str(tmp_path), "--out", str(tmp_path), *asked]) == 78
    assert said in capsys.readouterr().err


def test_a_detector_outlines_faces_as_people_do():
    photos, _ = load_photos(real_data("faces"))
    if model_store.find(VARIANTS["blazeface-full"].file) is None:
        pytest.skip("the face detectors are not here: emotion-edge models fetch")
    detector, _ = build_detector(DetectorConfig(name="blazeface-full", min_score=0.6, min_face_px=0))
    seen, _ = look(detector, photos)
    learnt = outline(seen)
    own = sum((count(boxes, faces) for boxes, faces in seen), Counts())
    reframed = sum((count([learnt.of(box) for box in boxes], faces) for boxes, faces in seen), Counts())
    assert own.present == (61, 87, 51)
    assert (learnt.width, learnt.height) == pytest.approx((1, 1), abs=0.05)
    assert learnt.up == pytest.approx(0, abs=0.03)
    assert own.false <= reframed.false + 1 <= 4
    assert own.found[1] >= 50
    assert own.found[2] >= 42
