"""Each mode of conversion on a tiny model: what the file is, what its card says, and that the device runs it."""

import io
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import msgspec
import numpy as np
import pytest
import tensorflow as tf

from convert import __main__ as command
from convert.activations import worst_activations
from convert.golden import golden_chips
from convert.graph import Graph, load_graph
from convert.inspection import ModelFacts
from convert.quantize import Job, Result, quantize
from convert.report import document
from convert.structure import check_exact
from convert.tflite import to_tflite
from edge.classifier import TfliteClassifier
from edge.contract.card import Golden, Mode, ModelCard, read_card, with_card
from edge.errors import PermanentError
from edge.golden import replay
from tests.small_run import small_job
from training import learner
from training.reporting.document import markdown

MODES: tuple[Mode, ...] = ("int8", "int8-float-io", "float16", "dynamic", "float32")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A trained model with its report, and made-up pictures."""
    return small_job(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def results(job: Job) -> dict[Mode, Result]:
    """The model in each mode."""
    return {mode: quantize(replace(job, out=file_of(job, mode), mode=mode)) for mode in MODES}


def parts(path: Path) -> tuple[bytes, ModelCard, Golden]:
    """The bare model, its card, its golden chips."""
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = min(info.header_offset for info in archive.infolist())
    return content[:start], *read_card(content, path.name)


def file_of(job: Job, mode: Mode) -> Path:
    return job.out.with_name(f"{mode}.tflite")


def broken(graph: Graph, card: ModelCard) -> set[str]:
    """What is not as in a file of the card's mode."""
    return {finding.what for finding in check_exact(graph, card) if not finding.passed}


@pytest.mark.parametrize(
    ("mode", "end", "weights"),
    [
        ("int8", "int8", "int8"),
        ("int8-float-io", "float32", "int8"),
        ("float16", "float32", "float16"),
        ("dynamic", "float32", "int8"),
        ("float32", "float32", "float32"),
    ],
)
def test_the_file_is_what_its_card_says(job: Job, results: dict[Mode, Result], mode: Mode, end: str, weights: str):
    content = file_of(job, mode).read_bytes()
    found = results[mode].facts
    card, golden = read_card(content, mode)
    said = card.quantisation
    assert broken(load_graph(content, mode)[1], card) == set()
    assert (found.input.dtype, found.output.dtype, card.input.dtype, golden.outputs.dtype.name) == (end,) * 4
    assert weights in found.weights
    assert found.input.shape == (1, 48, 48, 1)
    assert said.mode == mode
    assert set(card.figures["PublicTest"]) == {"n", "pictures", "float", mode, "agreement"}
    if mode in ("int8", "int8-float-io"):
        assert (said.input_scale, said.input_zero_point) == (pytest.approx(1.0), -128)
        assert said.output_scale > 0
        assert said.calibration_chips == 7 * 30 + 1
        assert said.calibration == "Training, class-balanced, seed 1, with one chip of 0..255"
    else:
        assert (said.input_scale, said.output_scale, said.calibration_chips) == (0, 0, 0)
        assert said.calibration.startswith("none; ")


@pytest.mark.parametrize("mode", MODES)
def test_the_device_runs_it_and_answers_as_the_keras_model(job: Job, results: dict[Mode, Result], mode: Mode):
    classifier = TfliteClassifier(file_of(job, mode))
    assert replay(classifier).passed, replay(classifier).text()
    assert results[mode].agreement >= 0.95
    chips = golden_chips(48, 1)
    logits = learner.logits_of(keras.models.load_model(job.model, compile=False), chips)
    found = np.stack([classifier.real(classifier.raw(chip)) for chip in chips])
    span = float(np.ptp(logits))
    shares = {"int8": 0.1, "int8-float-io": 0.1, "float16": 0.005, "dynamic": 0.1, "float32": 1e-5}
    assert np.abs(found - logits).max() <= shares[mode] * span
    scaled = np.exp((found - found.max(axis=1, keepdims=True)) / 1.5)
    expected = scaled / scaled.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.stack(classifier.classify(chips)), expected, atol=1e-5)


def test_int8_answers_alike_with_float_ends(job: Job, results: dict[Mode, Result]):
    plain, behind_floats = (TfliteClassifier(file_of(job, mode)) for mode in ("int8", "int8-float-io"))
    for chip in golden_chips(48, 1):
        np.testing.assert_allclose(plain.real(plain.raw(chip)), behind_floats.raw(chip), atol=1e-6)


def test_fewer_bits_make_smaller_files(results: dict[Mode, Result]):
    sizes = {mode: result.size_b for mode, result in results.items()}
    assert sizes["int8"] < sizes["float16"] < sizes["float32"]
    assert sizes["dynamic"] < sizes["float32"]


@pytest.mark.parametrize("mode", MODES)
def test_golden_chips_find_weights_that_changed(job: Job, results: dict[Mode, Result], mode: Mode, tmp_path: Path):
    content, card, golden = parts(file_of(job, mode))
    changed = golden.outputs.copy()
    changed[3] = changed[3][::-1]
    path = tmp_path / "changed.tflite"
    path.write_bytes(with_card(content, card, Golden(golden.chips, changed)))
    assert not replay(TfliteClassifier(path)).passed


