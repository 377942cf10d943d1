"""The page beside a converted model, from a result made up."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from convert import __main__ as command
from convert import quantize
from convert.graph import Tensor
from convert.inspection import ModelFacts
from convert.quantize import Result
from convert.report import document, page_path, write_report
from edge.contract.card import InputSpec, ModelCard, Quantisation
from edge.contract.chip import ChipSpec
from edge.errors import ConfigError
from training.metrics import ClassScores, Scores
from training.report import DataReport, Report
from training.reporting.document import markdown

FLOAT = Scores(
    n=30,
    accuracy=0.6776,
    accuracy_interval=(0.6621, 0.6927),
    macro_f1=0.6590,
    nll=0.9287,
    ece=0.0261,
    per_class=(ClassScores("angry", 0.41, 0.42, 0.413, 10), ClassScores("happy", 0.81, 0.82, 0.814, 20)),
    confusion=((4, 6), (5, 15)),
)
INT8 = Scores(
    n=30,
    accuracy=0.6579,
    accuracy_interval=(0.6424, 0.6730),
    macro_f1=0.6592,
    nll=0.9180,
    ece=0.0267,
    per_class=(ClassScores("angry", 0.511, 0.522, 0.516, 10), ClassScores("happy", 0.911, 0.922, 0.916, 20)),
    confusion=((3, 7), (1, 19)),
)
CARD = ModelCard(
    name="compact",
    labels=("angry", "happy"),
    chip=ChipSpec(size=48, channels=1),
    input=InputSpec(),
    output="logits",
    temperature=0.9725,
    quantisation=Quantisation("int8", 1.0, -128, 0.0436307, -23, 421, "Training, class-balanced"),
    recipe={
        "name": "compact",
        "seed": 3,
        "epochs": 120,
        "steps": 9,
        "minutes": 68.5,
        "parameters": 671975,
        "macs": 31_300_000,
        "settings": {},
    },
    data={"name": "some-loader", "sha256": "d" * 64, "terms": "Research only"},
    figures={},
    intended_use="Naming expressions.",
    limits="An expression is not a feeling.",
)
RESULT = Result(
    card=CARD,
    split="PublicTest",
    facts=ModelFacts(
        *(Tensor((1, 48, 48, 1), "int8", 1.0, -128), Tensor((1, 2), "int8", 0.0436307, -23)) * 2,
        ops=("MUL", "CONV_2D", "CONV_2D"),
    ),
    float_scores=FLOAT,
    int8_scores=INT8,
    agreement=0.9844,
    size_b=722_345,
    sha256="a" * 64,
)


def test_float_and_int8_stand_side_by_side():
    lines = markdown(document(RESULT, "x.tflite", "x.report")).splitlines()
    assert lines[0] == "# x.tflite"
    assert "## Quality on PublicTest (30 pictures)" in lines
    for row in (
        "| accuracy | 0.6776 | 0.6579 | -0.0197 |",
        "| macro-f1 | 0.6590 | 0.6592 | +0.0002 |",
        "| ece | 0.0261 | 0.0267 | +0.0006 |",
        "| nll | 0.9287 | 0.9180 | -0.0107 |",
        "| angry | 10 | 0.413 | 0.516 | 0.522 | 0.511 |",
        "| happy | 20 | 0.814 | 0.916 | 0.922 | 0.911 |",
    ):
        assert row in lines
    text = "\n".join(lines)
    assert "interval of the int8 accuracy (Wilson): 0.6424 to 0.6730." in text
    assert "Both name 98.44% of the pictures alike." in text


def test_the_confusion_is_that_of_the_int8_file():
    text = markdown(document(RESULT, "x.tflite", "x.report"))
    assert "|  | angry | happy |\n| --- | ---: | ---: |\n| angry | 3 | 7 |\n| happy | 1 | 19 |\n" in text


def test_the_page_says_what_the_file_is_made_of():
    text = markdown(document(RESULT, "x.tflite", "x.report"))
    for line in (
        f"- 722 KB, SHA-256 `{'a' * 64}`",
        "- 671,975 parameters, 31.3 million multiply-accumulates a chip",
        "- recipe `compact`, seed 3, 120 epochs, 68.5 minutes",
        "- temperature 0.9725, fitted on the hold-out",
        "- int8, calibrated on 421 chips: Training, class-balanced",
        "- input: int8 [1, 48, 48, 1], scale 1, zero point -128",
        "- output (logits): int8 [1, 2], scale 0.0436307, zero point -23",
        "- operators: 1 × MUL, 2 × CONV_2D",
        "Naming expressions. An expression is not a feeling.",
        f"Data: some-loader, SHA-256 `{'d' * 64}`. Research only.",
    ):
        assert f"\n{line}\n" in text


def test_page_and_json_lie_side_by_side_and_the_json_holds_everything(tmp_path: Path):
    write_report(RESULT, "x.tflite", tmp_path / "x.report.md")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.report.json", "x.report.md"]
    assert msgspec.json.decode((tmp_path / "x.report.json").read_bytes(), type=Result) == RESULT


def test_a_page_that_is_no_markdown_file_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"page\.txt is not named as a Markdown page; call it .*page\.txt\.md"):
        page_path(tmp_path / "page.txt")


def test_the_report_of_a_training_is_not_replaced(tmp_path: Path):
    trained = Report(
        recipe="compact",
        resolved_recipe={},
        seed=1,
        labels=("angry", "happy"),
        epochs=1,
        steps=1,
        minutes=1.0,
        parameters=1,
        macs=1,
        fold_error=0.0,
        temperature=1.0,
        data=DataReport("d" * 64, 1, 1, 1, 1, (), ()),
        scores={},
        versions={},
    )
    (tmp_path / "report.json").write_bytes(msgspec.json.encode(trained))
    with pytest.raises(ConfigError, match="which is the report of a training; choose another name"):
        page_path(tmp_path / "report.md")
    write_report(RESULT, "x.tflite", page_path(tmp_path / "other.md"))
    assert page_path(tmp_path / "other.md") == tmp_path / "other.md"  # one's own is replaced


def test_the_command_writes_the_report_beside_the_model_or_where_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(quantize, "quantize", lambda job: RESULT)
    arguments = ["quantize", "model.keras", "--data", "fer.csv", "--out", str(tmp_path / "x.tflite")]
    assert command.main(arguments) == 0
    assert "accuracy on PublicTest 0.6776 float32, 0.6579 int8" in capsys.readouterr().out
    assert command.main([*arguments, "--report", str(tmp_path / "there" / "page.md")]) == 0
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert written == {"x.report.md", "x.report.json", "there/page.md", "there/page.json"}


def test_a_report_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def never(job: Any) -> Result:
        raise AssertionError("converted in vain")

    monkeypatch.setattr(quantize, "quantize", never)
    arguments = ["quantize", "model.keras", "--data", "fer.csv", "--out", str(tmp_path / "x.tflite")]
    assert command.main([*arguments, "--report", str(tmp_path / "page.html")]) == 78
    assert "not named as a Markdown page" in capsys.readouterr().err
