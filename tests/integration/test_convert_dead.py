"""A network in which a layer died: the refusal says which, what that means, and what to do."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from convert import ai_edge
from convert.__main__ import main
from convert.graph import load_graph
from convert.tflite import to_tflite
from edge import runtime
from edge.contract.card import Mode
from edge.errors import PermanentError
from tests.small_run import training_report
from tests.training_fakes import fer_rows, noise_chips, write_fer
from training.report import REPORT

keras = pytest.importorskip("keras")
layers = keras.layers
DEAD = -100.0
"""A bias that no picture makes up for: the ReLU behind it gives 0."""


def network(kind: str, bias: float = DEAD) -> Any:
    """With a layer named "late" that has this bias."""
    keras.utils.set_random_seed(1)
    late = {"activation": "relu", "name": "late", "bias_initializer": keras.initializers.Constant(bias)}
    chips = keras.Input((48, 48, 1))
    x = layers.Conv2D(4, 5, strides=5, activation="relu")(layers.Rescaling(1 / 255)(chips))
    if kind == "convolution":
        x = layers.Conv2D(4, 3, **late)(x)
    if kind == "branch":
        x = layers.Add()([x, layers.Conv2D(4, 3, padding="same", **late)(x)])
    x = layers.Flatten()(x)
    x = layers.Dense(16, **late)(x) if kind == "dense" else x
    return keras.Model(chips, layers.Dense(7)(x))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up pictures."""
    return write_fer(tmp_path_factory.mktemp("data") / "fer.csv", fer_rows(70, 14))


def quantized(model: Any, data: Path, folder: Path, mode: Mode) -> int:
    model.save(folder / "model.keras")
    (folder / REPORT).write_bytes(msgspec.json.encode(training_report()))
    places = [folder / "model.keras", "--data", data, "--out", folder / "made.tflite", "--cache", folder / "cache"]
    return main(["quantize", *map(str, places), "--mode", mode])


@pytest.mark.parametrize(("kind", "mode"), [("dense", "int8"), ("convolution", "int8-float-io")])
def test_quantize_names_the_dead_layer(
    kind: str, mode: Mode, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert quantized(network(kind), data, tmp_path, mode) == 78
    words = capsys.readouterr().err
    assert "made.tflite: the layer late_1 is dead: it gives 0 to every calibration chip" in words
    assert "expected values that depend on the picture; the network names one class only. Train again" in words
    assert not (tmp_path / "made.tflite").exists()


def test_the_same_network_alive_is_quantised(data: Path, tmp_path: Path):
    assert quantized(network("dense", 0.1), data, tmp_path, "int8") == 0


def test_a_file_that_no_runtime_takes_is_refused_by_the_dead_layers_name():
    content = to_tflite(network("dense"), "int8", noise_chips(30))
    with pytest.raises(PermanentError, match="no TFLite runtime can run"):
        runtime.load(content, "dead")
    with pytest.raises(PermanentError, match=r"dead: the layer late_1 is dead: .*; the network names one class only"):
        load_graph(content, "dead")


def test_of_a_dead_branch_no_more_is_said_than_is_true():
    pytest.importorskip("ai_edge_quantizer")
    content = ai_edge.to_int8(to_tflite(network("branch"), "float32"), noise_chips(8))
    with pytest.raises(PermanentError, match=r"branch: the layer late_1 is dead: .*; its branch does nothing, and no"):
        load_graph(content, "branch")


def test_a_file_that_is_cut_off_is_not_taken_for_dead():
    content = to_tflite(network("dense"), "int8", noise_chips(8))
    for share in (0.2, 0.6, 0.95):
        with pytest.raises(PermanentError, match="broken or truncated"):
            load_graph(content[: int(len(content) * share)], "cut")
