"""Naming the expressions on pictures, labelled or not, as a user does; what is refused."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.classifier import SHIPPED
from edge.contract.labels import FER2013_LABELS
from tests.training_fakes import fer_rows, write_fer, write_random_model
from training import cli
from training.predictors import load_predictor

keras = pytest.importorskip("keras")

COUNT = 21
PIXELS = np.stack([pixels for _, pixels, _ in fer_rows(COUNT, 0)]).reshape(-1, 48, 48, 1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_model(tmp_path_factory.mktemp("model") / "one")


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kaggle's `test.csv`: pictures and nothing else."""
    path = tmp_path_factory.mktemp("data") / "test.csv"
    path.write_text("pixels\n" + "".join(f"{' '.join(map(str, each.ravel()))}\n" for each in PIXELS))
    return path


def predict(*words: object, data: Path, out: Path, loader: str = "kaggle-csv") -> int:
    command = ["predict", *map(str, words), "--data", str(data), "--loader", loader, "--out", str(out)]
    return cli.main([*command, "--cache", str(out.parent / "cache")])


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def shares(rows: list[dict[str, str]], labels: tuple[str, ...] = FER2013_LABELS) -> NDArray[np.float64]:
    return np.array([[float(row[f"probability_{name}"]) for name in labels] for row in rows])


def test_pictures_without_labels_get_a_row_each(model: Path, unlabelled: Path, tmp_path: Path, capsys):
    out = tmp_path / "new" / "answers.csv"
    assert predict(model, data=unlabelled, out=out) == 0
    rows = read_csv(out)
    assert list(rows[0]) == ["row", "label", "confidence", *(f"probability_{name}" for name in FER2013_LABELS)]
    assert [int(row["row"]) for row in rows] == list(range(COUNT))
    expected = load_predictor(model).probabilities(PIXELS)
    assert shares(rows) == pytest.approx(expected, abs=1e-6)
    assert [row["label"] for row in rows] == [FER2013_LABELS[at] for at in expected.argmax(axis=1)]
    assert [float(row["confidence"]) for row in rows] == pytest.approx(expected.max(axis=1), abs=1e-6)
    assert [path.name for path in out.parent.iterdir() if path.is_file()] == ["answers.csv"]

    said = capsys.readouterr().out
    assert f"on Unlabelled, {COUNT} pictures, mean confidence {expected.max(axis=1).mean():.3f}" in said
    named = np.bincount(expected.argmax(axis=1), minlength=7)
    lines = {words[0]: words[1:] for line in said.splitlines() if len(words := line.split()) == 4}
    assert [int(lines[name][0]) for name in FER2013_LABELS] == named.tolist()
    assert [lines[name][1] for name in FER2013_LABELS] == [f"{count / COUNT:.1%}" for count in named]


def test_lines_of_json_say_the_same(model: Path, unlabelled: Path, tmp_path: Path):
    assert predict(model, data=unlabelled, out=tmp_path / "a.jsonl") == 0
    assert predict(model, data=unlabelled, out=tmp_path / "a.csv") == 0
    answers = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    rows = read_csv(tmp_path / "a.csv")
    assert [(each["row"], each["label"]) for each in answers] == [(int(row["row"]), row["label"]) for row in rows]
    found = [[each["probabilities"][name] for name in FER2013_LABELS] for each in answers]
    assert np.array(found) == pytest.approx(shares(rows), abs=1e-9)
    assert all(each["confidence"] == max(each["probabilities"].values()) for each in answers)


def test_several_models_and_the_mirror_image_are_averaged(model: Path, unlabelled: Path, tmp_path: Path):
    other = write_random_model(tmp_path / "other", FER2013_LABELS[::-1], seed=2)
    out = tmp_path / "answers.csv"
    assert predict(model, other, SHIPPED, "--flip", data=unlabelled, out=out) == 0
    members = [load_predictor(path).ordered(FER2013_LABELS) for path in (model, other, SHIPPED)]
    views = (PIXELS, PIXELS[:, :, ::-1])
    expected = np.mean([each.probabilities(view) for each in members for view in views], axis=0)
    assert shares(read_csv(out)) == pytest.approx(expected, abs=1e-5)


