import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

import edge
from edge.analyzer import EmotionAnalyzer, message
from edge.config import Config, ExpressionConfig
from edge.errors import ConfigError, PermanentError
from edge.events import FaceEvent, SceneEvent
from tests.clips import HEIGHT_PX, WIDTH_PX, bomb, drawn, recorded_by_run
from tests.clips import picture as picture_file


@pytest.fixture(scope="module")
def analyzer() -> Iterator[EmotionAnalyzer]:
    with EmotionAnalyzer() as made:
        yield made


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return picture_file(tmp_path_factory.mktemp("pictures") / "people.png")


def seen(event: SceneEvent) -> tuple[object, ...]:
    return event.faces, event.width, event.height, event.reason


def test_path_bytes_and_pixels_of_a_picture_give_the_same(analyzer: EmotionAnalyzer, file: Path):
    by_path = analyzer.analyze(file)
    assert len(by_path.faces) == 2
    assert all(face.scores for face in by_path.faces)
    assert by_path.source == f"images:{file}"
    data = file.read_bytes()
    for image in (str(file), data, bytearray(data), memoryview(data), cv2.imread(str(file))):
        assert seen(analyzer.analyze(image)) == seen(by_path)


def test_pictures_do_not_know_of_each_other(analyzer: EmotionAnalyzer, file: Path):
    first = analyzer.analyze(file)
    assert [face.id for face in first.faces] == [1, 2]
    assert analyzer.analyze(file) == first


def test_it_gives_the_record_that_run_gives(analyzer: EmotionAnalyzer, file: Path, tmp_path: Path):
    recorded = recorded_by_run(f"images:{file}?realtime=0", tmp_path / "events.jsonl")
    expected = msgspec.json.decode(recorded, type=SceneEvent)
    assert analyzer.analyze(file, threshold=Config().expression.threshold) == expected


def test_a_grey_picture_is_read(analyzer: EmotionAnalyzer, file: Path):
    grey = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    assert len(analyzer.analyze(grey).faces) == 2


def test_a_turned_picture_is_read_as_its_exif_data_say(analyzer: EmotionAnalyzer, file: Path):
    lying = cv2.rotate(cv2.imread(str(file)), cv2.ROTATE_90_COUNTERCLOCKWISE)
    plain = cv2.imencode(".jpg", lying, (cv2.IMWRITE_JPEG_QUALITY, 98))[1].tobytes()
    # orientation 6: to be turned by 90 degrees clockwise
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + b"\0\0\0\0"
    turned = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
    event = analyzer.analyze(turned)
    assert (event.width, event.height) == (WIDTH_PX, HEIGHT_PX)
    assert len(event.faces) == 2


def test_the_callers_array_stays_as_it_is(analyzer: EmotionAnalyzer):
    pixels = drawn(1)[0].copy()
    before = pixels.copy()
    analyzer.analyze(pixels)
    assert pixels.flags.writeable
    assert (pixels == before).all()


def test_a_part_of_an_array_is_read_like_its_copy(analyzer: EmotionAnalyzer):
    pixels = np.zeros((HEIGHT_PX + 40, WIDTH_PX + 60, 3), np.uint8)
    pixels[20:-20, 30:-30] = drawn(1)[0]
    part = pixels[20:-20, 30:-30]
    assert not part.flags.c_contiguous
    assert seen(analyzer.analyze(part)) == seen(analyzer.analyze(part.copy()))


