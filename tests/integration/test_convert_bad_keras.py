"""Keras files that cannot be converted: each is refused with what was found, what was expected, and exit code 78."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from convert.__main__ import main
from tests.small_run import training_report
from tests.training_fakes import fer_rows, write_fer
from training.report import REPORT

keras = pytest.importorskip("keras")
layers = keras.layers


def picture(*rest: Any) -> Any:
    return keras.Sequential([keras.Input((48, 48, 1)), layers.Flatten(), *rest])


def two_inputs() -> Any:
    ends = [keras.Input((48, 48, 1)), keras.Input((3,))]
    return keras.Model(ends, layers.Dense(7)(layers.Concatenate()([layers.Flatten()(ends[0]), ends[1]])))


def without_numbers() -> Any:
    model = picture(layers.Dense(7, name="answer"))
    model.set_weights([np.full_like(values, np.nan) for values in model.get_weights()])
    return model


def text() -> Any:
    return keras.Sequential(
        [keras.Input((100,), dtype="int32"), layers.Embedding(50, 8), layers.Flatten(), layers.Dense(7)]
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: picture(layers.Dense(1)), "gives 1 value for a picture; expected one for each of two classes or more"),
        (two_inputs, "maps (None, 48, 48, 1), (None, 3) to (None, 7); expected one input (N, S, S, C), a picture"),
        (text, "maps (None, 100) to (None, 7); expected one input (N, S, S, C), a picture"),
        (without_numbers, "NaN or infinite weights in"),
        (lambda: picture(layers.Dense(5)), "knows 5 classes, expected 7, the labels angry"),
        (
            lambda: keras.Sequential([keras.Input((48, 40, 1)), layers.Flatten(), layers.Dense(7)]),
            "takes pictures (48, 40, 1); expected square ones of a fixed size",
        ),
    ],
    ids=["regression", "two inputs", "text", "NaN", "other classes", "not square"],
)
def test_a_model_of_another_task_is_refused(
    make: Callable[[], Any], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make().save(tmp_path / "model.keras")
    assert words in refused(tmp_path / "model.keras", tmp_path, capsys)


def test_what_is_no_model_at_all_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "empty.keras").touch()
    assert "empty.keras is empty; expected a Keras model" in refused(tmp_path / "empty.keras", tmp_path, capsys)
    (tmp_path / "cut.keras").write_bytes(b"PK\x03\x04 and no more")
    assert "is not a Keras model that this version reads" in refused(tmp_path / "cut.keras", tmp_path, capsys)
    (tmp_path / "folder.keras").mkdir()
    assert "is a directory, but not a SavedModel" in refused(tmp_path / "folder.keras", tmp_path, capsys)
    assert "no such file; expected a Keras model" in refused(tmp_path / "none.keras", tmp_path, capsys)
    real = Path.open

    def closed(path: Path, *rest: Any, **more: Any) -> Any:
        if path.suffix == ".keras":
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    # root reads everything, so that no file could be made unreadable for it
    monkeypatch.setattr(Path, "open", closed)
    assert "Permission denied; check its permissions" in refused(tmp_path / "cut.keras", tmp_path, capsys)


def refused(model: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    (folder / REPORT).write_bytes(msgspec.json.encode(training_report()))
    data = write_fer(folder / "fer.csv", fer_rows(7, 7))
    places = ["--data", str(data), "--out", str(folder / "x.tflite"), "--cache", str(folder / "cache")]
    assert main(["quantize", str(model), *places]) == 78
    assert not (folder / "x.tflite").exists()
    shutil.rmtree(folder / "cache", ignore_errors=True)
    return capsys.readouterr().err
