"""The whole chain on tiny data: train, quantise, verify, classify; and what conversion refuses."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import msgspec
import numpy as np
import pytest

from convert import tflite
from convert.calibration import extremes, representative
from convert.golden import golden_chips
from convert.graph import load_graph
from convert.quantize import Job, quantize
from convert.report import document
from convert.structure import check_exact
from convert.verify import verify
from edge.classifier import TfliteClassifier
from edge.contract.card import read_card, with_card
from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.training_fakes import RECIPES, fer_rows, write_fer
from training.fit import Run, fit
from training.recipe import load_recipe
from training.reporting.document import markdown


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """280 made-up pictures."""
    return write_fer(tmp_path_factory.mktemp("data") / "fer.csv", fer_rows(210, 70))


@pytest.fixture(scope="module")
def job(csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A model trained for seconds, and what to make of it."""
    out = tmp_path_factory.mktemp("run")
    fit(Run(load_recipe(RECIPES / "tiny.toml"), csv, out, None, 1))
    return Job(out / "model.keras", csv, out / "tiny.tflite")


@pytest.fixture(scope="module")
def made(job: Job) -> Path:
    """The quantised file."""
    quantize(job)
    return job.out


def test_the_file_is_int8_in_and_out_for_one_chip_at_a_time(made: Path):
    content = made.read_bytes()
    _, graph = load_graph(content, made.name)
    assert all(finding.passed for finding in check_exact(graph, read_card(content, made.name)[0]))
    start, end = graph.tensors[graph.input], graph.tensors[graph.output]
    assert (start.shape, start.dtype, end.shape, end.dtype) == ((1, 48, 48, 1), "int8", (1, 7), "int8")
    assert (start.scale, start.zero_point) == (pytest.approx(1.0), -128)


def test_it_verifies_and_its_card_tells_its_story(made: Path):
    assert all(finding.passed for finding in verify(made))
    card, golden = read_card(made.read_bytes(), made.name)
    assert card.labels == FER2013_LABELS
    assert card.recipe["name"] == "tiny"
    assert card.recipe["settings"]["optimiser"]["epochs"] == 3
    assert card.figures["PublicTest"]["n"] == 70
    assert len(golden.chips) == 16


def test_int8_answers_as_float_does(job: Job, made: Path):
    card, _ = read_card(made.read_bytes(), made.name)
    figures = card.figures["PublicTest"]
    assert figures["agreement"] >= 0.9
    model = keras.models.load_model(job.model, compile=False)
    chips = golden_chips(48, 1)
    logits = model.predict(chips.astype(np.float32), verbose=0)
    classifier = TfliteClassifier(made)
    int8 = np.stack([classifier.real(classifier.raw(chip)) for chip in chips])
    steps = np.abs(int8 - logits) / card.quantisation.output_scale
    assert np.median(steps) <= 4, "quantisation steps"


def test_a_fresh_process_makes_the_same_bytes(job: Job, made: Path, tmp_path: Path):
    out = tmp_path / "again.tflite"
    command = [sys.executable, "-m", "convert", "quantize", str(job.model), "--data", str(job.data), "--out", str(out)]
    again = [subprocess.run([*command, "--cache", str(tmp_path)], capture_output=True, text=True, check=True)]
    first = out.read_bytes()
    again.append(subprocess.run([*command, "--cache", str(tmp_path)], capture_output=True, text=True, check=True))
    assert out.read_bytes() == first
    assert "accuracy on PublicTest" in again[0].stdout
    report = out.with_suffix(".report.md").read_text()
    assert "| accuracy |" in report
    figures = msgspec.json.decode(out.with_suffix(".report.json").read_bytes())
    assert f"{figures['int8_scores']['accuracy']:.4f} int8" in again[0].stdout


def test_the_report_shows_both_side_by_side(job: Job, tmp_path: Path):
    result = quantize(replace(job, out=tmp_path / "x.tflite"))
    text = markdown(document(result, "x.tflite", "x.report"))
    assert f"{result.float_scores.accuracy:.4f} | {result.int8_scores.accuracy:.4f}" in text
    assert result.sha256 in text
    assert text.count("| angry |") >= 2