def test_a_labelled_part_is_named_by_its_rows(model: Path, tmp_path: Path):
    data = write_fer(tmp_path / "fer.csv", fer_rows(14, 7))
    assert predict(model, data=data, out=tmp_path / "a.csv", loader="fer2013-csv") == 0
    assert [int(row["row"]) for row in read_csv(tmp_path / "a.csv")] == list(range(14, 21))
    assert predict(model, "--split", "Training", data=data, out=tmp_path / "a.csv", loader="fer2013-csv") == 0
    assert len(read_csv(tmp_path / "a.csv")) == 14


def test_the_classes_are_the_models_own(unlabelled: Path, tmp_path: Path):
    two = write_random_model(tmp_path / "two", ("awake", "asleep"))
    assert predict(two, data=unlabelled, out=tmp_path / "a.csv") == 0
    rows = read_csv(tmp_path / "a.csv")
    assert {row["label"] for row in rows} <= {"awake", "asleep"}
    assert shares(rows, ("awake", "asleep")).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_model_of_other_chips_gets_them_in_its_size_and_colour(unlabelled: Path, tmp_path: Path):
    large = write_random_model(tmp_path / "large", side=64, channels=3)
    assert predict(large, data=unlabelled, out=tmp_path / "a.csv") == 0
    expected = load_predictor(large).probabilities(PIXELS)
    assert shares(read_csv(tmp_path / "a.csv")) == pytest.approx(expected, abs=1e-6)


def test_a_folder_of_unsorted_pictures_is_named_file_by_file(model: Path, tmp_path: Path, capsys):
    folder = tmp_path / "faces"
    (folder / "more").mkdir(parents=True)
    for name, chip in (("b.png", PIXELS[0]), ("more/a.png", PIXELS[1]), ("flat.png", np.zeros_like(PIXELS[0]))):
        cv2.imwrite(str(folder / name), chip)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 and no more")
    (folder / "notes.txt").write_text("not a picture")
    assert predict(model, data=folder, out=tmp_path / "a.csv", loader="pictures") == 0
    rows = read_csv(tmp_path / "a.csv")
    assert [row["file"] for row in rows] == ["b.png", "more/a.png"]
    assert shares(rows) == pytest.approx(load_predictor(model).probabilities(PIXELS[:2]), abs=1e-6)
    said = capsys.readouterr().out
    assert "2 pictures of the data cannot be used" in said
    assert "broken.jpg: the file is cut off" in said
    assert "flat.png: blank" in said


def test_a_folder_without_a_usable_picture_is_refused(model: Path, tmp_path: Path, capsys):
    folder = tmp_path / "faces"
    for prepare, code, message in (
        (lambda: None, 78, "no such folder"),
        (folder.mkdir, 78, "no picture in this folder; expected files ending in .bmp"),
        (lambda: (folder / "a.png").write_bytes(b""), 78, "none of 1 pictures can be used, the first is a.png"),
    ):
        prepare()
        assert predict(model, data=folder, out=tmp_path / "a.csv", loader="pictures") == code
        assert message in capsys.readouterr().err


def test_what_cannot_be_done_is_refused_and_leaves_the_old_file(model: Path, unlabelled: Path, tmp_path: Path, capsys):
    old = tmp_path / "old.csv"
    old.write_text("old")
    six = write_random_model(tmp_path / "six", FER2013_LABELS[:6])
    (tmp_path / "folder.csv").mkdir()
    for words, out, message in (
        ([model], tmp_path / "a.xlsx", "ends in '.xlsx'; expected a file that ends in .csv or .jsonl"),
        ([model], tmp_path / "a", "has no suffix; expected a file that ends in .csv or .jsonl"),
        ([model], tmp_path / "folder.csv", "a directory; expected a file"),
        ([tmp_path / "absent.keras"], old, "no such file; expected a model"),
        ([model, "--split", "PrivateTest"], old, "no split 'PrivateTest'; it has Unlabelled"),
        ([model, six], old, "knows angry, disgust, fear, happy, sad, surprise, expected the labels"),
    ):
        assert predict(*words, data=unlabelled, out=out) == 78, words
        assert message in capsys.readouterr().err
    assert predict(model, data=unlabelled, out=old, loader="tarot") == 78
    assert "loader 'tarot': expected one of fer2013-csv" in capsys.readouterr().err
    assert old.read_text() == "old"
    assert not list(tmp_path.glob("*.tmp"))
