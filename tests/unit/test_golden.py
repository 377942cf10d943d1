"""How far a model's answers may be from those it carries."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.contract.card import Golden
from edge.golden import replay

CHIPS = np.zeros((3, 48, 48, 1), np.uint8)
ANSWERS = np.array([[10, -20, 5], [0, 40, -7], [-128, 127, 3]], np.int8)


def classifier(runtime: str, off: int, answers: np.ndarray = ANSWERS) -> Any:
    found = iter(answers.astype(np.int64) - np.array([0, off, 0]))
    return SimpleNamespace(runtime=runtime, golden=Golden(CHIPS, answers), raw=lambda _chip: next(found))


@pytest.mark.parametrize(
    ("runtime", "off", "passes"),
    [
        ("ai-edge-litert 2.3.0", 0, True),
        ("ai-edge-litert 2.3.0", 1, True),
        ("ai-edge-litert 2.3.0", 2, False),
        ("tflite-runtime 2.14.0", 1, True),
        ("tflite-runtime 2.14.0", 2, False),
    ],
)
def test_int8_answers_may_differ_by_the_kernels_rounding_and_no_more(runtime: str, off: int, passes: bool):
    result = replay(classifier(runtime, off))
    assert result.passed is passes
    assert result.worst == off


FLOAT_ANSWERS = np.array([[0.1, 0.2, -3.1], [0.4, 1.0, 2.9]], np.float32)
STEP = 0.04


@pytest.mark.parametrize(
    ("mode", "runtime", "off", "passes"),
    [
        ("float32", "ai-edge-litert 2.3.0", 0.0005, True),
        ("float32", "ai-edge-litert 2.3.0", 0.01, False),
        ("float16", "tflite-runtime 2.14.0", 0.01, False),
        ("dynamic", "ai-edge-litert 2.3.0", 0.1, True),  # 2 % of 6.0 are 0.12
        ("dynamic", "ai-edge-litert 2.3.0", 0.2, False),
        ("int8-float-io", "ai-edge-litert 2.3.0", STEP, True),
        ("int8-float-io", "ai-edge-litert 2.3.0", 2 * STEP, False),
        ("int8-float-io", "tflite-runtime 2.14.0", STEP, True),
        ("int8-float-io", "tflite-runtime 2.14.0", 2 * STEP, False),
    ],
)
def test_float_answers_may_differ_as_much_as_their_mode_explains(mode: str, runtime: str, off: float, passes: bool):
    found = iter(FLOAT_ANSWERS + np.array([0, off, 0], np.float32))
    stand_in: Any = SimpleNamespace(
        runtime=runtime,
        golden=Golden(CHIPS[:2], FLOAT_ANSWERS),
        raw=lambda _chip: next(found),
        card=SimpleNamespace(quantisation=SimpleNamespace(mode=mode, output_scale=STEP)),
    )
    assert replay(stand_in).passed is passes


def test_answers_that_are_no_numbers_do_not_pass():
    stand_in: Any = SimpleNamespace(
        runtime="ai-edge-litert 2.3.0",
        golden=Golden(CHIPS[:2], FLOAT_ANSWERS),
        raw=lambda _chip: FLOAT_ANSWERS[0] * np.float32(np.nan),
        card=SimpleNamespace(quantisation=SimpleNamespace(mode="float32", output_scale=0.0)),
    )
    result = replay(stand_in)
    assert not result.passed
    assert "no numbers" in result.text()


def test_a_changed_class_is_told():
    result = replay(classifier("ai-edge-litert 2.3.0", 60))
    assert result.flipped == 1
    assert "does NOT answer" in result.text()
    assert "1 changed class" in result.text()
