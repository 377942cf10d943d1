"""The doctor on models and detectors."""

import base64
import hashlib
import os
from pathlib import Path

import cv2
import pytest
from msgspec.structs import replace

from edge import model_store
from edge.classifier import SHIPPED
from edge.contract.card import Golden, read_card, with_card
from edge.doctor import detectors, models
from edge.doctor.findings import Finding
from edge.doctor.world import World
from tests.doctoring import installed, machine, told
from tests.tiny_models import without_card


def configured(folder: Path, text: str) -> World:
    """A machine whose configuration says so."""
    file = folder / "config.toml"
    file.write_text(text)
    return machine(folder, config=str(file))


def with_model(folder: Path, content: bytes, more: str = "") -> tuple[Finding, ...]:
    """What is found of a model file."""
    path = folder / "model.tflite"
    path.write_bytes(content)
    return tuple(models.check(configured(folder, f'[expression]\nmodel = "{path}"\n{more}')))


def shipped(factor: int = 1, **changes: object) -> bytes:
    """The model that comes with the program, with another card and other golden answers."""
    content = SHIPPED.read_bytes()
    card, golden = read_card(content, "shipped")
    outputs = (golden.outputs.astype(int) // factor).astype(golden.outputs.dtype)
    return with_card(without_card(content), replace(card, **changes), Golden(golden.chips, outputs))


def test_the_shipped_model_is_well(tmp_path: Path) -> None:
    finding = told(models.check(machine(tmp_path)), "model-ok")
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest()[:12] in finding.found
    assert "answers as when it was made" in finding.found


def test_a_model_that_is_not_there_is_found(tmp_path: Path) -> None:
    world = configured(tmp_path, '[expression]\nmodel = "/nowhere/best.tflite"\n')
    assert told(models.check(world), "model-missing").expected == "a .tflite at /nowhere/best.tflite"


def test_a_file_that_is_no_model_is_found(tmp_path: Path) -> None:
    finding = told(with_model(tmp_path, b"no model at all"), "model-refused")
    assert "is not a TFLite model" in finding.found


def test_a_model_that_contradicts_its_card_is_found(tmp_path: Path) -> None:
    labels = ("one", "two")
    finding = told(with_model(tmp_path, shipped(labels=labels)), "model-refused")
    assert "model.tflite" in finding.found


def test_a_model_that_answers_its_golden_chips_otherwise_is_found(tmp_path: Path) -> None:
    finding = told(with_model(tmp_path, shipped(factor=2)), "model-answers-otherwise")
    assert "does NOT answer as when it was made" in finding.found
    assert finding.command.endswith(f"models verify {tmp_path}/model.tflite")


CONTRACT = """[expression.contract]
labels = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
output = "logits"
offset = 0.0
"""


def test_a_model_under_a_contract_is_noted_as_unproven(tmp_path: Path) -> None:
    (finding,) = with_model(tmp_path, without_card(SHIPPED.read_bytes()), f"{CONTRACT}scale = 1.0\n")
    assert finding == told([finding], "model-without-card")


def test_a_model_whose_pixels_are_scaled_once_too_often_is_doubted(tmp_path: Path) -> None:
    findings = with_model(tmp_path, without_card(SHIPPED.read_bytes()), f"{CONTRACT}scale = 0.00392157\n")
    assert "one scaling too many" in told(findings, "model-doubtful").found


@pytest.mark.parametrize(("change", "altered"), [(b"", False), (b"!", True)])
def test_a_shipped_model_that_is_not_the_installed_one_is_found(tmp_path: Path, change: bytes, altered: bool) -> None:
    digest = base64.urlsafe_b64encode(hashlib.sha256(SHIPPED.read_bytes() + change).digest()).decode().rstrip("=")
    metadata = installed(tmp_path / "packages", "emotion-edge", "0.1.0")
    (metadata / "RECORD").write_text(f"{SHIPPED},sha256={digest},1\n")
    findings = tuple(models.check(machine(tmp_path)))
    told(findings, "model-ok")
    if altered:
        assert "not what was installed" in told(findings, "model-altered").found
    else:
        assert len(findings) == 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where detectors are looked for; empty."""
    models = tmp_path / "models"
    models.mkdir()
    monkeypatch.setenv(model_store.DIRECTORY_VARIABLE, str(models))
    return models


def test_detectors_that_were_not_fetched_are_a_warning_as_the_cascade_serves(tmp_path: Path, folder: Path) -> None:
    finding = told(detectors.check(machine(tmp_path)), "detectors-missing")
    assert "face_detection_full_range.tflite" in finding.found
    assert finding.command.endswith("emotion-edge models fetch")


def test_a_detector_that_is_named_and_has_no_file_is_a_fault(tmp_path: Path, folder: Path) -> None:
    world = configured(tmp_path, '[detector]\nname = "blazeface-sparse"\n')
    assert "face_detection_full_range_sparse.tflite" in told(detectors.check(world), "detector-missing").found


def test_a_detector_that_is_not_the_published_one_is_found(tmp_path: Path, folder: Path) -> None:
    (folder / "face_detection_short_range.tflite").write_bytes(b"half a download")
    finding = told(detectors.check(machine(tmp_path)), "detector-damaged")
    assert "has SHA-256" in finding.found


def test_a_detector_that_cannot_be_loaded_is_found(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    world = configured(tmp_path, '[detector]\nname = "haar"\n')
    assert "has no Haar cascades" in told(detectors.check(world), "detector-unusable").found


def test_a_detector_that_works_is_well(tmp_path: Path, folder: Path) -> None:
    world = configured(tmp_path, '[detector]\nname = "haar"\n')
    assert "haar" in told(detectors.check(world), "detectors-ok").found


def test_with_all_files_the_default_detector_is_well(tmp_path: Path) -> None:
    if any(model_store.find(file.name) is None for file in model_store.CATALOGUE):
        reason = "the face detectors are not here: emotion-edge models fetch"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    assert "blazeface-full" in told(detectors.check(machine(tmp_path)), "detectors-ok").found
