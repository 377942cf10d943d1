"""Files and questions that the gate refuses, with what was found and expected."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.verify import Question, judge, verify
from edge.contract.card import read_card, with_card
from edge.contract.chip import ChipSpec
from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.sound_file import bare, code_and_words, failed, report, write
from tests.training_fakes import fer_rows, write_fer
from training.report import REPORT

keras = pytest.importorskip("keras")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused(sound: Question, tmp_path: Path, capsys: pytest.CaptureFixture[str], share: float):
    content = sound.model.read_bytes()
    path = tmp_path / "cut.tflite"
    path.write_bytes(content[: int(len(content) * share)])
    code, words = code_and_words(capsys, path)
    assert code == 78
    assert "carries no model card" in words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": FER2013_LABELS[:6]}, "number of outputs is 7, its card says 6"),
        ({"chip": ChipSpec(size=64, channels=1)}, r"input shape is \(1, 48, 48, 1\), its card says \(1, 64, 64, 1\)"),
    ],
)
def test_a_card_that_lies_is_refused(recarded: Callable[..., Path], changes: dict[str, Any], words: str):
    with pytest.raises(PermanentError, match=words):
        verify(recarded(**changes))


def test_a_label_that_is_there_twice_is_found(recarded: Callable[..., Path]):
    assert failed(verify(recarded(labels=("angry", *FER2013_LABELS[:6])))) == {"card"}


def test_a_custom_operator_is_refused_by_its_name(sound: Question, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = sound.model.read_bytes()
    graph = schema.ModelT.InitFromPackedBuf(bare(content), 0)
    code = next(each for each in graph.operatorCodes if each.builtinCode == schema.BuiltinOperator.CONV_2D)
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = b"FlexConv"
    builder = flatbuffers.Builder()
    builder.Finish(graph.Pack(builder), b"TFL3")
    path = tmp_path / "flex.tflite"
    path.write_bytes(with_card(bytes(builder.Output()), *read_card(content, "")))
    exit_code, words = code_and_words(capsys, path)
    assert exit_code == 78
    assert "custom operator FlexConv" in words


def test_weights_that_are_no_numbers_are_refused(
    sound: Question, model: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    broken = keras.models.clone_model(model)
    broken.set_weights([np.full_like(values, math.nan) for values in model.get_weights()])
    broken.save(tmp_path / "model.keras")
    write(report(), tmp_path / REPORT)
    code, words = code_and_words(capsys, sound.model, "--data", sound.data, "--against", tmp_path / "model.keras")
    assert code == 78
    assert "NaN or infinite weights" in words


def other_tasks() -> Iterator[tuple[Any, tuple[str, ...], str]]:
    layers = keras.layers
    numbers = keras.Sequential([keras.Input((10,)), layers.Dense(7)])
    yield numbers, FER2013_LABELS, r"expected one input \(N, S, S, C\), a picture"
    picture = [keras.Input((48, 48, 1)), layers.Flatten()]
    yield keras.Sequential([*picture, layers.Dense(2)]), ("young", "old"), "expected the data's labels"


@pytest.mark.parametrize("number", [0, 1])
def test_a_model_of_another_task_is_refused(sound: Question, tmp_path: Path, number: int):
    other, labels, words = list(other_tasks())[number]
    other.save(tmp_path / "other.keras")
    write(report(labels=labels), tmp_path / REPORT)
    with pytest.raises(PermanentError, match=words):
        judge(replace(sound, against=tmp_path / "other.keras"))


def test_what_cannot_be_measured_is_refused(sound: Question, against: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match="give them with --data"):
        judge(Question(sound.model, against=against))
    with pytest.raises(ConfigError, match=r"a \.keras file"):
        judge(replace(sound, against=sound.model))
    with pytest.raises(ConfigError, match="no split 'PrivateTest'"):
        judge(replace(sound, split="PrivateTest"))
    other = write_fer(tmp_path / "other.csv", fer_rows(70, 70, seed=5))
    with pytest.raises(ConfigError, match="or the float model with --against"):
        judge(replace(sound, data=other))
    few = write_fer(tmp_path / "few.csv", [row for row in fer_rows(70, 70) if row[0] != 3 or row[2] == "Training"])
    with pytest.raises(ConfigError, match="no picture of happy"):
        judge(replace(sound, data=few, against=against))
