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
        ("tflite-runtime 2.14.0", 4, True),
        ("tflite-runtime 2.14.0", 9, False),
    ],
)
def test_int8_answers_may_differ_by_the_kernels_rounding_and_no_more(runtime: str, off: int, passes: bool):
    result = replay(classifier(runtime, off))
    assert result.passed is passes
    assert result.worst == off


def test_float_answers_must_agree_closely():
    answers = np.array([[0.1, 0.2]], np.float32)
    stand_in = SimpleNamespace(
        runtime="ai-edge-litert 2", golden=Golden(CHIPS[:1], answers), raw=lambda _: answers[0] + 0.01
    )
    assert not replay(stand_in).passed


def test_a_changed_class_is_told():
    result = replay(classifier("ai-edge-litert 2.3.0", 60))
    assert result.flipped == 1
    assert "does NOT answer" in result.text()
    assert "1 changed class" in result.text()
