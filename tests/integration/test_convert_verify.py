"""The gate before a device: a sound file passes, and each planted fault is found."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from convert.verify import Question, Verdict, judge, verify
from edge.classifier import SHIPPED
from edge.contract.card import read_card, with_card
from edge.contract.labels import FER2013_LABELS
from tests.sound_file import (
    PUBLIC,
    bare,
    carded,
    code_and_words,
    converted,
    failed,
    pixels,
    solved,
    with_figures,
)
from tests.training_fakes import fer_rows, noise_chips, real_fer2013

keras = pytest.importorskip("keras")


@pytest.fixture
def faulty(sound: Question, tmp_path: Path) -> Callable[[bytes], Path]:
    """Puts the sound file's card behind another model."""
    card, _ = read_card(sound.model.read_bytes(), "")
    return lambda content: carded(content, card, tmp_path / "faulty.tflite")


REAL = 350


def test_a_sound_file_passes_with_and_without_pictures(sound: Question, against: Path):
    assert failed(verify(sound.model)) == set()
    for question in (sound, replace(sound, against=against)):
        verdict = judge(question)
        assert failed(verdict) == set()
        assert verdict.passed
        assert verdict.scores["int8"].accuracy > 0.9, "the test's network has to know its classes"
    assert verdict.comparison.n == PUBLIC
    assert [drop.label for drop in verdict.recall] == list(FER2013_LABELS)


def test_a_batchnorm_that_was_not_folded_is_found(faulty: Callable[[bytes], Path]):
    chips, _ = pixels(fer_rows(35, 0))
    chips[0, 0, :2, 0] = 0, 255
    assert failed(verify(faulty(converted(solved(normalised=True), chips)))) == {"BatchNorm"}


def test_calibration_on_noise_is_found_by_pictures_alone(
    model: Any, sound: Question, against: Path, faulty: Callable[[bytes], Path]
):
    path = faulty(converted(model, noise_chips(30)))
    assert failed(verify(path)) == set(), "its input is exact and its golden chips were made after the fault"
    assert {"probabilities", "ECE"} <= failed(judge(replace(sound, model=path, against=against)))
    assert {"clipping", "ece by the card"} <= failed(judge(replace(sound, model=path)))
    anew = with_figures(replace(sound, model=path), path.with_name("anew.tflite"))
    assert failed(judge(replace(sound, model=anew))) == {"clipping"}, "its card may well have been made after the fault"


def test_calibration_on_grey_pictures_costs_accuracy_and_recall(
    model: Any, sound: Question, against: Path, faulty: Callable[[bytes], Path]
):
    grey = np.random.default_rng(0).normal(128, 3, (30, 48, 48, 1)).round()
    grey[0, 0, :2, 0] = 0, 255
    path = faulty(converted(model, grey))
    found = failed(judge(replace(sound, model=path, against=against)))
    assert {"probabilities", "agreement", "accuracy", "macro-F1"} <= found
    assert any(what.startswith("recall of") for what in found)
    assert "accuracy by the card" in failed(judge(replace(sound, model=path)))


def test_calibration_scaled_twice_is_found_without_pictures(model: Any, faulty: Callable[[bytes], Path]):
    chips, _ = pixels(fer_rows(35, 0))
    found = failed(verify(faulty(converted(model, chips / 255 / 255))))
    assert {"input scale", "answers to the golden chips differ"} <= found


def test_permuted_labels_are_found(sound: Question, against: Path, recarded: Callable[..., Path]):
    labels = (*FER2013_LABELS[1:], FER2013_LABELS[0])
    path = recarded(labels=labels)
    assert failed(verify(path)) == set(), "nothing but pictures or the training report can tell"
    assert "accuracy by the card" in failed(judge(replace(sound, model=path)))
    assert {"labels", "agreement", "accuracy"} <= failed(judge(replace(sound, model=path, against=against)))


def test_lost_weights_are_found_though_the_golden_chips_were_made_later(
    sound: Question, faulty: Callable[[bytes], Path]
):
    empty = solved()
    empty.get_layer("logits").set_weights([values * 0 for values in empty.get_layer("logits").get_weights()])
    chips, _ = pixels(fer_rows(35, 0))
    path = faulty(converted(empty, chips))
    assert {"weights", "answers to the golden chips differ"} <= failed(verify(path))
    assert "answers differ" in failed(judge(replace(sound, model=path)))


def test_an_open_batch_is_found(model: Any, faulty: Callable[[bytes], Path]):
    chips, _ = pixels(fer_rows(35, 0))
    chips[0, 0, :2, 0] = 0, 255
    findings = verify(faulty(converted(model, chips, batch=None)))
    shape = next(finding for finding in findings if finding.what == "input shape")
    assert not shape.passed
    assert "(-1, 48, 48, 1)" in shape.line()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"temperature": 2.0}, "temperature"),
        ({"recipe": {"name": "another", "settings": {}}}, "origin"),
    ],
)
def test_a_card_that_tells_of_another_training_is_found(
    sound: Question, against: Path, recarded: Callable[..., Path], changes: dict[str, Any], what: str
):
    assert what in failed(judge(replace(sound, model=recarded(**changes), against=against)))


def test_the_command_prints_a_line_for_each_finding_and_writes_json(
    sound: Question, against: Path, recarded: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    options = ["--data", sound.data, "--cache", tmp_path / "cache", "--json", tmp_path / "out.json"]
    code, words = code_and_words(capsys, sound.model, "--against", against, *options)
    verdict = msgspec.json.decode((tmp_path / "out.json").read_bytes(), type=Verdict)
    assert code == 0
    assert verdict.passed
    assert words.count("passed  ") == len(verdict.findings)
    assert "+0.00 points" in words
    assert "-0.00" not in words
    code, words = code_and_words(capsys, recarded(labels=FER2013_LABELS[::-1]), "--against", against, *options)
    assert code == 1
    assert "FAILED  accuracy: found " in words
    assert "expected a drop of at most 0.5 points" in words
    assert not msgspec.json.decode((tmp_path / "out.json").read_bytes(), type=Verdict).passed


def test_the_limits_are_what_was_asked_for(sound: Question, against: Path, recarded: Callable[..., Path], capsys):
    options = ["--data", sound.data, "--against", against, "--max-accuracy-drop", 100, "--max-recall-drop", 100]
    _, words = code_and_words(capsys, recarded(labels=FER2013_LABELS[::-1]), *options)
    assert "passed  accuracy: " in words
    assert "FAILED  recall of" not in words
    assert "FAILED  labels" in words
    with pytest.raises(SystemExit):
        code_and_words(capsys, sound.model, "--max-accuracy-drop", "-1")


def test_the_shipped_model_measures_as_its_card_says_and_permuted_labels_are_found(tmp_path: Path):
    with gzip.open(real_fer2013(), "rt") as file:
        head, *lines = (line for number, line in enumerate(file) if not number or ",PublicTest" in line)
    data = tmp_path / "some.csv"
    data.write_text(head + "".join(lines[:REAL]))
    question = Question(SHIPPED, data=data)
    question = replace(question, model=with_figures(question, tmp_path / "shipped.tflite"))
    verdict = judge(question)
    assert failed(verdict) == set()
    assert 0.55 < verdict.scores["int8"].accuracy < 0.8
    content = question.model.read_bytes()
    card, golden = read_card(content, "")
    permuted = msgspec.structs.replace(card, labels=card.labels[::-1])
    question.model.write_bytes(with_card(bare(content), permuted, golden))
    assert "accuracy by the card" in failed(judge(question))