def test_calibration_is_balanced_seeded_and_holds_both_extremes():
    labels = np.repeat(np.arange(3), [100, 20, 5])
    chips = np.random.default_rng(0).integers(90, 160, (125, 48, 48, 1), np.uint8)
    chosen = representative(chips, labels, 3, seed=1, per_class=20)
    assert len(chosen) == 1 + 20 + 20 + 5
    assert (chosen.min(), chosen.max()) == (0, 255)
    np.testing.assert_array_equal(chosen, representative(chips, labels, 3, seed=1, per_class=20))
    assert not np.array_equal(chosen, representative(chips, labels, 3, seed=2, per_class=20))


def test_a_class_without_a_chip_is_refused():
    with pytest.raises(ConfigError, match="no calibration chip of class 2"):
        representative(np.zeros((4, 48, 48, 1), np.uint8), np.array([0, 0, 1, 1]), 3, seed=1)


def test_without_the_extremes_the_input_saturates_and_is_refused(job: Job, monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr(
        "convert.calibration.extremes", lambda size, channels: np.full((1, size, size, channels), 99, "u1")
    )
    monkeypatch.setattr("convert.quantize.representative", lambda chips, *_: np.clip(chips[:100], 50, 199))
    out = tmp_path / "x.tflite"
    with pytest.raises(PermanentError, match="must hold both 0 and 255"):
        quantize(replace(job, out=out))
    assert not out.exists()


def test_calibration_divided_by_255_is_refused(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("convert.quantize.representative", lambda chips, *_: chips[:100] // 255)
    with pytest.raises(PermanentError, match="was not quantised exactly"):
        quantize(replace(job, out=tmp_path / "x.tflite"))


def test_a_model_of_another_task_is_refused(tmp_path: Path, job: Job):
    other = keras.Sequential([keras.Input((10,)), keras.layers.Dense(2)])
    path = tmp_path / "other.keras"
    other.save(path)
    shutil.copy(job.model.with_name("report.json"), tmp_path)
    with pytest.raises(ConfigError, match=r"expected one input \(N, S, S, C\)"):
        quantize(replace(job, model=path))


@pytest.mark.parametrize(
    ("name", "words"), [("none.keras", "there is no model"), ("text.keras", "is not a Keras model")]
)
def test_a_missing_or_broken_model_is_refused(tmp_path: Path, job: Job, name: str, words: str):
    (tmp_path / "text.keras").write_text("not a model")
    with pytest.raises(ConfigError, match=words):
        quantize(replace(job, model=tmp_path / name))


def test_a_model_without_its_training_report_is_refused(tmp_path: Path, job: Job):
    alone = shutil.copy(job.model, tmp_path / "alone.keras")
    with pytest.raises(ConfigError, match="training report beside the model"):
        quantize(replace(job, model=Path(alone)))


def test_data_without_the_split_is_refused(tmp_path: Path, job: Job):
    csv = write_fer(tmp_path / "train.csv", fer_rows(70, 0))
    with pytest.raises(ConfigError, match="no split 'PublicTest', it has Training"):
        quantize(replace(job, data=csv))


def test_weights_lost_after_the_golden_chips_were_made_are_found(made: Path, tmp_path: Path, job: Job):
    card, golden = read_card(made.read_bytes(), made.name)
    model = keras.models.load_model(job.model, compile=False)
    chips = representative(golden.chips, np.zeros(16, np.int64), 1, seed=1)
    model.layers[-1].set_weights([w * 0 for w in model.layers[-1].get_weights()])
    empty = tflite.to_int8(model, chips)
    _, graph = load_graph(empty, "empty")
    end = graph.tensors[graph.output]
    ends = {"output_scale": end.scale, "output_zero_point": end.zero_point}
    card = msgspec.structs.replace(card, quantisation=msgspec.structs.replace(card.quantisation, **ends))
    path = tmp_path / "empty.tflite"
    path.write_bytes(with_card(empty, card, golden))
    findings = {finding.what.split(" (")[0]: finding.passed for finding in verify(path)}
    assert findings["golden chips"] is False


def test_the_extremes_reach_from_black_to_white():
    chip = extremes(48, 3)
    assert chip.shape == (1, 48, 48, 3)
    assert (chip.min(), chip.max()) == (0, 255)


def test_the_command_says_what_is_wrong_and_returns_its_code(made: Path, tmp_path: Path):
    def convert(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "convert", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        return result.returncode, result.stdout + result.stderr

    code, output = convert("verify", str(made))
    assert code == 0, output
    assert output.startswith("passed  card: ")
    assert "FAILED" not in output
    code, output = convert("verify", str(tmp_path / "none.tflite"))
    assert code == 78
    assert "cannot read the model" in output
