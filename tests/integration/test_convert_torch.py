"""Files of PyTorch weights: read without running anything, compared layer by layer, taken to the device."""

import os
import pickle
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from convert.__main__ import main
from convert.from_torch import compare, from_torch
from convert.quantize import Job, quantize
from convert.torch_adapter import answers, read_tensors
from convert.torch_keras import to_keras
from convert.torch_network import recognise
from convert.verify import verify
from edge.classifier import TfliteClassifier
from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.torch_weights import Weights, state
from tests.training_fakes import fer_rows, write_fer
from training.foreign import Adoption
from training.report import REPORT, read_report

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch", reason="PyTorch is not installed; it is the extra `torch`")

LABELS = ",".join(FER2013_LABELS)


def tensors(weights: Weights) -> dict[str, Any]:
    return {name: torch.from_numpy(value) for name, value in weights.items()}


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def module(size: int, channels: tuple[int, ...], dense: int) -> Any:
    """The network as it is written in PyTorch."""
    nn, layers = torch.nn, []
    for inputs, outputs in pairwise(channels):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
    flat = channels[-1] * (size // 2 ** (len(channels) - 1)) ** 2
    layers += [nn.Flatten(), nn.Linear(flat, dense), nn.BatchNorm1d(dense), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(dense, len(FER2013_LABELS)))


def trained(size: int, channels: tuple[int, ...], dense: int) -> Any:
    """It, when it knows the made-up pictures: statistics gathered, its last layer fitted by least squares."""
    torch.manual_seed(1)
    network = module(size, channels, dense)
    rows = fer_rows(train=140, public=0, seed=5)
    pictures = torch.from_numpy(np.stack([pixels.reshape(1, 48, 48) for _, pixels, _ in rows])).float()
    pictures = (torch.nn.functional.interpolate(pictures, size=(size, size), mode="bilinear") / 255 - 0.5) / 0.5
    targets = torch.eye(7)[[label for label, *_ in rows]]
    with torch.no_grad():
        network.train()
        for each in network:
            if isinstance(each, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
                each.momentum = None  # the mean over all batches
        for part in pictures.split(14):
            network(part)
        network.eval()
        features = torch.cat([network[:-1](part) for part in pictures.split(14)])
        widened = torch.cat([features, torch.ones(len(features), 1)], dim=1)
        ridge = widened.T @ widened + 30 * torch.eye(widened.shape[1])
        solution = torch.linalg.solve(ridge, widened.T @ (8 * targets - 4))
        network[-1].weight.copy_(solution[:-1].T)
        network[-1].bias.copy_(solution[-1])
    return network


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fer(tmp_path_factory.mktemp("data") / "fer.csv", fer_rows(train=140, public=35))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("torch") / "small.pth", trained(48, (1, 8, 12), 48).state_dict())


def test_weights_are_found_in_whatever_they_were_saved_in(tmp_path: Path):
    plain = state()
    expected = recognise(plain, "", 1e-5)
    counted = {**tensors(plain), "bn1.num_batches_tracked": torch.tensor(3)}
    parallel = {f"module.{name}": value for name, value in tensors(plain).items()}
    optimiser = {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 0.1}]}
    for number, content in enumerate(
        (
            counted,
            parallel,
            {"epoch": 3, "model_state_dict": counted, "optimizer_state_dict": optimiser},
            {"state_dict": parallel, "ema": tensors(state(seed=2))},
            {"network": counted, "best": 0.7},
            {name: value.half() for name, value in tensors(plain).items()},
        )
    ):
        found = recognise(read_tensors(saved(tmp_path / f"{number}.pt", content)), "", 1e-5)
        assert np.allclose(found.dense.affine.weight, expected.dense.affine.weight, atol=1e-3), number


@pytest.mark.parametrize("expects", ["raw", "unit", "symmetric"])
def test_each_layer_answers_as_in_pytorch_and_the_adapter_as_a_network_written_by_hand(expects: str):
    network = trained(16, (1, 4, 6, 8), 5)
    found = recognise({name: value.numpy() for name, value in network.state_dict().items() if value.ndim}, "", 1e-5)
    layers = {layer.layer: layer for layer in compare(found, to_keras(found), expects)}
    assert list(layers)[:5] == ["scale", "block1_conv1", "block1_conv1_norm", "block1_conv1_relu", "block1_pool"]
    assert list(layers)[-3:] == ["dense_relu", "logits", "whole"]
    assert layers["block2_pool"].shape == (4, 4, 6)
    for layer in layers.values():
        assert layer.difference <= layer.allowed, layer.line()
    chips = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 1), np.uint8)
    given = dict(answers(found, chips, expects))
    with torch.inference_mode():
        by_hand = network(torch.from_numpy(given["scale"].transpose(0, 3, 1, 2).copy())).numpy()
    assert np.allclose(given["logits"], by_hand, atol=1e-5 * max(1, np.abs(by_hand).max()))


