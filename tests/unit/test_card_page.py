"""The page that `models inspect` shows."""

import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge.card_page import WIDTH, card_page, tensor_lines
from edge.classifier import SHIPPED
from edge.cli import main
from edge.contract.card import CARD_NAME, Golden, InputSpec, ModelCard, Quantisation, read_card, with_card
from edge.contract.chip import ChipSpec
from edge.contract.figures import Cost

FLOAT: dict[str, Any] = {
    "accuracy": 0.6913,
    "accuracy_interval": (0.676, 0.7062),
    "macro_f1": 0.6794,
    "f1": {"angry": 0.6405, "happy": 0.8705},
    "recall": {"angry": 0.6467, "happy": 0.8827},
}
INT8: dict[str, Any] = {
    "accuracy": 0.6907,
    "accuracy_interval": (0.6754, 0.7056),
    "macro_f1": 0.6811,
    "f1": {"angry": 0.6406, "happy": 0.87},
    "recall": {"angry": 0.6488, "happy": 0.8827},
}
CARD = ModelCard(
    name="compact",
    labels=("angry", "happy"),
    chip=ChipSpec(size=48, channels=1),
    input=InputSpec(),
    output="logits",
    temperature=1.1188,
    quantisation=Quantisation("int8", 1.0, -128, 0.0471, -43, 421, "Training, class-balanced"),
    recipe={"name": "compact", "seed": 1, "epochs": 240, "parameters": 5, "macs": 7_000_000},
    data={"name": "folder", "sha256": "d" * 64, "terms": "Research only"},
    figures={"PublicTest": {"n": 3589, "pictures": {"angry": 467}, "float": FLOAT, "int8": INT8, "agreement": 0.9799}},
    intended_use="Naming expressions.",
    limits="An expression is not a feeling. " * 9,
    cost=Cost(713_440, 681_223, 36_590_400),
)
GOLDEN = Golden(np.zeros((16, 48, 48, 1), np.uint8), np.zeros((16, 2), np.int8))


def page(**changes: Any) -> list[str]:
    return list(card_page(msgspec.structs.replace(CARD, **changes), GOLDEN, "x.tflite", 733_156))


def line(lines: list[str], start: str) -> str:
    """The text beside a name."""
    return next(text.strip()[len(start) :].strip() for text in lines if text.strip().startswith(f"{start} "))


def test_sizes_have_their_units():
    lines = page()
    assert lines[0] == "x.tflite"
    assert line(lines, "size") == "733 KB, 713 KB of it the model"
    assert line(lines, "parameters") == "681,223"
    assert line(lines, "arithmetic") == "36.6 million multiply-accumulates a chip"


def test_a_card_of_version_1_tells_its_costs_from_its_recipe():
    lines = page(cost=msgspec.UNSET, schema=1)
    assert line(lines, "size") == "733 KB"
    assert line(lines, "parameters") == "5"
    assert line(lines, "arithmetic").startswith("7.0 million")


def test_float_and_int8_stand_side_by_side():
    lines = page()
    at = lines.index("Quality on PublicTest, 3,589 pictures")
    assert lines[at + 1].split() == ["float", "int8", "difference"]
    assert line(lines, "accuracy").split() == ["0.6913", "0.6907", "-0.0006"]
    assert line(lines, "macro-F1").split() == ["0.6794", "0.6811", "+0.0017"]
    assert line(lines, "95 % interval").split() == ["0.676-0.706", "0.675-0.706"]
    assert "  Both name 97.99% of the pictures alike." in lines


def test_each_class_has_a_line_whose_figures_stand_below_each_other():
    lines = page()
    at = next(number for number, text in enumerate(lines) if text.startswith("  class "))
    assert lines[at].split("  ")[1] == "class"
    assert lines[at + 1].split() == ["angry", "467", "0.640", "0.641", "0.647", "0.649"]
    assert lines[at + 2].split()[:2] == ["happy", "0"]
    assert len({len(text) for text in lines[at : at + 3]}) == 1


def test_a_card_without_figures_has_no_empty_tables():
    assert not [text for text in page(figures={}) if "Quality" in text]
    lines = page(figures={"test": {"n": 3}})
    assert lines[lines.index("Quality on test, 3 pictures") + 1] == ""


def test_no_line_is_wider_than_the_page_or_has_colour_codes_or_blanks_at_its_end():
    lines = page()
    assert max(map(len, lines)) <= WIDTH
    assert all(text == text.rstrip() and text.isprintable() for text in lines)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (InputSpec("float32"), "none: raw pixels, 0 to 255"),
        (InputSpec("float32", 1 / 255), "pixel × 0.00392157 + 0: 0 to 1"),
        (InputSpec("float32", 2 / 255, -1.0), "pixel × 0.00784314 - 1: -1 to 1"),
    ],
)
def test_the_scaling_is_a_formula_with_its_range(spec: InputSpec, words: str):
    assert line(page(input=spec), "scaling") == words


def test_tensors_are_told_with_shape_dtype_and_quantisation():
    ends = [
        ("input", {"dtype": np.int8, "shape": [1, 48, 48, 1], "quantization": (1 / 255, -128), "name": "chip"}),
        ("output", {"dtype": np.float32, "shape": [1, 7], "quantization": (0.0, 0), "name": "out"}),
    ]
    assert list(tensor_lines(ends)) == [
        "input   int8, 1 × 48 × 48 × 1, scale 0.00392157, zero point -128; named chip",
        "output  float32, 1 × 7, not quantised; named out",
    ]


def test_the_command_shows_the_shipped_model(capsys: pytest.CaptureFixture[str]):
    assert main(["models", "inspect"]) == 0
    output = capsys.readouterr().out
    assert "labels      angry, disgust, fear, happy, sad, surprise, neutral" in output
    assert "Quality on PublicTest, 3,589 pictures" in output
    assert "high-risk" in output


def test_as_json_it_is_the_card_and_nothing_else(capsys: pytest.CaptureFixture[str]):
    assert main(["models", "inspect", str(SHIPPED), "--json"]) == 0
    with zipfile.ZipFile(SHIPPED) as archive:
        assert json.loads(capsys.readouterr().out) == json.loads(archive.read(CARD_NAME))


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_card_that_lies_is_shown_and_refused(form: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    content = SHIPPED.read_bytes()
    card, golden = read_card(content, "shipped")
    lying = msgspec.structs.replace(card, labels=card.labels[:6])
    path = tmp_path / "lying.tflite"
    path.write_bytes(with_card(content[: content.index(b"PK\x03\x04")], lying, golden))
    assert main(["models", "inspect", str(path), *form]) == 78
    shown = capsys.readouterr()
    assert "surprise" in shown.out
    assert "lying.tflite is not the model its card describes: number of outputs is 7, its card says 6" in shown.err


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_model_without_a_card_says_what_its_tensors_are(
    form: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    content = SHIPPED.read_bytes()
    alone = tmp_path / "alone.tflite"
    alone.write_bytes(content[: content.index(b"PK\x03\x04")])
    assert main(["models", "inspect", str(alone), *form]) == 78
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"alone.tflite carries no model card (expected {CARD_NAME}" in shown.err
    assert "input   int8, 1 × 48 × 48 × 1, scale 1, zero point -128" in shown.err
    quantised = read_card(content, "shipped")[0].quantisation
    expected = f"scale {quantised.output_scale:.6g}, zero point {quantised.output_zero_point}"
    assert f"output  int8, 1 × 7, {expected}" in shown.err
