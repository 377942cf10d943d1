"""A small sound model with its card, report and data, and by this file's own hand whatever is wrong with others."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from convert.__main__ import main
from convert.golden import golden_chips
from convert.graph import load_graph
from convert.verify import Question, Verdict
from edge.classifier import TfliteClassifier
from edge.contract.card import Golden, InputSpec, ModelCard, Quantisation, read_card, with_card
from edge.contract.chip import ChipSpec
from edge.contract.labels import FER2013_LABELS
from tests.training_fakes import fer_rows, write_fer
from training.data.cache import sha256_of
from training.report import REPORT, DataReport, Report

keras = pytest.importorskip("keras")


Chips = NDArray[Any]


PUBLIC = 140


def pixels(rows: list[tuple[int, NDArray[np.uint8], str]]) -> tuple[Chips, NDArray[np.int64]]:
    chips = np.stack([row for _, row, _ in rows]).reshape(-1, 48, 48, 1)
    return chips, np.array([label for label, _, _ in rows])


def solved(normalised: bool = False) -> Any:
    """A network whose last layer is solved for, not trained: blocks' means above and below grey, weighed by class."""
    chips, labels = pixels(fer_rows(210, 0))
    inputs = keras.Input((48, 48, 1))
    hidden = keras.layers.Rescaling(1 / 127.5, -1)(inputs)
    hidden = keras.layers.Conv2D(4, 12, strides=12, padding="same", activation="relu", name="blocks")(hidden)
    if normalised:
        hidden = keras.layers.MaxPooling2D(1)(hidden)
        hidden = keras.layers.BatchNormalization(name="late")(hidden)
        hidden = keras.layers.MaxPooling2D(1)(hidden)
    hidden = keras.layers.Flatten()(hidden)
    model = keras.Model(inputs, keras.layers.Dense(7, name="logits")(hidden))
    sign = np.array([1, -1, 1, -1], np.float32)
    bias = np.array([0, 0, -0.2, -0.2], np.float32)
    model.get_layer("blocks").set_weights([np.broadcast_to(sign / 144, (12, 12, 1, 4)), bias])
    if normalised:
        model.get_layer("late").set_weights([np.float32([1, 2, 1, 2]), np.float32([0, 1, 0, 1]), *np.ones((2, 4))])
    features = keras.Model(inputs, model.layers[-2].output).predict(chips.astype(np.float32), verbose=0)
    known = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    wanted = 8 * np.eye(7)[labels] - 4
    # a little ridge: what is solved exactly has huge weights, and int8 hates those
    weights = np.linalg.solve(known.T @ known + 0.05 * np.eye(known.shape[1]), known.T @ wanted)
    model.get_layer("logits").set_weights([weights[:-1], weights[-1]])
    return model


def report(**changes: Any) -> Report:
    """As a training writes it."""
    values: dict[str, Any] = {
        "recipe": "solved",
        "resolved_recipe": {},
        "seed": 1,
        "labels": FER2013_LABELS,
        "epochs": 1,
        "steps": 1,
        "minutes": 0.1,
        "parameters": 1035,
        "macs": 10_000,
        "fold_error": 0.0,
        "temperature": 1.0,
        "data": DataReport("", 210, 0, PUBLIC, PUBLIC, (), ()),
        "scores": {},
        "versions": {},
    }
    return Report(**(values | changes))


def write(beside: Report, path: Path) -> None:
    path.write_bytes(msgspec.json.encode(beside))


def converted(model: Any, calibration: Chips, batch: int | None = 1) -> bytes:
    """What TensorFlow makes of it, by this test's own hand: without the checks of `convert quantize`."""
    import tensorflow as tf

    inputs = keras.Input(batch_shape=(batch, 48, 48, 1))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(inputs, model(inputs)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([chip[np.newaxis].astype(np.float32)] for chip in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def carded(content: bytes, card: ModelCard, path: Path) -> Path:
    """A file whose card and golden chips agree with whatever it is: a fault from before they were made."""
    _, found = load_graph(content, path.name)
    ends = {
        f"{end}_{what}": getattr(found.tensors[number], what)
        for end, number in (("input", found.input), ("output", found.output))
        for what in ("scale", "zero_point")
    }
    card = msgspec.structs.replace(card, quantisation=msgspec.structs.replace(card.quantisation, **ends))
    chips = golden_chips(48, 1)
    path.write_bytes(with_card(content, card, Golden(chips, np.zeros((len(chips), 7), np.int8))))
    classifier = TfliteClassifier(path)
    path.write_bytes(with_card(content, card, Golden(chips, np.stack([classifier.raw(chip) for chip in chips]))))
    return path


def bare(content: bytes) -> bytes:
    """The model without its card."""
    return content[: content.index(b"PK\x03\x04")]


def failed(verdict: Verdict | list[Any]) -> set[str]:
    findings = verdict.findings if isinstance(verdict, Verdict) else verdict
    return {finding.what.split(" (")[0] for finding in findings if not finding.passed}


def code_and_words(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main(["verify", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def made_sound(folder: Path, model: Any) -> Question:
    """A .keras file with its report, the data, and a sound .tflite with its card."""
    data = write_fer(folder / "fer.csv", fer_rows(210, PUBLIC))
    model.save(folder / "model.keras")
    write(report(), folder / REPORT)
    chips, _ = pixels(fer_rows(210, 0))
    ramp = np.broadcast_to(np.linspace(0, 255, 48)[:, None], (1, 48, 48))[..., np.newaxis]
    content = converted(model, np.concatenate([ramp.round(), chips[:50]]))
    card = ModelCard(
        name="solved",
        labels=FER2013_LABELS,
        chip=ChipSpec(size=48, channels=1),
        input=InputSpec(),
        output="logits",
        temperature=1.0,
        quantisation=Quantisation("int8", 1.0, -128, 1.0, 0, 51, "made-up pictures"),
        recipe={"name": "solved", "seed": 1, "steps": 1, "parameters": 1035, "settings": {}},
        data={"sha256": sha256_of(data)},
        figures={},
        intended_use="tests",
        limits="tests",
    )
    path = carded(content, card, folder / "sound.tflite")
    question = Question(path, data=data)
    return replace(question, model=with_figures(question, folder / "figures.tflite"))


def with_figures(question: Question, path: Path) -> Path:
    """The same file, its card saying how it does on the question's data."""
    from training.evaluate import evaluate

    content = question.model.read_bytes()
    card, golden = read_card(content, question.model.name)
    scores = evaluate(question.model, question.data, "PublicTest").scores
    figures = {name: round(getattr(scores, name), 4) for name in ("accuracy", "macro_f1", "ece")}
    recall = {each.label: round(each.recall, 4) for each in scores.per_class}
    said = {"PublicTest": {"int8": {**figures, "recall": recall}}}
    data = {**card.data, "sha256": sha256_of(question.data)}
    path.write_bytes(with_card(bare(content), msgspec.structs.replace(card, figures=said, data=data), golden))
    return path


def with_card_of(question: Question, path: Path, **changes: Any) -> Path:
    """The sound file with another card."""
    content = question.model.read_bytes()
    card, golden = read_card(content, "")
    path.write_bytes(with_card(bare(content), msgspec.structs.replace(card, **changes), golden))
    return path