@pytest.mark.parametrize(
    ("image", "error", "said"),
    [
        (np.zeros((8, 8, 3), np.float32), TypeError, "float32"),
        (np.zeros((8, 8, 3), bool), TypeError, "bool"),
        (np.zeros((8, 8, 4), np.uint8), ValueError, "alpha"),
        (np.zeros((8,), np.uint8), ValueError, r"\(8,\)"),
        (np.zeros((0, 8, 3), np.uint8), ValueError, "shape"),
        (np.zeros((2, 8, 8, 3), np.uint8), ValueError, "shape"),
        (7, TypeError, "found int"),
        (None, TypeError, "found NoneType"),
        ("no/such/file.jpg", ConfigError, "no/such/file.jpg"),
        (b"", PermanentError, "0 bytes"),
        (b"hello, world", PermanentError, "no picture"),
        (bomb(), PermanentError, "3600.0 megapixels, expected 100 at most"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(
    analyzer: EmotionAnalyzer, image: object, error: type[Exception], said: str
):
    with pytest.raises(error, match=said):
        analyzer.analyze(image)  # type: ignore[arg-type]


def test_a_huge_picture_is_refused_before_it_is_decoded(analyzer: EmotionAnalyzer, monkeypatch: pytest.MonkeyPatch):
    decoded = []
    monkeypatch.setattr(cv2, "imdecode", lambda *_: decoded.append(1))
    with pytest.raises(PermanentError, match="megapixels"):
        analyzer.analyze(bomb())
    assert not decoded


def test_the_limit_of_pixels_is_the_callers(file: Path):
    with EmotionAnalyzer(max_megapixels=0.05) as small, pytest.raises(PermanentError, match="320×240"):
        small.analyze(file)


def test_a_picture_without_a_face_is_one_only_on_request(analyzer: EmotionAnalyzer):
    face = np.asarray(drawn(1)[0])
    box = analyzer.analyze(face).faces[0].box
    x, y, w, h = (round(share * side) for share, side in zip(box, (WIDTH_PX, HEIGHT_PX) * 2, strict=True))
    middle = face[y + h // 5 : y + h, x + w // 6 : x + w - w // 6]  # too little of it for a detector
    assert analyzer.analyze(middle).faces == ()
    assert message(analyzer.analyze(middle)) == "No face was found in the picture."
    event = analyzer.analyze(middle, whole=True, threshold=0.0)
    assert event.reason == "whole"
    assert [face.detector_score for face in event.faces] == [0.0]
    assert "its middle was taken as one" in message(event, 0.0)
    # where there is a face, the request changes nothing
    assert analyzer.analyze(face, whole=True) == analyzer.analyze(face)


def test_below_the_threshold_a_face_is_uncertain(analyzer: EmotionAnalyzer, file: Path):
    assert {face.label for face in analyzer.analyze(file, threshold=1.0).faces} == {"uncertain"}
    assert "uncertain" not in {face.label for face in analyzer.analyze(file, threshold=0.0).faces}
    with pytest.raises(ValueError, match=r"35 % is 0.35"):
        analyzer.analyze(file, threshold=35)


def test_the_threshold_of_live_does_not_count_here(file: Path):
    with EmotionAnalyzer(Config(expression=ExpressionConfig(threshold=1.0))) as strict:
        assert "uncertain" not in {face.label for face in strict.analyze(file, threshold=0.0).faces}


def face(label: str | None, doubt: str | None = None, **scores: float) -> FaceEvent:
    best = max(scores.values(), default=0.0)
    return FaceEvent(1, (0, 0, 1, 1), label, best, scores, None, None, 0.9, 0, 0.0, 0, doubt)


def test_messages_say_what_was_found_in_words():
    def said(*faces: FaceEvent) -> str:
        return message(SceneEvent(1, None, 0.0, "bytes", 8, 8, faces, True, "start", {}), 0.35)

    assert said(face("happy", happy=0.934)) == "Face 1: happy, 93 %."
    assert said(face("uncertain", sad=0.31, happy=0.2)) == (
        "Face 1: uncertain: no expression reaches 35 %; the likeliest is sad, 31 %."
    )
    assert said(face("uncertain", "blurred")) == "Face 1: not read, because it is too blurred."
    assert said(face("uncertain", "turned")) == "Face 1: not read, because it is turned too far to the side."
    assert said(face(None)) == "Face 1: not read."
    assert said(face("happy", happy=0.9), face("happy", happy=0.9)).count("\n") == 1


def test_the_annotated_picture_is_the_callers_own(analyzer: EmotionAnalyzer, file: Path):
    event, first = analyzer.annotate(file)
    assert first.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert (first != cv2.imread(str(file))).any()
    kept = first.copy()
    analyzer.annotate(np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8))
    assert (first == kept).all()
    assert event == analyzer.analyze(file)


def test_the_chips_are_what_the_classifier_saw(file: Path, monkeypatch: pytest.MonkeyPatch):
    from edge.classifier import ContractClassifier

    with EmotionAnalyzer() as own:
        seen_chips: list[np.ndarray] = []
        classify = ContractClassifier.classify

        def watched(self: ContractClassifier, *chips: np.ndarray) -> object:
            seen_chips.extend(chips[0])
            return classify(self, *chips)

        monkeypatch.setattr(ContractClassifier, "classify", watched)
        scene = own.scene(file)
        cut = own.chips(scene)
    assert len(cut) == len(seen_chips) == 2
    for (chip,) in cut.values():
        assert any(np.array_equal(chip, other) for other in seen_chips)


def test_a_closed_one_says_so(file: Path):
    closed = EmotionAnalyzer()
    closed.close()
    closed.close()
    with pytest.raises(PermanentError, match="closed"):
        closed.analyze(file)


def test_threads_may_share_one(analyzer: EmotionAnalyzer, file: Path):
    expected = analyzer.analyze(file)
    found: list[SceneEvent] = []
    threads = [threading.Thread(target=lambda: found.append(analyzer.analyze(file))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 6


def test_one_call_is_enough(analyzer: EmotionAnalyzer, file: Path):
    assert edge.analyze(file) == analyzer.analyze(file)
    with pytest.raises(AttributeError, match="nothing"):
        _ = edge.nothing


def test_import_edge_loads_next_to_nothing():
    code = "import sys, edge; print(sorted({'cv2', 'numpy', 'msgspec', 'edge.analyzer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
