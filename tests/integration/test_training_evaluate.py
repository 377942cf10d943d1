"""Evaluating and comparing model files as a user does: Keras, TFLite, and several together."""

import hashlib
import json
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from edge.classifier import SHIPPED
from edge.contract.labels import FER2013_LABELS
from tests.training_fakes import RECIPES, fer_rows, write_fer, write_random_model
from training import cli
from training.compare import Comparison
from training.evaluate import Evaluation, evaluate
from training.reporting.ferplus import VOTES
from training.reporting.findings import ModelReport

TRAIN, PUBLIC = 70, 42


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up pictures, seven of the reported ones learnt from as well, and votes that agree with the labels."""
    folder = tmp_path_factory.mktemp("data")
    rows = fer_rows(TRAIN, PUBLIC)
    rows[TRAIN : TRAIN + 7] = [(label, pixels, "PublicTest") for label, pixels, _ in rows[:7]]
    columns = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    lines = [f"row,Usage,Image name,{','.join(columns)},contempt,unknown,NF"]
    for row, (label, _, split) in enumerate(rows):
        lines.append(f"{row},{split},,{','.join('8' if at == label else '0' for at in range(7))},1,1,0")
    (folder / VOTES).write_text("\n".join(lines) + "\n")
    return write_fer(folder / "fer.csv.gz", rows)


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_model(tmp_path_factory.mktemp("keras") / "one", FER2013_LABELS, 1)


@pytest.mark.parametrize("kind", ["keras", "tflite"])
def test_any_model_file_gets_its_report(kind: str, keras_file: Path, data: Path, tmp_path: Path, capsys):
    model = keras_file if kind == "keras" else SHIPPED
    out = tmp_path / "report"
    command = ["evaluate", str(model), "--data", str(data), "--cache", str(tmp_path / "cache"), "--report", str(out)]
    assert cli.main(command) == 0
    assert f"report in {out}" in capsys.readouterr().out
    report = msgspec.json.decode((out / "evaluation.json").read_bytes(), type=ModelReport)
    assert report.evaluation == evaluate(model, data, "PublicTest")
    assert report.views["flip"] == evaluate(model, data, "PublicTest", flip=True).scores
    assert report.unseen is not None
    assert report.unseen.seen >= 7
    assert report.ferplus is not None
    assert (report.ferplus.n, report.ferplus.labels) == (PUBLIC, 1.0)
    assert report.ferplus.model == pytest.approx(report.evaluation.scores.accuracy)
    assert len(report.robustness) == 8
    text = (out / "evaluation.md").read_text()
    for path in out.glob("*.png"):
        assert f"]({path.name})" in text
        assert cv2.imread(str(path)) is not None


def test_several_models_are_one(keras_file: Path, data: Path, tmp_path: Path):
    other = write_random_model(tmp_path / "other", FER2013_LABELS[::-1], 2)
    figures = tmp_path / "figures.json"
    command = ["evaluate", str(keras_file), str(other), str(SHIPPED), "--data", str(data), "--json", str(figures)]
    assert cli.main([*command, "--cache", str(tmp_path / "cache")]) == 0
    found = msgspec.json.decode(figures.read_bytes(), type=Evaluation)
    assert found == evaluate([keras_file, other, SHIPPED], data, "PublicTest")
    assert found.model == f"{keras_file} + {other} + {SHIPPED}"
    assert len(found.model_sha256.split(" + ")) == 3
    assert (found.temperature, found.labels) == (1, FER2013_LABELS)


def test_two_models_are_compared(keras_file: Path, data: Path, tmp_path: Path, capsys):
    figures = tmp_path / "figures.json"
    command = ["compare", str(keras_file), str(SHIPPED), "--data", str(data), "--json", str(figures)]
    assert cli.main([*command, "--cache", str(tmp_path / "cache")]) == 0
    said = capsys.readouterr().out
    assert "is better, by " in said or "Nothing can be said" in said
    found = msgspec.json.decode(figures.read_bytes(), type=Comparison)
    assert found.both_right + found.only_a + found.only_b + found.neither == found.n == PUBLIC
    assert found.accuracy.b == evaluate(SHIPPED, data, "PublicTest").scores.accuracy


def test_each_side_of_a_comparison_may_be_an_ensemble(keras_file: Path, data: Path, tmp_path: Path, capsys):
    other = write_random_model(tmp_path / "a+b", FER2013_LABELS[::-1], 2)
    figures = tmp_path / "figures.json"
    command = ["compare", f"{keras_file}+{SHIPPED}", str(other), "--data", str(data), "--json", str(figures)]
    assert cli.main([*command, "--cache", str(tmp_path / "cache")]) == 0
    assert f"A  {keras_file} + {SHIPPED}\nB  {other}\n" in capsys.readouterr().out
    found = msgspec.json.decode(figures.read_bytes(), type=Comparison)
    assert found.accuracy.a == evaluate([keras_file, SHIPPED], data, "PublicTest").scores.accuracy
    assert found.accuracy.b == evaluate(other, data, "PublicTest").scores.accuracy
    assert len(found.a_sha256.split(" + ")) == 2


@pytest.mark.parametrize(
    ("side", "message"),
    [("model.keras+", "expected a model file, or several with"), ("one.keras+two.keras", "one.keras: no such file")],
)
def test_a_side_of_a_comparison_that_is_none_is_refused(side: str, message: str, data: Path, tmp_path: Path, capsys):
    command = ["compare", side, str(SHIPPED), "--data", str(data), "--cache", str(tmp_path)]
    assert cli.main(command) == 78
    assert message in capsys.readouterr().err


def test_the_report_of_a_model_with_a_history_beside_it_shows_how_its_training_went(
    keras_file: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    model = write_random_model(tmp_path / "run", FER2013_LABELS, 3)
    history = model.with_name("history.csv")
    assert cli._history([model]) == ()
    history.write_text("date,price\n1,2\n")
    assert cli._history([model]) == ()
    assert "the course of the training is not drawn: " in capsys.readouterr().err
    history.write_text(
        "epoch,step,learning_rate,loss,accuracy,seconds,holdout_accuracy,holdout_nll\n"
        "1,9,0.1,1.9,0.2,3.0,,\n2,18,0.05,1.5,0.4,3.0,0.35,1.6\n"
    )
    assert cli._history([model, keras_file]) == ()
    out = tmp_path / "report"
    command = ["evaluate", str(model), "--data", str(data), "--cache", str(tmp_path / "cache"), "--report", str(out)]
    assert cli.main(command) == 0
    assert "![Loss, accuracy and learning rate by epoch](course.png)" in (out / "evaluation.md").read_text()
    assert cv2.imread(str(out / "course.png")).std() > 5


def test_a_folder_of_pictures_is_hashed_once_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "faces"
    for number, (label, pixels, _) in enumerate(fer_rows(210, 0)):
        file = folder / FER2013_LABELS[label] / f"{number:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), pixels.reshape(48, 48))
    recipe = tmp_path / "recipe.toml"
    source = '[data]\nloader = "class-folders"\ntrain_split = "Training"\nreport_split = "Validation"\n'
    recipe.write_text((RECIPES / "tiny.toml").read_text() + source)
    hashed: list[str] = []
    digest = hashlib.file_digest

    def counted(file, name):
        hashed.append(file.name)
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    drawn: list[Path] = []
    monkeypatch.setattr("training.reporting.model_report.write", lambda document, to: drawn.append(to))
    model, shared = tmp_path / "run" / "model.keras", ["--data", str(folder), "--cache", str(tmp_path / "cache")]
    read = [*shared, "--recipe", str(recipe)]
    for command in (
        ["fit", str(recipe), *shared, "--out", str(tmp_path / "run")],
        ["evaluate", str(model), *read],
        ["compare", str(model), f"{model}+{SHIPPED}", *read],
        [
            "adopt",
            str(model),
            "--labels",
            ",".join(FER2013_LABELS),
            "--expects",
            "raw",
            *read,
            "--out",
            str(tmp_path / "x"),
        ],
        ["data", *read],
    ):
        hashed.clear()
        assert cli.main(command) == 0, command
        pictures = [name for name in hashed if str(name).endswith(".png")]
        assert len(pictures) == len(set(pictures)) == 210, command
    assert drawn == [tmp_path / "run" / "report"]


def test_data_are_read_as_a_recipe_says(data: Path, tmp_path: Path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        'name = "other"\ndescription = ""\n[network]\nfamily = "qarepvgg"\n[optimiser]\nepochs = 3\n'
        '[data]\nreport_split = "Training"\n'
    )
    figures = tmp_path / "figures.json"
    command = ["evaluate", str(SHIPPED), "--data", str(data), "--recipe", str(recipe), "--json", str(figures)]
    assert cli.main([*command, "--cache", str(tmp_path / "cache")]) == 0
    assert json.loads(figures.read_text())["split"] == "Training"
    assert json.loads(figures.read_text())["scores"]["n"] == TRAIN


def test_a_model_of_other_classes_is_refused(data: Path, tmp_path: Path, capsys):
    five = write_random_model(tmp_path / "five", FER2013_LABELS[:5], 3)
    assert cli.main(["compare", str(five), str(SHIPPED), "--data", str(data), "--cache", str(tmp_path)]) == 78
    assert "expected the data's labels" in capsys.readouterr().err
    assert cli.main(["evaluate", str(five), str(SHIPPED), "--data", str(data), "--cache", str(tmp_path)]) == 78
    assert "the model knows" in capsys.readouterr().err


def test_data_are_described_and_written_in_other_forms(data: Path, tmp_path: Path, capsys):
    command = ["data", "--data", str(data), "--cache", str(tmp_path / "cache")]
    command += ["--recipe", str(RECIPES / "tiny.toml"), "--sheet", str(tmp_path / "sheet.png")]
    command += [
        "--npy",
        str(tmp_path / "npy"),
        "--folders",
        str(tmp_path / "folders"),
        "--pack",
        str(tmp_path / "p.zip"),
    ]
    assert cli.main(command) == 0
    assert f"{TRAIN + PUBLIC} chips, 48×48 px, grey" in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None
    assert len(list((tmp_path / "folders").rglob("*.png"))) == TRAIN + PUBLIC
    assert list((tmp_path / "npy").glob("*.npy"))
    assert (tmp_path / "p.zip").stat().st_size > 0


def write_foreign(path: Path) -> Path:
    """A model that knows the made-up classes: of raw pixels, which class's mean picture is nearest."""
    import keras

    layers = [keras.Input((48, 48, 1)), keras.layers.AveragePooling2D(12), keras.layers.Flatten()]
    pooled = keras.Sequential(layers)
    rows = fer_rows(TRAIN, 0)
    features = pooled.predict(np.stack([pixels for _, pixels, _ in rows]).reshape(-1, 48, 48, 1), verbose=0)
    labels = np.array([label for label, _, _ in rows])
    means = np.stack([features[labels == label].mean(axis=0) for label in range(7)])
    model = keras.Sequential([*layers, keras.layers.Dense(7)])
    # |x - m|² is least where x·m - |m|²/2 is greatest
    model.layers[-1].set_weights([means.T / 500, -(means**2).sum(axis=1) / 1000])
    model.save(path)
    return path


