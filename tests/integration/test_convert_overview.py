"""The overview of a network in several modes, made, measured and drawn from the command line."""

from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from convert import __main__ as command
from convert.kernels import kernel_ranges
from convert.overview import Overview
from convert.overview_pictures import plain_names
from edge.contract.card import read_model
from tests.training_fakes import fer_rows, write_fer, write_random_model

PICTURES = {
    *("confusion", "confusion-baseline", "reliability", "reliability-baseline"),
    *("files", "recall", "kernels", "activations"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a float model, its int8 file, made-up pictures, and the report on both and one mode more."""
    folder = tmp_path_factory.mktemp("overview")
    write_random_model(folder / "run")
    write_fer(folder / "fer.csv", fer_rows(210, 70))
    shared = ["--data", str(folder / "fer.csv"), "--cache", str(folder / "cache")]
    made = ["quantize", str(folder / "run" / "model.keras"), *shared, "--out", str(folder / "face.tflite")]
    assert command.main(made) == 0
    asked = ["report", str(folder / "face.tflite"), "--against", str(folder / "run" / "model.keras"), *shared]
    assert command.main([*asked, "--modes", "int8", "float32", "--out", str(folder / "page")]) == 0
    return folder


@pytest.fixture(scope="module")
def found(place: Path) -> Overview:
    return msgspec.json.decode((place / "page" / "report.json").read_bytes(), type=Overview)


def test_a_mode_that_is_there_is_not_made_again(found: Overview):
    assert [(each.name, each.mode) for each in found.candidates] == [("face.tflite", "int8"), ("float32", "float32")]
    assert found.baseline == "model.keras"


def test_the_float32_file_answers_as_the_float_model(found: Overview):
    int8, float32 = found.candidates
    assert float32.agreement == 1.0
    assert float32.accuracy.difference == 0.0
    assert float32.scores.nll == pytest.approx(found.baseline_scores.nll, abs=1e-5)
    assert int8.scores.nll != found.baseline_scores.nll  # it is another model
    assert int8.size_b != float32.size_b
    assert int8.ms > 0 < float32.ms


def test_every_picture_named_on_the_page_lies_beside_it(place: Path):
    page = (place / "page" / "report.md").read_text()
    drawn = {path.stem: cv2.imread(str(path)) for path in (place / "page").glob("*.png")}
    assert drawn.keys() == PICTURES
    for name, picture in drawn.items():
        assert f"]({name}.png)" in page
        assert picture.std() > 10, f"{name} is empty"


def test_the_page_gives_the_figures_of_the_file_in_question(place: Path, found: Overview):
    page = (place / "page" / "report.md").read_text()
    first = found.candidates[0]
    assert page.startswith("# face.tflite\n")
    assert f"**Accuracy {first.scores.accuracy:.2%}** on PublicTest" in page
    assert f"| face.tflite | {first.size_b / 1000:.0f} | 1.00 |" in page
    assert f"- `face.tflite`, int8, SHA-256 `{first.sha256}`" in page


def test_int8_kernels_reach_as_far_as_the_float_ones(place: Path, found: Overview):
    import keras

    kernel = keras.saving.load_model(place / "run" / "model.keras").layers[-1].get_weights()[0]  # (inputs, classes)
    reach = np.abs(kernel).max(axis=0)
    (int8,) = found.kernels
    assert (int8.operator, int8.dtype, int8.shape) == ("FULLY_CONNECTED", "int8", kernel.T.shape)
    expected = (reach.min(), np.median(reach), reach.max())
    assert (int8.least, int8.median, int8.greatest) == pytest.approx(expected, rel=0.01)


def test_kernels_of_a_float16_file_are_read_where_they_are_stored(place: Path):
    shared = ["--data", str(place / "fer.csv"), "--cache", str(place / "cache"), "--mode", "float16"]
    made = ["quantize", str(place / "run" / "model.keras"), *shared, "--out", str(place / "half.tflite")]
    assert command.main(made) == 0
    (half,) = kernel_ranges(read_model(place / "half.tflite"), "half.tflite")
    assert half.dtype == "float16"


def test_without_a_float_model_the_first_file_is_the_baseline(place: Path):
    asked = ["report", str(place / "face.tflite"), "--data", str(place / "fer.csv"), "--cache", str(place / "cache")]
    assert command.main([*asked, "--out", str(place / "alone")]) == 0
    alone = msgspec.json.decode((place / "alone" / "report.json").read_bytes(), type=Overview)
    assert alone.baseline == "face.tflite"
    assert [each.name for each in alone.candidates] == ["face.tflite"]
    assert not (place / "alone" / "confusion-baseline.png").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["absent.tflite"], "cannot read the model absent.tflite"),
        (["face.tflite", "face.tflite"], "two of the models have the same file name"),
        (["face.tflite", "--split", "Nowhere"], "no split 'Nowhere'; it has PublicTest, Training"),
        (["face.tflite", "--loader", "nothing"], "nothing"),
        (["run/model.keras"], "model.keras carries no model card"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    place: Path,
    arguments: list[str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(place)
    assert command.main(["report", *arguments, "--data", "fer.csv", "--cache", "cache", "--out", "no"]) == 78
    assert says in capsys.readouterr().err
    assert not (place / "no").exists()


def test_names_lose_the_folder_they_share():
    assert plain_names(["net/a/Relu", "net/b", "output"]) == ["a/Relu", "b", "output"]
    assert plain_names(["net/a", "other/b"]) == ["net/a", "other/b"]