@pytest.mark.parametrize(
    ("mode", "said", "words"),
    [
        ("float32", "int8", "input of a int8 model being float32 is True, its card says False"),
        ("int8", "dynamic", "output of a dynamic model being float32 is False, its card says True"),
    ],
)
def test_a_card_of_another_mode_is_refused(
    job: Job, results: dict[Mode, Result], mode: Mode, said: Mode, words: str, tmp_path: Path
):
    content, card, golden = parts(file_of(job, mode))
    path = tmp_path / "lying.tflite"
    lying = msgspec.structs.replace(card, quantisation=msgspec.structs.replace(card.quantisation, mode=said))
    path.write_bytes(with_card(content, lying, golden))
    with pytest.raises(PermanentError, match=words):
        TfliteClassifier(path)


def test_a_file_is_not_taken_for_one_of_another_mode(job: Job, results: dict[Mode, Result]):
    for mode in results:
        _, graph = load_graph(file_of(job, mode).read_bytes(), mode)
        for other, result in results.items():
            # float32 is what the others are not: all float files have some such weights
            if other not in (mode, "float32"):
                assert broken(graph, result.card), f"a {mode} file passes as {other}"


def test_the_report_states_what_was_folded_and_what_joins(results: dict[Mode, Result]):
    for mode, result in results.items():
        text = markdown(document(result, "x.tflite", "x.report"))
        assert (
            "normalisations: none in the graph, nor arithmetic left of one: all folded into the convolutions; " in text
        )
        assert "the Keras model had 1" in text
        assert "branches: operators that read two activations or more: 1, as skip connections do" in text
        assert ("float32 [1, 48, 48, 1], inside of it int8, scale 1, zero point -128" in text) is (
            mode == "int8-float-io"
        )
        assert ("The activations that quantise worst" in text) is (mode in ("int8", "int8-float-io"))
    assert "| accuracy |" in markdown(document(results["float32"], "x.tflite", "x.report"))


def network_with(layer: keras.layers.Layer) -> keras.Model:
    chips = keras.Input((48, 48, 1))
    x = keras.layers.Conv2D(4, 5, strides=5, activation="relu")(keras.layers.Rescaling(1 / 255)(chips))
    return keras.Model(chips, keras.layers.Dense(7)(keras.layers.Flatten()(layer(x))))


def test_a_normalisation_that_could_not_be_folded_is_found_on_the_graph():
    norm = keras.layers.BatchNormalization()
    model = network_with(norm)
    norm.set_weights([np.full(4, 2.0), np.full(4, 0.3), np.full(4, 0.1), np.full(4, 3.0)])
    _, found = load_graph(to_tflite(model, "float32"), "after a relu")
    assert [each.name for _, each in found.unfolded()] == ["MUL", "ADD"]
    assert load_graph(to_tflite(network_with(keras.layers.ReLU()), "float32"), "plain")[1].unfolded() == ()


def test_an_activation_with_rare_outliers_is_the_worst():
    random = np.random.default_rng(0)
    layer = keras.layers.Conv2D(1, 1, activation="relu", name="outliers")
    model = network_with(layer)
    model.layers[2].set_weights([np.full((5, 5, 1, 4), 0.04), np.zeros(4)])  # the mean of each patch, in 0..1
    layer.set_weights([np.full((1, 1, 4, 1), 5.0), np.array([-9.0])])
    rare = random.integers(100, 140, (30, 48, 48, 1), np.uint8)
    rare[0, :5, :5], rare[1] = 255, 0
    even = np.broadcast_to(np.linspace(0, 255, 30).astype(np.uint8)[:, None, None, None], rare.shape)
    worst = worst_activations(to_tflite(model, "int8", rare), rare)
    assert "outliers" in worst[0].tensor
    assert worst[0].ratio > 4
    assert [each.ratio for each in worst] == sorted((each.ratio for each in worst), reverse=True)
    assert (worst[0].low, worst[0].high) == (0, pytest.approx(worst[0].ratio * worst[0].usual))
    spread_out = worst_activations(to_tflite(model, "int8", even), even)
    assert next(each.ratio for each in spread_out if "outliers" in each.tensor) < 1.1


def test_an_open_batch_is_refused(results: dict[Mode, Result]):
    model = network_with(keras.layers.ReLU())
    content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    _, graph = load_graph(content, "open")
    wrong = next(each for each in check_exact(graph, results["float32"].card) if each.what == "input shape")
    assert not wrong.passed
    assert "found (-1, 48, 48, 1); expected (1, 48, 48, 1), one chip at a time" in wrong.text()


def test_a_mode_that_changes_nothing_is_refused(job: Job, tmp_path: Path):
    folder = Path(shutil.copytree(job.model.parent, tmp_path / "run"))
    chips = keras.Input((48, 48, 1))
    pooled = keras.layers.Flatten()(keras.layers.AveragePooling2D(16)(chips))
    keras.Model(chips, keras.layers.Dense(7)(pooled)).save(folder / "model.keras")
    with pytest.raises(
        PermanentError, match=r"expected int8 among them: else nothing was quantised; dynamic leaves weights of"
    ):
        quantize(Job(folder / "model.keras", job.data, tmp_path / "x.tflite", mode="dynamic"))
    assert not (tmp_path / "x.tflite").exists()


def test_the_command_takes_the_mode(job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "half.tflite"
    places = [str(job.model), "--data", str(job.data), "--out", str(out), "--cache", str(tmp_path)]
    assert command.main(["quantize", *places, "--mode", "float16"]) == 0
    said = capsys.readouterr().out
    assert " float32, " in said
    assert " float16, agreement" in said
    figures = msgspec.json.decode(out.with_suffix(".report.json").read_bytes())
    assert msgspec.convert(figures["facts"], ModelFacts).weights == ("float16", "int32")
    assert msgspec.convert(figures["card"], ModelCard).quantisation.mode == "float16"
