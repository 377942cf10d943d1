"""A trained model is measured, from Python and by the command line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import edge.classifier
from edge.contract.chip import ChipSpec
from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.training_fakes import RECIPES, fer_rows
from training.cli import main
from training.data.cache import sha256_of
from training.evaluate import evaluate
from training.fit import MODEL
from training.report import REPORT, read_report

pytest.importorskip("keras")

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("flip", [False, True])
def test_evaluating_the_model_file_gives_the_reports_figures(finished: Path, data: Path, flip: bool):
    found = evaluate(finished / MODEL, data, "PublicTest", flip=flip)
    expected = read_report(finished / REPORT).scores["report_flip" if flip else "report_calibrated"]
    assert found.scores.confusion == expected.confusion
    assert found.scores.nll == pytest.approx(expected.nll, rel=1e-5)


def test_the_command_line_measures_a_model(
    finished: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    figures = tmp_path / "new" / "figures.json"
    command = ["evaluate", str(finished / MODEL), "--data", str(data), "--cache", str(tmp_path), "--json", str(figures)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    written = json.loads(figures.read_text())
    assert f"accuracy {written['scores']['accuracy']:.4f}" in printed
    assert all(name in printed for name in FER2013_LABELS)
    assert written["scores"]["n"] == 42
    assert np.sum(written["scores"]["confusion"]) == 42
    assert written["data_sha256"] == sha256_of(data)
    low, high = written["scores"]["accuracy_interval"]
    assert low < written["scores"]["accuracy"] < high


def test_mistakes_of_the_user_end_with_78_and_say_what_to_do(
    finished: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    broken = tmp_path / "broken.csv"
    broken.write_text("emotion,pixels,Usage\n0,1 2 3,Training\n")
    recipe, model = str(RECIPES / "tiny.toml"), str(finished / MODEL)
    out = ["--cache", str(tmp_path), "--out", str(tmp_path / "out")]
    lone = tmp_path / "lone.keras"
    lone.write_bytes((finished / MODEL).read_bytes())
    for command, code, message in (
        (["fit", recipe, "--data", str(tmp_path / "absent.csv"), *out], 78, "no such file"),
        (["fit", str(tmp_path / "absent.toml"), "--data", str(data), *out], 78, "cannot read the recipe"),
        (["fit", recipe, "--data", str(broken), *out], 78, "broken.csv, line 2: 3 pixels; expected 2304"),
        (["evaluate", str(data), "--data", str(data)], 78, "expected a model file that ends in .keras or .tflite"),
        (["evaluate", str(tmp_path / "absent.keras"), "--data", str(data)], 78, "no such file; expected a model"),
        (["evaluate", str(lone), "--data", str(data)], 78, "expected the training report beside the model"),
        (["evaluate", model, "--data", str(data), "--split", "X", "--cache", str(tmp_path)], 78, "no split 'X'"),
    ):
        assert main(command) == code, command
        assert message in capsys.readouterr().err


def test_a_file_that_is_no_keras_model_is_refused(finished: Path, data: Path, tmp_path: Path):
    (tmp_path / MODEL).write_bytes(b"not a model")
    (tmp_path / REPORT).write_bytes((finished / REPORT).read_bytes())
    with pytest.raises(PermanentError, match="not a Keras model"):
        evaluate(tmp_path / MODEL, data, "PublicTest")


def test_a_tflite_model_is_measured_through_the_devices_classifier_labels_matched_by_name(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Mirror:
        """Knows every answer, in another order of the labels."""

        labels = tuple(reversed(FER2013_LABELS))

        def __init__(self, path: Path) -> None:
            self.card = type("Card", (), {"temperature": 1.5, "chip": ChipSpec()})()
            self.truth = {pixels.tobytes(): label for label, pixels, _ in fer_rows(train=170, public=42)}

        def classify(self, chips: np.ndarray) -> tuple[np.ndarray, ...]:
            names = [FER2013_LABELS[self.truth[chip.tobytes()]] for chip in chips]
            return tuple(np.eye(7, dtype=np.float32)[self.labels.index(name)] for name in names)

    monkeypatch.setattr(edge.classifier, "TfliteClassifier", Mirror)
    (tmp_path / "model.tflite").write_bytes(b"")
    found = evaluate(tmp_path / "model.tflite", data, "PublicTest")
    assert found.scores.accuracy == 1
    assert found.labels == FER2013_LABELS
    monkeypatch.setattr(Mirror, "labels", ("yes", "no"))
    with pytest.raises(ConfigError, match="knows yes, no, expected the data's labels angry"):
        evaluate(tmp_path / "model.tflite", data, "PublicTest")


def test_asking_for_help_loads_no_deep_learning_library():
    code = (
        "import sys, training.cli, training.fit, training.evaluate, training.networks, training.data;"
        "print(sorted({'tensorflow', 'keras', 'sklearn'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"
