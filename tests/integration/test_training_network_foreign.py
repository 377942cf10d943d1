"""Models of others: old files, other scalings, softmax ends; and scalings that are there twice."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convert.golden import golden_chips
from convert.quantize import Job, quantize
from convert.verify import verify
from edge.classifier import TfliteClassifier
from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.training_fakes import fer_rows, write_fer
from training import learner
from training.foreign import (
    SCALINGS,
    Adoption,
    adopt,
    check,
    probabilities,
    spread,
    wrap,
)
from training.keras_files import load_model, output_kind

keras = pytest.importorskip("keras")
h5py = pytest.importorskip("h5py")

SHUFFLED = tuple(reversed(FER2013_LABELS))


def trained(expects: str) -> "keras.Model":
    """A small network with a softmax at its end that knows the made-up pictures, labels in `SHUFFLED` order."""
    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((48, 48, 1)),
            layers.Conv2D(8, 3, strides=4, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.LeakyReLU(negative_slope=0.1, name="leaky"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.Dropout(0.1, name="dropout"),
            layers.Flatten(name="flatten"),
            layers.Dense(7, activation="softmax", name="answers"),
        ]
    )

    def macro_f1(truth, named):  # no one else has this function
        return keras.ops.mean(truth * named)

    model.compile(keras.optimizers.Adam(0.003), "categorical_crossentropy", metrics=["accuracy", macro_f1])
    rows = fer_rows(train=280, public=0, seed=5)
    factor, offset = SCALINGS[expects]
    pictures = np.stack([pixels.reshape(48, 48, 1) for _, pixels, _ in rows]) * factor + offset
    targets = np.eye(7)[[6 - label for label, *_ in rows]]
    model.fit(pictures, targets, epochs=12, batch_size=20, verbose=0)
    return model


@pytest.fixture(scope="module", params=["unit", "symmetric", "raw"])
def scaling(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def old_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An `.h5` as Keras 2 wrote it, of a model that expects [0, 1]."""
    path = tmp_path_factory.mktemp("old") / "model.h5"
    trained("unit").save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            settings = layer["config"]
            layer.pop("build_config", None)
            layer.pop("module", None)
            layer.pop("registered_name", None)
            if isinstance(settings.get("dtype"), dict):
                settings["dtype"] = "float32"
            if "batch_shape" in settings:
                settings["batch_input_shape"] = settings.pop("batch_shape")
                settings["sparse"] = settings["ragged"] = False
                settings.pop("optional", None)
            if layer["class_name"] == "LeakyReLU":
                settings["alpha"] = settings.pop("negative_slope")
            if layer["class_name"] == "BatchNormalization":
                settings["axis"] = [3]
                settings.pop("synchronized", None)
            if layer["class_name"] == "DepthwiseConv2D":
                settings["groups"] = 1
                settings["filters"] = None
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.4.0"
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fer(tmp_path_factory.mktemp("data") / "fer.csv", fer_rows(train=210, public=70))


def test_an_old_file_answers_as_when_it_was_written(old_file: Path):
    model = load_model(old_file)
    pictures = golden_chips(48, 1) / np.float32(255)
    assert np.allclose(model.predict(pictures, verbose=0), trained("unit").predict(pictures, verbose=0), atol=2e-3)


def test_a_wrapped_model_takes_raw_pixels_whatever_it_took_before(scaling: str):
    model = trained(scaling)
    chips = golden_chips(48, 1)
    factor, offset = SCALINGS[scaling]
    expected = model.predict(chips * np.float32(factor) + np.float32(offset), verbose=0)
    with_softmax = wrap(model, scaling, keep_softmax=True)
    assert output_kind(with_softmax) == "probabilities"
    assert np.allclose(learner.logits_of(with_softmax, chips), expected, atol=1e-5)
    logits = wrap(model, scaling)
    assert output_kind(logits) == "logits"
    assert np.abs(learner.logits_of(logits, chips)).max() > 1.5
    assert np.allclose(probabilities(logits, chips), expected, atol=1e-5)


def test_the_right_scaling_passes_and_its_answers_differ(scaling: str):
    assert check(trained(scaling), scaling).spread > 0.3


