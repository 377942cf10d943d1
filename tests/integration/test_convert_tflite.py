"""A float32 .tflite becomes int8 without TensorFlow; what cannot be taken is refused."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from convert.__main__ import main
from convert.graph import load_graph
from convert.quantize import Job, quantize
from convert.structure import check_exact
from convert.verify import verify
from edge.classifier import SHIPPED, TfliteClassifier
from edge.contract.card import read_card
from tests.training_fakes import fer_rows, write_fer

KIT = importlib.util.find_spec("ai_edge_quantizer")
needs_kit = pytest.mark.skipif(KIT is None, reason="ai-edge-quantizer is not installed: pip install '.[quantizer]'")
MAKER = importlib.util.find_spec("tensorflow")


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """280 made-up pictures."""
    return write_fer(tmp_path_factory.mktemp("data") / "fer.csv", fer_rows(210, 70))


@pytest.fixture(scope="module")
def float32(tmp_path_factory: pytest.TempPathFactory, csv: Path) -> Path:
    """A small network as a float32 .tflite with its card; committed nowhere, so made by TensorFlow."""
    if MAKER is None:
        pytest.skip("TensorFlow is not installed, which makes the float32 file")
    from tests.small_run import small_network, training_report
    from training.report import REPORT

    folder = tmp_path_factory.mktemp("float")
    small_network().save(folder / "model.keras")
    (folder / REPORT).write_bytes(msgspec.json.encode(training_report()))
    quantize(Job(folder / "model.keras", csv, folder / "float.tflite", mode="float32"))
    return folder / "float.tflite"


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main([str(word) for word in words]) == 78
    return capsys.readouterr().err


@needs_kit
def test_a_float_file_becomes_an_exact_int8_file_with_its_card(float32: Path, csv: Path, tmp_path: Path):
    result = quantize(Job(float32, csv, tmp_path / "int8.tflite"))
    content = (tmp_path / "int8.tflite").read_bytes()
    card, golden = read_card(content, "int8")
    before, _ = read_card(float32.read_bytes(), "float")
    assert all(finding.passed for finding in check_exact(load_graph(content, "int8")[1], card))
    assert {finding.what for finding in verify(tmp_path / "int8.tflite") if not finding.passed} <= {"delegation"}
    assert (card.labels, card.temperature, card.recipe) == (before.labels, before.temperature, before.recipe)
    assert card.quantisation.mode == "int8"
    assert golden.outputs.dtype == np.int8
    assert result.agreement >= 0.95
    assert result.activations
    model = schema.Model.GetRootAs(content)
    starts = [model.Buffers(at)._tab for at in range(model.BuffersLength()) if model.Buffers(at).DataLength()]
    assert all(table.Vector(table.Offset(4)) % 16 == 0 for table in starts), "kernels read weights in place"


@needs_kit
def test_both_quantisers_answer_alike(float32: Path, csv: Path, tmp_path: Path):
    made = [
        quantize(Job(model, csv, tmp_path / f"{model.suffix[1:]}.out.tflite"))
        for model in (float32, float32.with_name("model.keras"))
    ]
    assert made[0].card.quantisation.input_scale == made[1].card.quantisation.input_scale == 1
    one, other = (TfliteClassifier(tmp_path / f"{suffix}.out.tflite") for suffix in ("tflite", "keras"))
    chips = np.random.default_rng(0).integers(0, 256, (20, 48, 48, 1), np.uint8)
    np.testing.assert_allclose(np.stack(one.classify(chips)), np.stack(other.classify(chips)), atol=0.1)


@pytest.mark.skipif(KIT is not None, reason="ai-edge-quantizer is installed")
def test_without_the_package_the_message_names_it(
    float32: Path, csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    words = refused(capsys, "quantize", float32, "--data", csv, "--out", tmp_path / "x.tflite", "--cache", tmp_path)
    assert "takes the package ai-edge-quantizer" in words
    assert "'.[quantizer]'" in words
    assert not (tmp_path / "x.tflite").exists()


def test_what_is_int8_already_is_refused(csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = refused(capsys, "quantize", SHIPPED, "--data", csv, "--out", tmp_path / "x.tflite")
    assert "is int8 already; expected a float32 .tflite" in words


def test_other_modes_take_the_keras_model(float32: Path, csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    places = ("--data", csv, "--out", tmp_path / "x.tflite")
    assert "--mode float16 takes the Keras model" in refused(capsys, "quantize", float32, *places, "--mode", "float16")


@pytest.mark.parametrize("command", ["quantize", "verify"])
@pytest.mark.parametrize(("size", "words"), [(0, "carries no model card"), (20_000, "carries no model card")])
def test_empty_and_truncated_files_are_refused(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, size: int, words: str
):
    path = tmp_path / "cut.tflite"
    path.write_bytes(SHIPPED.read_bytes()[:size])
    more = ("--data", csv, "--out", tmp_path / "x.tflite") if command == "quantize" else ()
    assert words in refused(capsys, command, path, *more)


@pytest.mark.parametrize("command", ["quantize", "verify"])
def test_directories_and_files_that_cannot_be_read_are_refused(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
):
    more = ("--data", csv, "--out", tmp_path / "x.tflite") if command == "quantize" else ()
    (tmp_path / "folder.tflite").mkdir()
    assert "Is a directory" in refused(capsys, command, tmp_path / "folder.tflite", *more)

    def closed(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    # root reads everything, so that no file could be made unreadable for it
    monkeypatch.setattr(Path, "read_bytes", closed)
    assert "Permission denied; check the path" in refused(capsys, command, SHIPPED, *more)


def test_neither_command_loads_tensorflow_for_a_tflite():
    code = (
        "import sys, convert.quantize, convert.original, convert.verify, convert.report;"
        "print(sorted({'tensorflow', 'keras', 'torch', 'tensorboardX', 'sklearn'} & "
        "{name.split('.')[0] for name in sys.modules}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def without_numbers(path: Path, out: Path) -> Path:
    """The file with NaN in all its kernels."""
    content = path.read_bytes()
    loaded, graph = load_graph(content, path.name)
    for number in graph.kernels():
        kernel = loaded.interpreter.get_tensor(number)
        if kernel.dtype == np.float32 and kernel.size > 1:
            assert kernel.tobytes() in content
            content = content.replace(kernel.tobytes(), np.full_like(kernel, np.nan).tobytes())
    out.write_bytes(content)
    return out


def test_weights_that_are_no_numbers_do_not_pass_the_gate(
    float32: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["verify", str(without_numbers(float32, tmp_path / "nan.tflite"))]) == 1
    words = capsys.readouterr().out
    assert "FAILED  weights: found NaN or infinite values in " in words
    assert "does NOT answer as when it was made: 16 golden chips, with values that are no numbers" in words


def test_weights_that_are_no_numbers_are_not_quantised(
    float32: Path, csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    broken = without_numbers(float32, tmp_path / "nan.tflite")
    words = refused(capsys, "quantize", broken, "--data", csv, "--out", tmp_path / "x.tflite")
    assert "with values that are no numbers; the file is damaged" in words
    assert not (tmp_path / "x.tflite").exists()
