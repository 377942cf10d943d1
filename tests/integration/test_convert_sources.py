"""What goes into a conversion: every form of file gives the same answers, and no grey level is lost on the way."""

import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from convert.golden import golden_chips
from convert.quantize import Job, quantize
from convert.scaling import scaling_as_convolution
from edge.classifier import TfliteClassifier
from edge.errors import ConfigError
from tests.small_run import small_job
from tests.tiny_models import without_card
from training.report import REPORT


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A trained model with its report, and made-up pictures."""
    return small_job(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def int8(job: Job) -> Path:
    """The model in int8."""
    quantize(job)
    return job.out


def levels(content: bytes) -> dict[int, int]:
    """Distinct values of each tensor of the input's shape, by its number, on a picture of all 256 grey levels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    # XNNPACK keeps no tensor between its operators
    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_content=content, experimental_op_resolver_type=resolver, experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    picture = (np.arange(48 * 48) % 256 - 128).astype(np.int8).reshape(1, 48, 48, 1)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
    interpreter.invoke()
    return {
        tensor["index"]: len(np.unique(interpreter.get_tensor(tensor["index"])))
        for tensor in interpreter.get_tensor_details()
        if tuple(tensor["shape"]) == (1, 48, 48, 1)
    }


def test_no_grey_level_is_lost_by_scaling_the_input(job: Job, int8: Path):
    assert set(levels(without_card(int8.read_bytes())).values()) == {256}


def test_the_scaling_as_a_convolution_is_the_same_function():
    for channels, factor, offset in ((1, 1 / 127.5, -1.0), (3, 1 / 255, 0.0)):
        pixels = keras.Input((8, 8, channels))
        scaled = keras.layers.Rescaling(factor, offset=offset)(pixels)
        model = keras.Model(pixels, keras.layers.Dense(4)(keras.layers.Flatten()(scaled)))
        rewritten = scaling_as_convolution(model)
        chips = np.random.default_rng(1).integers(0, 256, (5, 8, 8, channels)).astype(np.float32)
        assert "Rescaling" not in {type(layer).__name__ for layer in rewritten.layers}
        np.testing.assert_allclose(rewritten(chips), model(chips), atol=1e-5)


def test_a_scaling_that_cannot_be_one_convolution_is_left_as_it_is():
    pixels = keras.Input((8, 8, 1))
    scaled = keras.layers.Rescaling(1 / 255)(pixels)
    both = keras.Model(pixels, keras.layers.Flatten()(keras.layers.Concatenate()([pixels, scaled])))
    bare = keras.Model(pixels, keras.layers.Flatten()(pixels))
    late = keras.Model(pixels, keras.layers.Rescaling(2.0)(keras.layers.Flatten()(pixels)))
    assert all(scaling_as_convolution(model) is model for model in (both, bare, late))


def test_old_files_and_saved_models_give_the_same_answers(job: Job, int8: Path, tmp_path: Path):
    model = keras.models.load_model(job.model, compile=False)
    model.save(tmp_path / "model.h5")
    model.export(tmp_path / "saved", verbose=False)
    shutil.copy(job.model.with_name(REPORT), tmp_path)
    expected = TfliteClassifier(int8)
    for source in ("model.h5", "saved"):
        result = quantize(Job(tmp_path / source, job.data, tmp_path / "x.tflite"))
        assert result.normalisations == (1 if source == "model.h5" else None)
        assert result.card.output == "logits"
        classifier = TfliteClassifier(tmp_path / "x.tflite")
        # in a SavedModel nobody finds the scaling, so that it stays two operators with a rounding each
        steps = 0 if source == "model.h5" else 2
        for chip in golden_chips(48, 1):
            np.testing.assert_allclose(classifier.raw(chip), expected.raw(chip), rtol=0, atol=steps)


def test_a_saved_model_with_a_softmax_gives_probabilities(job: Job, tmp_path: Path):
    model = keras.models.load_model(job.model, compile=False)
    keras.Model(model.inputs, keras.layers.Softmax()(model.outputs[0])).export(tmp_path / "saved", verbose=False)
    shutil.copy(job.model.with_name(REPORT), tmp_path)
    result = quantize(Job(tmp_path / "saved", job.data, tmp_path / "x.tflite", mode="float32"))
    assert (result.card.output, result.card.temperature) == ("probabilities", 1.0)
    scores = np.stack(TfliteClassifier(tmp_path / "x.tflite").classify(golden_chips(48, 1)))
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_directories_that_are_no_fitting_saved_model_are_refused(job: Job, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    shutil.copy(job.model.with_name(REPORT), tmp_path)
    with pytest.raises(ConfigError, match="is a directory, but not a SavedModel"):
        quantize(replace(job, model=tmp_path / "empty"))
    module = tf.Module()
    module.mean = tf.function(lambda x: tf.reduce_mean(x, [1, 2]), [tf.TensorSpec((4, 48, 48, 1))])
    tf.saved_model.save(module, str(tmp_path / "fixed"), signatures={"serving_default": module.mean})
    with pytest.raises(ConfigError, match=r"takes float32 \(4, 48, 48, 1\); expected float32 and an open batch"):
        quantize(replace(job, model=tmp_path / "fixed"))