def test_a_picture_divided_twice_looks_black_and_is_refused():
    scales_inside = wrap(trained("unit"), "unit", keep_softmax=True)
    with pytest.raises(ConfigError, match="scales its input in its own first layer"):
        check(scales_inside, "unit")
    hidden = wrap(scales_inside, "raw", keep_softmax=True)  # the first layer says nothing now
    twice = spread(wrap(hidden, "unit", keep_softmax=True))
    assert twice.collapsed
    assert twice.from_black < 0.1
    with pytest.raises(ConfigError, match=r"answers black, white and ten other pictures alike .* expected 'raw'"):
        check(trained_raw_inside(), "unit")


def trained_raw_inside() -> "keras.Model":
    """A model whose first layer, a convolution, has learnt the scaling from 0..255: nothing shows it."""
    model = trained("unit")
    convolution = model.get_layer("conv")
    kernel, bias = convolution.get_weights()
    convolution.set_weights([kernel / 255, bias])
    return model


def test_a_foreign_model_becomes_one_of_ours(old_file: Path, data: Path, tmp_path: Path):
    job = Adoption(old_file, SHUFFLED, "unit", data, tmp_path / "adopted", name="old")
    report = adopt(job)
    assert report.labels == SHUFFLED
    assert report.scores["report"].accuracy > 0.9
    assert report.macs > 10_000
    result = quantize(Job(job.out / "model.keras", data, tmp_path / "old.tflite"))
    assert result.int8_scores.accuracy > 0.9
    assert all(finding.passed for finding in verify(tmp_path / "old.tflite"))
    classifier = TfliteClassifier(tmp_path / "old.tflite")
    assert classifier.labels == SHUFFLED
    label, pixels, _ = fer_rows(1, 0)[0]
    assert (
        classifier.labels[int(np.argmax(classifier.classify(pixels.reshape(1, 48, 48, 1))[0]))]
        == (FER2013_LABELS[label])
    )


def test_a_softmax_that_is_kept_is_on_the_card(old_file: Path, data: Path, tmp_path: Path):
    job = Adoption(old_file, SHUFFLED, "unit", data, tmp_path / "adopted")
    adopt(job)
    wrap(load_model(old_file), "unit", keep_softmax=True).save(job.out / "model.keras")
    result = quantize(Job(job.out / "model.keras", data, tmp_path / "soft.tflite"))
    assert (result.card.output, result.card.temperature) == ("probabilities", 1.0)
    assert result.int8_scores.accuracy > 0.9
    assert np.stack(TfliteClassifier(tmp_path / "soft.tflite").classify(golden_chips(48, 1))).sum(1) == pytest.approx(1)


def test_what_does_not_fit_is_refused(old_file: Path, data: Path, tmp_path: Path):
    job = Adoption(old_file, SHUFFLED, "unit", data, tmp_path / "x")
    for wrong, message in (
        (replace(job, expects="symmetric"), r"rightly with expects = 'symmetric' and .* with 'unit'"),
        (replace(job, labels=("a", "b")), "7 outputs and 2 labels are given"),
        (replace(job, labels=(*SHUFFLED[:-1], "furious")), "give its own data"),
        (replace(job, model=tmp_path / "absent.h5"), "no such file"),
    ):
        with pytest.raises(ConfigError, match=message):
            adopt(wrong)
    assert not job.out.exists()


def test_nothing_is_adopted_over_a_training_run_or_without_pictures_to_calibrate_on(
    old_file: Path, data: Path, tmp_path: Path
):
    job = Adoption(model=old_file, labels=SHUFFLED, expects="unit", data=data, out=tmp_path / "run")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.npz").write_bytes(b"of a run")
    with pytest.raises(ConfigError, match="holds a training run"):
        adopt(job)
    few = write_fer(tmp_path / "few.csv", fer_rows(train=4, public=7, seed=5))
    with pytest.raises(ConfigError, match="none of them held out to calibrate on"):
        adopt(replace(job, data=few, out=tmp_path / "few"))


def test_files_that_are_no_models_are_refused(tmp_path: Path):
    text = tmp_path / "text.h5"
    text.write_text("no HDF5")
    with pytest.raises(ConfigError, match=r"cannot read it as an \.h5 model"):
        load_model(text)
    weights = tmp_path / "only.weights.h5"
    trained("unit").save_weights(weights)
    with pytest.raises(ConfigError, match="weights without an architecture"):
        load_model(weights)
    with pytest.raises(PermanentError, match="not a Keras model"):
        load_model(_with_text(tmp_path / "text.keras"))


def _with_text(path: Path) -> Path:
    path.write_text("no model")
    return path
