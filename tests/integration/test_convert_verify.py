"""The gate before a device: a sound file passes, each planted fault is found, bad input is refused."""

import gzip
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from convert.__main__ import main
from convert.delegation import MOST_LONGER, added_time, check_delegation
from convert.golden import golden_chips
from convert.graph import Graph, Operator, Tensor, load_graph
from convert.structure import check_structure
from convert.verify import Question, Verdict, judge, verify
from edge.classifier import SHIPPED, TfliteClassifier
from edge.contract.card import Golden, InputSpec, ModelCard, Quantisation, read_card, with_card
from edge.contract.chip import ChipSpec
from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.training_fakes import fer_rows, noise_chips, real_fer2013, write_fer
from training.data.cache import sha256_of
from training.report import REPORT, DataReport, Report

keras = pytest.importorskip("keras")

Chips = NDArray[Any]
PUBLIC = 140
REAL = 350


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


@pytest.fixture(scope="module")
def model() -> Any:
    return solved()


@pytest.fixture(scope="module")
def sound(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Question:
    """A .keras file with its report, the data, and a sound .tflite with its card."""
    folder = tmp_path_factory.mktemp("sound")
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


@pytest.fixture(scope="module")
def against(sound: Question) -> Path:
    return sound.model.with_name("model.keras")


@pytest.fixture
def faulty(sound: Question, tmp_path: Path) -> Callable[[bytes], Path]:
    """Puts the sound file's card behind another model."""
    card, _ = read_card(sound.model.read_bytes(), "")
    return lambda content: carded(content, card, tmp_path / "faulty.tflite")


@pytest.fixture
def recarded(sound: Question, tmp_path: Path) -> Callable[..., Path]:
    """The sound file with another card."""

    def write(**changes: Any) -> Path:
        content = sound.model.read_bytes()
        card, golden = read_card(content, "")
        path = tmp_path / "recarded.tflite"
        path.write_bytes(with_card(bare(content), msgspec.structs.replace(card, **changes), golden))
        return path

    return write


def test_a_sound_file_passes_with_and_without_pictures(sound: Question, against: Path):
    assert failed(verify(sound.model)) == set()
    for question in (sound, replace(sound, against=against)):
        verdict = judge(question)
        assert failed(verdict) == set()
        assert verdict.passed
        assert verdict.scores["int8"].accuracy > 0.9, "the test's network has to know its classes"
    assert verdict.comparison.n == PUBLIC
    assert [drop.label for drop in verdict.recall] == list(FER2013_LABELS)


def test_the_scaling_of_the_input_is_told_from_a_batchnorm(sound: Question):
    _, found = load_graph(sound.model.read_bytes(), "sound")
    assert [each.name for each in found.operators][:3] == ["MUL", "ADD", "CONV_2D"]
    assert found.unfolded() == ()


def test_a_batchnorm_that_was_not_folded_is_found(faulty: Callable[[bytes], Path]):
    chips, _ = pixels(fer_rows(35, 0))
    chips[0, 0, :2, 0] = 0, 255
    assert failed(verify(faulty(converted(solved(normalised=True), chips)))) == {"BatchNorm"}


def test_calibration_on_noise_is_found_by_pictures_alone(
    model: Any, sound: Question, against: Path, faulty: Callable[[bytes], Path]
):
    path = faulty(converted(model, noise_chips(30)))
    assert failed(verify(path)) == set(), "its input is exact and its golden chips were made after the fault"
    assert {"probabilities", "ECE"} <= failed(judge(replace(sound, model=path, against=against)))
    assert "ece by the card" in failed(judge(replace(sound, model=path)))


def test_calibration_on_grey_pictures_costs_accuracy_and_recall(
    model: Any, sound: Question, against: Path, faulty: Callable[[bytes], Path]
):
    grey = np.random.default_rng(0).normal(128, 3, (30, 48, 48, 1)).round()
    grey[0, 0, :2, 0] = 0, 255
    path = faulty(converted(model, grey))
    found = failed(judge(replace(sound, model=path, against=against)))
    assert {"probabilities", "agreement", "accuracy", "macro-F1"} <= found
    assert any(what.startswith("recall of") for what in found)
    assert "accuracy by the card" in failed(judge(replace(sound, model=path)))


def test_calibration_scaled_twice_is_found_without_pictures(model: Any, faulty: Callable[[bytes], Path]):
    chips, _ = pixels(fer_rows(35, 0))
    found = failed(verify(faulty(converted(model, chips / 255 / 255))))
    assert {"input scale", "answers to the golden chips differ"} <= found


def test_permuted_labels_are_found(sound: Question, against: Path, recarded: Callable[..., Path]):
    labels = (*FER2013_LABELS[1:], FER2013_LABELS[0])
    path = recarded(labels=labels)
    assert failed(verify(path)) == set(), "nothing but pictures or the training report can tell"
    assert "accuracy by the card" in failed(judge(replace(sound, model=path)))
    assert {"labels", "agreement", "accuracy"} <= failed(judge(replace(sound, model=path, against=against)))


def test_lost_weights_are_found_though_the_golden_chips_were_made_later(
    sound: Question, faulty: Callable[[bytes], Path]
):
    empty = solved()
    empty.get_layer("logits").set_weights([values * 0 for values in empty.get_layer("logits").get_weights()])
    chips, _ = pixels(fer_rows(35, 0))
    path = faulty(converted(empty, chips))
    assert {"weights", "answers to the golden chips differ"} <= failed(verify(path))
    assert "answers differ" in failed(judge(replace(sound, model=path)))


def test_an_open_batch_is_found(model: Any, faulty: Callable[[bytes], Path]):
    chips, _ = pixels(fer_rows(35, 0))
    chips[0, 0, :2, 0] = 0, 255
    findings = verify(faulty(converted(model, chips, batch=None)))
    shape = next(finding for finding in findings if finding.what == "input shape")
    assert not shape.passed
    assert "(-1, 48, 48, 1)" in shape.line()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"temperature": 2.0}, "temperature"),
        ({"recipe": {"name": "another", "settings": {}}}, "origin"),
    ],
)
def test_a_card_that_tells_of_another_training_is_found(
    sound: Question, against: Path, recarded: Callable[..., Path], changes: dict[str, Any], what: str
):
    assert what in failed(judge(replace(sound, model=recarded(**changes), against=against)))


