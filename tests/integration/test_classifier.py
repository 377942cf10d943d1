"""The production adapter on the real model, and on files that are not what they should be."""

import io
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.classifier import SHIPPED, TfliteClassifier
from edge.config import ExpressionConfig
from edge.contract.card import (
    CARD_NAME,
    GOLDEN_CHIPS_NAME,
    GOLDEN_OUTPUTS_NAME,
    Golden,
    ModelCard,
    read_card,
    with_card,
)
from edge.contract.labels import FER2013_LABELS
from edge.errors import PermanentError
from edge.golden import replay
from edge.parts import build_classifier


def parts() -> tuple[bytes, ModelCard, Golden]:
    """The shipped file: the bare model, its card, its golden chips."""
    content = SHIPPED.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = min(info.header_offset for info in archive.infolist())
    return content[:start], *read_card(content, SHIPPED.name)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def classifier() -> TfliteClassifier:
    return TfliteClassifier()


def test_the_shipped_model_is_small_and_knows_the_seven_expressions(classifier: TfliteClassifier):
    assert SHIPPED.stat().st_size <= 800_000
    assert classifier.labels == FER2013_LABELS
    assert classifier.card.chip.size == 48


def test_its_golden_chips_answer_as_when_it_was_made(classifier: TfliteClassifier):
    result = replay(classifier)
    assert result.chips == 16
    assert result.passed, result.text()


def test_golden_chips_hold_both_extremes_and_lead_to_different_answers(classifier: TfliteClassifier):
    golden = classifier.golden
    assert (golden.chips.min(), golden.chips.max()) == (0, 255)
    assert len(np.unique(golden.outputs, axis=0)) > 8, "a model that answers the same to everything would pass"


def test_scores_are_probabilities_that_cannot_be_written_to(classifier: TfliteClassifier):
    scores = classifier.classify(classifier.golden.chips[:3])
    assert len(scores) == 3
    for row in scores:
        assert row.dtype == np.float32
        assert row.shape == (7,)
        assert row.sum() == pytest.approx(1, abs=1e-5)
        assert not row.flags.writeable


def test_a_chip_is_quantised_by_flipping_one_bit(classifier: TfliteClassifier):
    assert classifier._flip
    chips = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal((chips ^ np.uint8(0x80)).view(np.int8), classifier._table)


def test_the_same_chip_gives_the_same_answer_alone_and_in_company(classifier: TfliteClassifier):
    chips = classifier.golden.chips
    together = classifier.classify(chips)
    np.testing.assert_array_equal(classifier.classify(chips[5:6])[0], together[5])


def test_the_card_can_be_read_by_any_unzip():
    with zipfile.ZipFile(SHIPPED) as archive:
        assert {CARD_NAME, GOLDEN_CHIPS_NAME, GOLDEN_OUTPUTS_NAME} <= set(archive.namelist())
        assert msgspec.json.decode(archive.read(CARD_NAME))["labels"] == list(FER2013_LABELS)


def test_card_and_model_come_apart_and_together_again_byte_for_byte():
    model, card, golden = parts()
    assert model[4:8] == b"TFL3"
    assert with_card(model, card, golden) == SHIPPED.read_bytes()


def test_the_cards_figures_say_what_int8_costs(classifier: TfliteClassifier):
    figures = classifier.card.figures["PublicTest"]
    assert figures["n"] == 3589
    assert figures["int8"]["accuracy"] >= 0.64
    assert abs(figures["int8"]["accuracy"] - figures["float"]["accuracy"]) <= 0.01


def test_no_such_file(tmp_path: Path):
    with pytest.raises(PermanentError, match=r"cannot read the model .*none\.tflite: No such file"):
        TfliteClassifier(tmp_path / "none.tflite")