def test_a_difference_is_found_in_the_layer_that_it_begins_in(weights: Path, data: Path, tmp_path: Path):
    network = recognise(read_tensors(weights), "", 1e-5)
    model = to_keras(replace(network, epsilon=1e-3))
    wrong = [layer.layer for layer in compare(network, model, "symmetric") if layer.difference > layer.allowed]
    assert wrong[0] == "block1_conv1_norm"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convert.from_torch.to_keras", lambda network: to_keras(replace(network, epsilon=1e-3)))
        with pytest.raises(
            PermanentError, match=r"differ from the layer block1_conv1_norm on, by .*Nothing was written"
        ):
            from_torch(Adoption(weights, FER2013_LABELS, "symmetric", data, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_the_command_makes_one_of_our_models(
    weights: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "taken"
    words = ["--labels", LABELS, "--data", str(data), "--out", str(out), "--cache", str(tmp_path / "cache")]
    assert main(["from-torch", str(weights), *words]) == 0
    printed = capsys.readouterr().out
    assert "block2_conv1_norm    24×24×12     max difference" in printed
    assert "report accuracy" in printed
    report = read_report(out / REPORT)
    assert report.labels == FER2013_LABELS
    assert report.resolved_recipe["foreign"]["file"] == "small.pth"
    assert report.scores["report"].accuracy > 0.9
    result = quantize(Job(out / "model.keras", data, tmp_path / "small.tflite"))
    assert result.int8_scores.accuracy > 0.9
    assert main(["from-torch", str(weights), *words, "--expects", "unit"]) == 78
    assert "expected the scaling that it was trained with" in capsys.readouterr().err


class Dangerous:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_code_in_a_file_is_not_run(tmp_path: Path):
    trap = tmp_path / "trap"
    files = [saved(tmp_path / "code.pth", {"conv1.weight": torch.ones(2), "x": Dangerous(trap)})]
    files.append(tmp_path / "bare.pth")
    files[1].write_bytes(pickle.dumps(Dangerous(trap), protocol=2))
    for file in files:
        with pytest.raises(PermanentError, match=r"asks for posix.mkdir, which is code\. Nothing of it was run"):
            read_tensors(file)
        assert not trap.exists()
    torch.load(files[0], weights_only=False)
    assert trap.exists(), "the file does what it is here for"


def test_a_whole_model_instead_of_its_weights_is_refused(tmp_path: Path):
    with pytest.raises(PermanentError, match=r"asks for torch\.nn\.\S+, which is code"):
        read_tensors(saved(tmp_path / "model.pth", module(16, (1, 4), 5)))


def test_files_that_hold_no_weights_are_refused(weights: Path, tmp_path: Path):
    def file(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    for path in (
        file("text.pth", b"no weights at all"),
        file("empty.pth", b""),
        file("cut.pth", weights.read_bytes()[:2000]),
        file("noise.pth", np.random.default_rng(0).bytes(3000)),
    ):
        with pytest.raises(PermanentError, match="not a file of"):
            read_tensors(path)
    with pytest.raises(ConfigError, match="no such file"):
        read_tensors(tmp_path / "absent.pth")
    for content, found in (({"epoch": 3}, "holds epoch, 0 of which"), ([1, 2], "holds list"), ({}, "holds nothing")):
        with pytest.raises(PermanentError, match=found):
            read_tensors(saved(tmp_path / "other.pth", content))
    with pytest.raises(PermanentError, match=r"holds a, b, 2 of which are weights"):
        read_tensors(saved(tmp_path / "two.pth", {"a": tensors(state()), "b": tensors(state())}))
    with pytest.raises(PermanentError, match="stored sparsely"):
        read_tensors(saved(tmp_path / "sparse.pth", {"weight": torch.eye(3).to_sparse()}))


def test_an_old_pytorch_is_refused(weights: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(ConfigError, match=r"PyTorch 2\.5\.1\+cpu is installed, expected 2\.10 or later"):
        read_tensors(weights)


def test_wrong_labels_and_broken_weights_end_with_78_and_leave_nothing(
    weights: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    words = ["--data", str(data), "--out", str(out), "--labels"]
    assert main(["from-torch", str(weights), *words, "a,b"]) == 78
    assert "has 7 outputs and 2 labels are given" in capsys.readouterr().err
    broken = torch.load(weights, weights_only=True)
    broken["4.weight"][0, 0] = torch.nan
    assert main(["from-torch", str(saved(tmp_path / "nan.pth", broken)), *words, LABELS]) == 78
    assert "NaN or infinite weights" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.slow
def test_the_network_of_224_px_goes_the_whole_way_to_the_device(data: Path, tmp_path: Path):
    network = trained(224, (1, 32, 64, 128), 128)
    path = saved(tmp_path / "weights.pth", {"model_state_dict": network.state_dict()})
    few = write_fer(tmp_path / "few.csv", fer_rows(train=70, public=21))
    taken = from_torch(Adoption(path, FER2013_LABELS, "symmetric", few, tmp_path / "taken"))
    assert taken.layers[1].shape == (224, 224, 32)
    assert taken.report.parameters == 12_940_167
    assert taken.report.scores["report"].accuracy > 0.9
    made = quantize(Job(tmp_path / "taken" / "model.keras", few, tmp_path / "device.tflite"))
    assert made.agreement > 0.9
    assert all(finding.passed for finding in verify(tmp_path / "device.tflite"))
    classifier = TfliteClassifier(tmp_path / "device.tflite")
    assert (classifier.card.chip.size, classifier.card.chip.channels) == (224, 1)
    label, pixels, _ = fer_rows(70, 21)[-1]
    chip = cv2.resize(pixels.reshape(48, 48), (224, 224), interpolation=cv2.INTER_LINEAR)
    (scores,) = classifier.classify(chip.reshape(1, 224, 224, 1))
    assert classifier.labels[int(np.argmax(scores))] == FER2013_LABELS[label]