def operators(*steps: tuple[str, tuple[int, ...], int]) -> tuple[Operator, ...]:
    return tuple(Operator(name, inputs, (output,)) for name, inputs, output in steps)


def graph(found: Graph, *steps: tuple[str, tuple[int, ...], int]) -> Graph:
    """Operators over tensors, each like the output; 0 is the input, from 100 on they are kernels of 3×3."""
    start, end = found.tensors[found.input], found.tensors[found.output]
    kernel = Tensor((1, 3, 3, 1), "int8", 1.0, 0)
    read = {number for _, inputs, _ in steps for number in inputs}
    tensors = {0: start} | {number: kernel for number in read if number >= 100} | {step[2]: end for step in steps}
    return Graph(operators(*steps), tensors, 0, steps[-1][2], operators(("DELEGATE", (0,), steps[-1][2])))


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ([("MUL", (0, 100), 1), ("ADD", (1, 101), 2), ("CONV_2D", (2, 102), 3)], []),
        ([("SUB", (0, 100), 1), ("MUL", (1, 101), 2), ("CONV_2D", (2, 102), 3)], []),
        ([("CONV_2D", (0, 100), 1), ("CONV_2D", (1, 101), 2), ("ADD", (1, 2), 3), ("MUL", (3, 1), 4)], []),
        ([("MUL", (0, 100), 1), ("ADD", (1, 101), 2), ("MUL", (2, 102), 3), ("ADD", (3, 103), 4)], [2, 3]),
        ([("CONV_2D", (0, 100), 1), ("MUL", (1, 101), 2), ("ADD", (2, 102), 3)], [1, 2]),
    ],
    ids=["scaling", "scaling the other way round", "shortcut and gate", "BatchNorm at the input", "BatchNorm later"],
)
def test_only_the_first_scaling_may_multiply_and_add_constants(sound: Question, steps: list[Any], left: list[int]):
    found = graph(load_graph(sound.model.read_bytes(), "sound")[1], *steps)
    assert [at for at, _ in found.unfolded()] == left


class Kernels:
    """An interpreter, as far as the checks of kernels ask it."""

    def get_tensor(self, number: int) -> Chips:
        return np.arange(9).reshape(1, 3, 3, 1)


def test_a_part_in_float_is_found(sound: Question):
    content = sound.model.read_bytes()
    card, _ = read_card(content, "sound")
    loaded, found = load_graph(content, "sound")
    steps = [("CONV_2D", (0, 100), 1), ("DEQUANTIZE", (1,), 2), ("TANH", (2,), 3), ("QUANTIZE", (3,), 4)]
    partly = graph(found, *steps)
    assert failed(list(check_structure(partly, replace(loaded, interpreter=Kernels()), card))) == {"operators"}


def test_without_xnnpack_no_model_passes(sound: Question):
    loaded, found = load_graph(sound.model.read_bytes(), "sound")
    assert check_delegation(found, loaded, ours=True).passed
    assert not check_delegation(found, replace(loaded, xnnpack=False), ours=False).passed
    without = check_delegation(replace(found, delegates=()), loaded, ours=False)
    assert not without.passed
    assert without.found == "no operator in XNNPACK"


