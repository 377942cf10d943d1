"""PyTorch's weights, recognised by order and shape and moved to Keras. No PyTorch is needed for that."""

import builtins
from pathlib import Path

import numpy as np
import pytest

from convert.__main__ import main
from convert.torch_keras import to_keras
from convert.torch_network import Network, recognise
from edge.errors import PermanentError
from tests.torch_weights import Weights, logits, state

keras = pytest.importorskip("keras")


def recognised(weights: Weights) -> Network:
    return recognise(weights, "weights.pth", 1e-5)


@pytest.mark.parametrize("changed", [{}, {"bias": False}, {"channels": (3, 4, 8), "side": 24}, {"classes": 3}])
def test_keras_gives_what_the_formulas_of_pytorch_give(changed: dict[str, object]):
    weights = state(**changed)
    network = recognised(weights)
    size, _, channels = network.shape
    pictures = np.random.default_rng(1).uniform(-1, 1, (3, channels, size, size)).astype(np.float32)
    expected = logits(weights, pictures)
    found = np.asarray(to_keras(network).predict_on_batch(pictures.transpose(0, 2, 3, 1)))
    assert found.shape == (3, network.classes)
    assert np.abs(expected).max() > 0.5
    assert np.abs(found - expected).max() < 1e-4


def test_sizes_are_read_off_the_shapes():
    network = recognised(state(side=224, channels=(1, 32, 64, 128), dense=128))
    assert (network.shape, network.classes, network.side_px) == ((224, 224, 1), 7, 28)


def test_the_normalisations_have_the_constants_of_pytorch():
    norm = to_keras(recognised(state())).get_layer("block2_conv1_norm")
    assert (norm.epsilon, norm.momentum) == (1e-5, 0.9)


def test_names_do_not_matter_and_neither_does_it_if_all_convolutions_come_first():
    weights = state()
    prefixed = {f"module.features.{name}": value for name, value in weights.items()}
    sorted_by_kind = dict(sorted(weights.items(), key=lambda entry: (entry[0].startswith("bn"), "fc" in entry[0])))
    assert list(sorted_by_kind) != list(weights)
    expected = recognised(weights)
    for other in (prefixed, sorted_by_kind):
        found = recognised(other)
        assert np.array_equal(found.logits.weight, expected.logits.weight)
        assert all(
            np.array_equal(a.norm.mean, b.norm.mean) and np.array_equal(a.affine.weight, b.affine.weight)
            for a, b in zip((*found.blocks, found.dense), (*expected.blocks, expected.dense), strict=True)
        )


def without(*leaves: str) -> Weights:
    return {name: value for name, value in state().items() if name.rpartition(".")[2] not in leaves}


def replaced(**tensors: object) -> Weights:
    return {**state(), **{name.replace("__", "."): np.asarray(value, np.float32) for name, value in tensors.items()}}


RESNET = {
    "conv1.weight": np.zeros((64, 3, 7, 7), np.float32),
    "layer1.0.conv1.weight": np.zeros((64, 64, 3, 3), np.float32),
    "fc.weight": np.zeros((1000, 512), np.float32),
}
NAN = np.array([0.1, np.nan, 0.1, 0.1])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (RESNET, r"another network: conv1 \(64×3×7×7\), layer1.0.conv1 .*, fc \(1000×512\); expected blocks of Conv2d"),
        ({}, "another network: no weights"),
        ({"lstm.weight_ih_l0": np.zeros((4, 4), np.float32)}, r"another network: lstm \(4×4\)"),
        (without("running_mean", "running_var"), r"bn1 \(4\) has no running_mean and no running_var; expected Batch"),
        (without("running_var"), r"bn1 \(4\) has no running_var"),
        (replaced(bn1__running_mean=NAN), r"NaN or infinite weights in bn1\.running_mean, expected finite ones"),
        (replaced(bn1__running_var=[1, 1, -2, 1]), r"bn1\.running_var holds -2, expected variances of 0 and more"),
        (replaced(bn2__running_var=np.ones(5)), r"bn2\.running_var is \(5,\), expected \(6,\), the BatchNorm behind"),
        (replaced(conv1__bias=np.ones(5)), r"conv1\.bias is \(5,\), expected \(4,\), one for each output"),
        (replaced(conv2__weight=np.ones((6, 4, 5, 5))), r"conv2 \(6×4×5×5\); expected a kernel of .* with 4 channels"),
        (replaced(conv1__weight=np.ones((4, 2, 3, 3))), r"conv1 \(4×2×3×3\); .* with 1 or 3 channels in"),
        (replaced(fc1__weight=np.ones((5, 33))), r"fc1 \(5×33\) takes 33 values, expected 8 channels of a square map"),
        (state(side=8), "of a picture of 16 to 1024 px; for 224 px that is 6272"),
        (replaced(fc2__weight=np.ones((7, 6))), r"fc2 \(7×6\) follows fc1 .*; expected it to take the 5 values"),
        ({k: v for k, v in state().items() if "bn_fc" not in k}, "another network"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_what_was_found_and_what_was_expected(weights: Weights, message: str):
    with pytest.raises(PermanentError, match=message):
        recognised(weights)


def test_without_pytorch_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    real = builtins.__import__

    def absent(name: str, *arguments: object, **named: object) -> object:
        if name == "torch":
            raise ImportError("No module named 'torch'")
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", absent)
    path = tmp_path / "weights.pth"
    path.write_bytes(b"")
    words = [str(path), "--labels", "a,b", "--data", str(path), "--out", str(tmp_path / "out")]
    assert main(["from-torch", *words]) == 78
    assert "PyTorch is not installed" in (error := capsys.readouterr().err)
    assert "'.[torch]'" in error


def test_one_file_of_the_project_meets_pytorch_and_one_meets_onnx():
    folder = Path(__file__).parents[2] / "convert"
    for package, file in (
        ("torch", "torch_adapter.py"),
        ("onnx", "onnx_adapter.py"),
        ("onnxruntime", "onnx_adapter.py"),
    ):
        meets = [path.name for path in folder.glob("*.py") if f"    import {package} " in path.read_text("utf-8")]
        assert meets == [file], package
