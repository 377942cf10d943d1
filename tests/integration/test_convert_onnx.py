"""Models as ONNX: every network of the recipes, its answers, its metadata, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from convert.__main__ import main
from convert.golden import golden_chips
from convert.onnx_adapter import PACKAGES, compare, export, with_words
from convert.to_onnx import to_onnx
from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.training_fakes import RECIPES, write_random_model
from training.networks import FAMILIES
from training.recipe import load_recipe
from training.report import REPORT

keras = pytest.importorskip("keras")
for name in PACKAGES:
    pytest.importorskip(name, reason=f"{name} is not installed; it belongs to the extra `onnx`")

import onnx  # noqa: E402
import onnxruntime  # noqa: E402

QUICK = ("compact", "mini-xception", "rgb-128", "tiny", "vgg-leaky")
"""Recipes that together have every kind of layer; the others take as long again and more."""


def recipes() -> list[object]:
    return [
        pytest.param(path, id=path.stem, marks=[] if path.stem in QUICK else [pytest.mark.slow])
        for path in sorted(RECIPES.glob("*.toml"))
    ]


@pytest.mark.parametrize("path", recipes())
def test_a_network_answers_in_onnx_runtime_as_in_keras(path: Path):
    recipe = load_recipe(path)
    options, family = recipe.data.options, FAMILIES[type(recipe.network)]
    keras.utils.set_random_seed(1)
    model = family.fold(family.build(recipe.network, (options.size, options.size, options.channels), 7, "float32"))
    random = np.random.default_rng(1)
    model.set_weights([value + np.abs(random.normal(0, 0.02, value.shape)) for value in model.get_weights()])
    chips = golden_chips(options.size, options.channels)[::3]
    expected = model.predict_on_batch(chips.astype(np.float32))
    assert np.ptp(expected, axis=0).max() > 0.01, "the chips are told apart"
    content = with_words(export(model, 17), "logits", {})
    assert compare(content, chips, expected) < 1e-4 * max(1, np.abs(expected).max())


@pytest.fixture
def random_model(tmp_path: Path) -> Path:
    return write_random_model(tmp_path / "run")


@pytest.mark.parametrize("opset", [13, 18])
def test_the_file_says_what_a_program_has_to_know(
    random_model: Path, tmp_path: Path, opset: int, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "new" / "model.onnx"
    assert main(["to-onnx", str(random_model), "--out", str(out), "--opset", str(opset)]) == 0
    assert f"opset {opset}, max difference from Keras" in capsys.readouterr().out
    assert [path.name for path in out.parent.iterdir()] == ["model.onnx"]
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    (pixels,), (logits,) = session.get_inputs(), session.get_outputs()
    assert (pixels.name, pixels.shape, pixels.type) == ("chips", ["N", 48, 48, 1], "tensor(float)")
    assert (logits.name, logits.shape) == ("logits", ["N", 7])
    said = {key: json.loads(value) for key, value in session.get_modelmeta().custom_metadata_map.items()}
    assert said["labels"] == list(FER2013_LABELS)
    assert said["temperature"] == 40.0
    assert said["chip"] == {"size": 48, "channels": 1, "margin": 1.0, "resize": "area"}
    assert (said["output"], said["name"]) == ("logits", "random")
    assert {each.version for each in onnx.load(out).opset_import if not each.domain} == {opset}


def test_probabilities_are_named_so(random_model: Path, tmp_path: Path):
    inner = keras.models.load_model(random_model, compile=False)
    keras.Sequential([inner, keras.layers.Softmax()]).save(random_model)
    to_onnx(random_model, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (answers,) = session.run(["probabilities"], {"chips": np.zeros((2, 48, 48, 1), np.float32)})
    assert answers.sum(axis=1) == pytest.approx(1)
    assert json.loads(session.get_modelmeta().custom_metadata_map["temperature"]) == 1.0


def test_a_file_that_answers_otherwise_is_not_left_behind(
    random_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "model.onnx"
    out.write_bytes(b"what was there before")
    other = keras.models.load_model(write_random_model(tmp_path / "other", seed=2), compile=False)
    monkeypatch.setattr("convert.to_onnx.export", lambda model, opset: export(other, opset))
    with pytest.raises(PermanentError, match=r"ONNX Runtime and Keras differ by .* was not written"):
        to_onnx(random_model, out)
    assert out.read_bytes() == b"what was there before"


def test_what_cannot_be_done_as_asked_ends_with_78(
    random_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def error(*words: object) -> str:
        assert main(["to-onnx", *map(str, words)]) == 78
        return capsys.readouterr().err

    out = tmp_path / "out.onnx"
    assert "opset 30: expected one of 13 to 18" in error(random_model, "--out", out, "--opset", 30)
    assert "is a directory; expected the name" in error(random_model, "--out", tmp_path)
    shutil.copy(random_model, tmp_path / "model.keras")
    assert "expected the training report beside the model" in error(tmp_path / "model.keras", "--out", out)
    shutil.copy(write_random_model(tmp_path / "two", ("a", "b")).with_name(REPORT), tmp_path)
    assert "7 outputs, and the report beside it names 2 labels" in error(tmp_path / "model.keras", "--out", out)
    assert not out.exists()
    monkeypatch.setattr("convert.onnx_adapter.PACKAGES", ("onnx", "no_such_package"))
    assert "not installed: no_such_package;" in error(random_model, "--out", out)
    with pytest.raises(ConfigError, match=r"'\.\[onnx\]'"):
        to_onnx(random_model, out)