@pytest.mark.parametrize(("values", "passes"), [(7, True), (100_000, False)])
def test_what_xnnpack_declines_may_cost_a_tenth_but_not_in_our_own_networks(sound: Question, values: int, passes: bool):
    loaded, found = load_graph(sound.model.read_bytes(), "sound")
    partly = graph(found, ("CONV_2D", (0, 100), 1), ("MEAN", (1,), 2), ("SOFTMAX", (2,), 3))
    sizes = {number: Tensor((1, values), "int8", 1.0, 0) for number in (2, 3)}
    feature_map = {1: Tensor((1, 1000, 1000, 1), "int8", 1.0, 0)}
    inside = operators(("DELEGATE", (0,), 2))
    partly = replace(partly, tensors={**partly.tensors, **feature_map, **sizes}, delegates=inside)
    for ours in (False, True):
        finding = check_delegation(partly, loaded, ours)
        assert finding.passed is (passes and not ours)
        assert "1 SOFTMAX outside XNNPACK, of 3 operators" in finding.found
    assert added_time(partly, partly.left_outside()) == pytest.approx(values * 500 / 9e6)
    assert MOST_LONGER == 0.1


@pytest.mark.parametrize(("layer", "declined"), [("Softmax", "SOFTMAX"), ("AveragePooling2D", "AVERAGE_POOL_2D")])
def test_the_runtime_tells_what_xnnpack_declined(layer: str, declined: str):
    chips = keras.Input((48, 48, 1))
    x = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(chips))
    x = keras.layers.AveragePooling2D(2)(x) if layer == "AveragePooling2D" else x
    x = keras.layers.Dense(7)(keras.layers.Flatten()(x))
    x = keras.layers.Softmax()(x) if layer == "Softmax" else x
    pictures, _ = pixels(fer_rows(7, 0))
    loaded, found = load_graph(converted(keras.Model(chips, x), pictures), layer)
    assert [each.name for each in found.left_outside()] == [declined]
    assert check_delegation(found, loaded, ours=False).passed is (layer == "Softmax")


@pytest.mark.parametrize(("inside", "expected"), [([], set()), (["QUANTIZE"], {"operators"})])
def test_float_ends_may_be_quantised_behind_the_input_and_before_the_output_only(
    sound: Question, inside: list[str], expected: set[str]
):
    content = sound.model.read_bytes()
    card, _ = read_card(content, "sound")
    names = ["QUANTIZE", "MUL", "ADD", "CONV_2D", *inside, "DEQUANTIZE"]
    steps = [
        (name, (at, 100), at + 1) if name in ("MUL", "ADD", "CONV_2D") else (name, (at,), at + 1)
        for at, name in enumerate(names)
    ]
    loaded, sound_graph = load_graph(content, "sound")
    found = graph(sound_graph, *steps)
    floats = {number: replace(found.tensors[number], dtype="float32") for number in (found.input, found.output)}
    found = replace(found, tensors={**found.tensors, 1: found.tensors[found.input], **floats})
    quantisation = msgspec.structs.replace(card.quantisation, mode="int8-float-io")
    card = msgspec.structs.replace(card, quantisation=quantisation)
    assert failed(list(check_structure(found, replace(loaded, interpreter=Kernels()), card))) == expected


def code_and_words(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main(["verify", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_the_command_prints_a_line_for_each_finding_and_writes_json(
    sound: Question, against: Path, recarded: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    options = ["--data", sound.data, "--cache", tmp_path / "cache", "--json", tmp_path / "out.json"]
    code, words = code_and_words(capsys, sound.model, "--against", against, *options)
    verdict = msgspec.json.decode((tmp_path / "out.json").read_bytes(), type=Verdict)
    assert code == 0
    assert verdict.passed
    assert words.count("passed  ") == len(verdict.findings)
    code, words = code_and_words(capsys, recarded(labels=FER2013_LABELS[::-1]), "--against", against, *options)
    assert code == 1
    assert "FAILED  accuracy: found " in words
    assert "expected a drop of at most 0.5 points" in words
    assert not msgspec.json.decode((tmp_path / "out.json").read_bytes(), type=Verdict).passed


def test_the_limits_are_what_was_asked_for(sound: Question, against: Path, recarded: Callable[..., Path], capsys):
    options = ["--data", sound.data, "--against", against, "--max-accuracy-drop", 100, "--max-recall-drop", 100]
    _, words = code_and_words(capsys, recarded(labels=FER2013_LABELS[::-1]), *options)
    assert "passed  accuracy: " in words
    assert "FAILED  recall of" not in words
    assert "FAILED  labels" in words
    with pytest.raises(SystemExit):
        code_and_words(capsys, sound.model, "--max-accuracy-drop", "-1")


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


def test_the_shipped_model_measures_as_its_card_says_and_permuted_labels_are_found(tmp_path: Path):
    with gzip.open(real_fer2013(), "rt") as file:
        head, *lines = (line for number, line in enumerate(file) if not number or ",PublicTest" in line)
    data = tmp_path / "some.csv"
    data.write_text(head + "".join(lines[:REAL]))
    question = Question(SHIPPED, data=data)
    question = replace(question, model=with_figures(question, tmp_path / "shipped.tflite"))
    verdict = judge(question)
    assert failed(verdict) == set()
    assert 0.55 < verdict.scores["int8"].accuracy < 0.8
    content = question.model.read_bytes()
    card, golden = read_card(content, "")
    permuted = msgspec.structs.replace(card, labels=card.labels[::-1])
    question.model.write_bytes(with_card(bare(content), permuted, golden))
    assert "accuracy by the card" in failed(judge(question))