def test_a_text_file_is_no_model(tmp_path: Path):
    with pytest.raises(PermanentError, match="is not a TFLite model: found b'hello wo'"):
        TfliteClassifier(written(tmp_path, b"hello world, this is a text"))


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_a_truncated_model_is_refused_by_every_runtime_with_its_reason(tmp_path: Path, share: float):
    model, _, _ = parts()
    with pytest.raises(PermanentError, match=r"no TFLite runtime can run .*ai-edge-litert: |carries no model card"):
        TfliteClassifier(written(tmp_path, model[: int(len(model) * share)]))


def test_a_model_without_a_card_is_refused(tmp_path: Path):
    model, _, _ = parts()
    with pytest.raises(PermanentError, match="carries no model card"):
        TfliteClassifier(written(tmp_path, model))


def test_a_card_that_is_no_card_is_refused(tmp_path: Path):
    model, _, _ = parts()
    tail = io.BytesIO(model)
    with zipfile.ZipFile(tail, "a") as archive:
        archive.writestr(CARD_NAME, b'{"labels": "all of them"}')
        archive.writestr(GOLDEN_CHIPS_NAME, b"")
        archive.writestr(GOLDEN_OUTPUTS_NAME, b"")
    with pytest.raises(PermanentError, match=r"card of .* is broken"):
        TfliteClassifier(written(tmp_path, tail.getvalue()))


def test_another_number_of_outputs_than_labels_is_refused(tmp_path: Path):
    model, card, golden = parts()
    lying = msgspec.structs.replace(card, labels=card.labels[:5])
    with pytest.raises(PermanentError, match="number of outputs is 7, its card says 5"):
        TfliteClassifier(written(tmp_path, with_card(model, lying, golden)))


def test_another_chip_size_than_the_tensors_is_refused(tmp_path: Path):
    model, card, golden = parts()
    lying = msgspec.structs.replace(card, chip=msgspec.structs.replace(card.chip, size=64))
    with pytest.raises(PermanentError, match=r"input shape is \(1, 48, 48, 1\), its card says \(1, 64, 64, 1\)"):
        TfliteClassifier(written(tmp_path, with_card(model, lying, golden)))


def test_another_quantisation_than_the_tensors_is_refused(tmp_path: Path):
    model, card, golden = parts()
    lying = msgspec.structs.replace(card, quantisation=msgspec.structs.replace(card.quantisation, input_scale=1 / 255))
    with pytest.raises(PermanentError, match="input scale is 1"):
        TfliteClassifier(written(tmp_path, with_card(model, lying, golden)))


def test_a_model_that_answers_otherwise_than_its_golden_outputs_does_not_pass(tmp_path: Path):
    model, card, golden = parts()
    other = Golden(golden.chips, golden.outputs[:, ::-1].copy())
    result = replay(TfliteClassifier(written(tmp_path, with_card(model, card, other))))
    assert not result.passed
    assert result.flipped > 0
    assert "does NOT answer" in result.text()


def test_a_face_detector_is_not_an_expression_model():
    from edge import model_store

    path = model_store.find("face_detection_short_range.tflite")
    if path is None:
        pytest.skip("the face detectors are not here: emotion-edge models fetch")
    with pytest.raises(PermanentError, match="carries no model card"):
        TfliteClassifier(path)


def test_a_model_with_a_hole_is_refused(tmp_path: Path):
    content = SHIPPED.read_bytes()
    for start in range(100_000, 700_000, 100_000):  # weights here, the graph's own tables there
        path = tmp_path / f"hole-{start}.tflite"
        path.write_bytes(content[:start] + bytes(20_000) + content[start + 20_000 :])
        with pytest.raises(PermanentError, match=r"does NOT answer as when it was made|damaged|not a|cannot"):
            build_classifier(ExpressionConfig(model=str(path)))


def test_a_model_that_loads_but_cannot_run_is_refused(monkeypatch: pytest.MonkeyPatch):
    classifier = TfliteClassifier()

    def broken(chip: np.ndarray) -> np.ndarray:
        raise RuntimeError("Input tensor 10 lacks data")

    monkeypatch.setattr(classifier, "raw", broken)
    with pytest.raises(PermanentError, match=r"cannot be run .*tensor 10 lacks data.*convert it again"):
        replay(classifier)
