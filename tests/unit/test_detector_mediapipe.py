"""MediaPipe behind the detectors' port; what needs the package itself is skipped without it."""

import sys
from importlib import metadata
from pathlib import Path

import pytest

from edge import model_store
from edge.config import DetectorConfig
from edge.detectors import mediapipe as adapter
from edge.detectors.blazeface import BlazeFace
from edge.errors import ConfigError, PermanentError
from edge.geometry import iou
from edge.parts import build_detector
from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec
from edge.types import Frame
from tests.world import World


@pytest.fixture
def model() -> Path:
    path = model_store.find(adapter.FILE)
    if path is None:
        pytest.skip("the face detectors are not here: emotion-edge models fetch")
    return path


def test_where_it_is_absent_the_error_names_the_extra_and_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, model: Path
):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(ConfigError, match=r"extra `mediapipe`.*--no-deps"):
        build_detector(DetectorConfig(name="mediapipe"))


def test_where_its_file_is_absent_the_error_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(model_store.DIRECTORY_VARIABLE, str(tmp_path))
    with pytest.raises(ConfigError, match=r"mediapipe needs face_detection_full_range\.tflite"):
        build_detector(DetectorConfig(name="mediapipe"))


def installed(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    """Pretend that these packages, underscores for dashes, are all that is installed."""

    def version(name: str) -> str:
        try:
            return versions[name.replace("-", "_")]
        except KeyError:
            raise metadata.PackageNotFoundError(name) from None

    monkeypatch.setattr(adapter.metadata, "version", version)


def test_an_opencv_installed_over_ours_is_noticed(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch, opencv_python_headless="4.14.0", opencv_contrib_python="5.0.0")
    said = adapter.second_opencv()
    assert said is not None
    assert "opencv-contrib-python 5.0.0" in said
    assert "pip uninstall opencv-contrib-python;" in said


def test_one_opencv_of_any_kind_is_nothing_to_speak_of(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch, opencv_python_headless="4.14.0")
    assert adapter.second_opencv() is None
    installed(monkeypatch, opencv_contrib_python="4.11.0")
    assert adapter.second_opencv() is None


def test_it_finds_the_faces_that_our_own_decoding_finds(model: Path):
    pytest.importorskip("mediapipe", reason="needs mediapipe")
    detector, _ = build_detector(DetectorConfig(name="mediapipe", min_face_px=50))
    ours = BlazeFace("blazeface-full", model, min_face_px=50)
    assert detector.framing == ours.framing
    world = World()
    source = DemoSource(DemoSpec(seed=1, realtime=False), world.clock, world.sleep)
    pairs = 0
    for t_s in (0.0, 8.0, 16.0, 24.0):
        frame = Frame(1, 0, source.draw(t_s))
        theirs = detector.detect(frame)
        assert [face.score for face in theirs] == sorted((face.score for face in theirs), reverse=True)
        for face in ours.detect(frame):
            other = max(theirs, key=lambda other: iou(other.box, face.box))
            assert iou(other.box, face.box) > 0.75
            assert other.score == pytest.approx(face.score, abs=0.15), "the same scale"
            assert other.keypoints is not None
            assert other.keypoints == pytest.approx(face.keypoints, abs=0.03)
            pairs += 1
    assert pairs >= 4


def test_small_boxes_and_low_scores_are_left_out(model: Path):
    pytest.importorskip("mediapipe", reason="needs mediapipe")
    world = World()
    frame = Frame(1, 0, DemoSource(DemoSpec(seed=1, realtime=False), world.clock, world.sleep).draw(8.0))
    assert adapter.MediaPipe(model).detect(frame)
    assert not adapter.MediaPipe(model, min_face_px=5000).detect(frame)
    assert not adapter.MediaPipe(model, min_score=1.0).detect(frame)


def test_what_is_no_model_is_refused(tmp_path: Path):
    pytest.importorskip("mediapipe", reason="needs mediapipe")
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no model at all")
    with pytest.raises(PermanentError, match="no TFLite model"):
        adapter.MediaPipe(broken)
    with pytest.raises(PermanentError, match="cannot read"):
        adapter.MediaPipe(tmp_path / "absent.tflite")