def test_a_model_from_elsewhere_is_taken_in(data: Path, tmp_path: Path, capsys):
    model = write_foreign(tmp_path / "old.keras")
    command = ["adopt", str(model), "--labels", ", ".join(FER2013_LABELS), "--data", str(data)]
    command += ["--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "taken"), "--expects"]
    assert cli.main([*command, "raw"]) == 0
    assert evaluate(tmp_path / "taken" / "model.keras", data, "PublicTest").scores.accuracy == 1
    assert cli.main([*command, "unit"]) == 78
    assert "expected" in capsys.readouterr().err


def test_a_run_ends_with_its_report_and_is_not_lost_with_it(tmp_path: Path, capsys):
    data = write_fer(tmp_path / "fer.csv", fer_rows(170, PUBLIC))
    out = tmp_path / "run"
    out.mkdir()
    (out / "report").write_text("a file where the directory belongs")
    command = ["fit", str(RECIPES / "tiny.toml"), "--data", str(data), "--out", str(out)]
    command += ["--cache", str(tmp_path / "cache")]
    assert cli.main(command) == 0
    assert "the model is written, its report with pictures is not: " in capsys.readouterr().err
    assert (out / "model.keras").exists()

    (out / "report").unlink()
    assert cli.main([*command, "--resume"]) == 0
    assert f"report in {out / 'report'}" in capsys.readouterr().out
    report = msgspec.json.decode((out / "report" / "evaluation.json").read_bytes(), type=ModelReport)
    assert report.evaluation == evaluate(out / "model.keras", data, "PublicTest")
    assert "![Loss, accuracy and learning rate by epoch](course.png)" in (out / "report" / "evaluation.md").read_text()
    assert cv2.imread(str(out / "report" / "course.png")) is not None
    assert cv2.imread(str(out / "report" / "confusion.png")) is not None
