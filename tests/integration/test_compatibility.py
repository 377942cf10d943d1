"""The shipped model's answers are alike on every runtime: within one quantisation step, with the same class.

The slow tests make a place of their own (`tests/elsewhere.py`) and need a network the first time. Those on arm64 are in
`test_arm64.py`.
"""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.classifier import SHIPPED, TfliteClassifier
from edge.golden import MAX_STEPS, replay
from edge.native_log import native_stderr
from tests.elsewhere import Answers, Place, built_wheel, cache_folder, legacy_environment

MOST_MOVED = 0.2
"""Probability that the built-in kernels, which no runtime of ours uses, may move from one class to another."""
MODULES = {"litert": "ai_edge_litert.interpreter", "tensorflow": "tensorflow.lite.python.interpreter"}


@pytest.fixture(scope="module")
def model() -> TfliteClassifier:
    return TfliteClassifier()


def answers_of(model: TfliteClassifier, module: str, resolver: str) -> tuple[np.ndarray, bool]:
    """Raw answers (N, classes) of another interpreter to the golden chips, and whether it said that it uses XNNPACK."""
    package = importlib.import_module(module)
    with native_stderr() as lines:
        interpreter = package.Interpreter(
            model_content=SHIPPED.read_bytes(),
            num_threads=1,
            experimental_op_resolver_type=package.OpResolverType[resolver],
        )
        interpreter.allocate_tensors()
    ends = (interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"])
    answers = []
    for chip in model.golden.chips:
        interpreter.set_tensor(ends[0], (chip ^ np.uint8(0x80)).view(np.int8)[np.newaxis])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(ends[1])[0])
    delegated = any(operator["op_name"] == "DELEGATE" for operator in interpreter._get_ops_details())
    return np.stack(answers), delegated or any("XNNPACK delegate" in line for line in lines)


def moved(model: TfliteClassifier, answers: np.ndarray) -> float:
    """The largest change of a probability."""
    differences: Any = [
        np.abs(model._probabilities(found) - model._probabilities(golden)).max()
        for found, golden in zip(answers, model.golden.outputs, strict=True)
    ]
    return float(max(differences))


def assert_alike(answers: Answers) -> None:
    print(answers.text())
    assert answers.passed
    assert max(answers.off) <= 1, answers.text()
    assert answers.flipped == 0, answers.text()
    assert answers.xnnpack, "its log does not say that the XNNPACK delegate was created"
    assert answers.delegates == 1, "XNNPACK did not take the whole graph at once"
    assert set(answers.invokes) == {1}


def test_every_runtime_is_held_to_one_step():
    assert MAX_STEPS == 1


def test_the_adapter_gives_the_golden_answers(model: TfliteClassifier):
    result = replay(model)
    assert model.xnnpack
    assert result.worst <= 1
    assert result.flipped == 0


@pytest.mark.parametrize("resolver", ["AUTO", "BUILTIN"])
@pytest.mark.parametrize("runtime", MODULES)
def test_on_xnnpack_every_interpreter_gives_the_golden_answers(model: TfliteClassifier, runtime: str, resolver: str):
    answers, xnnpack = answers_of(model, MODULES[runtime], resolver)
    golden = model.golden.outputs
    assert xnnpack
    assert np.abs(answers.astype(int) - golden).max() <= 1
    np.testing.assert_array_equal(answers.argmax(1), golden.argmax(1))


@pytest.mark.parametrize("resolver", ["BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF"])
@pytest.mark.parametrize("runtime", MODULES)
def test_the_built_in_kernels_round_otherwise_but_mean_the_same(model: TfliteClassifier, runtime: str, resolver: str):
    answers, xnnpack = answers_of(model, MODULES[runtime], resolver)
    assert not xnnpack
    assert moved(model, answers) <= MOST_MOVED


def test_answers_of_another_chip_would_be_told_apart(model: TfliteClassifier):
    assert moved(model, np.roll(model.golden.outputs, 1, axis=0)) > MOST_MOVED


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def legacy(wheel: Path, pytestconfig: pytest.Config) -> Path:
    return legacy_environment(cache_folder(pytestconfig), wheel)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_tflite_runtime_gives_the_golden_answers(legacy: Path):
    answers = Place((str(legacy / "bin" / "python"),)).answers()
    assert answers.runtime.startswith("tflite-runtime 2.14")
    assert_alike(answers)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_on_tflite_runtime_the_program_verifies_its_models(legacy: Path):
    place = Place((str(legacy / "bin" / "python"), str(legacy / "bin" / "emotion-edge")))
    place.run("models", "fetch")
    assert f"{SHIPPED.name}: answers as when it was made" in place.run("models", "verify")
