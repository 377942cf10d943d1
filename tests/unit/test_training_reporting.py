"""The report: its page, its figures, its pictures."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.contract.labels import FER2013_LABELS
from edge.errors import PermanentError
from edge.palette import FACE_COLOURS
from tests.training_fakes import fake_dataset, noise_chips
from training.data.dataset import Dataset
from training.evaluate import Answers, Material
from training.metrics import expected_calibration_error
from training.predictors import Predictor
from training.reporting import analysis, ferplus
from training.reporting.document import Document, Picture, Section, Table, Text, markdown, write
from training.reporting.findings import ModelReport
from training.reporting.model_report import report_on
from training.reporting.style import COLOURS, signed

NAMES = ("a", "b", "c")
TRUTH = np.array([0, 0, 0, 1, 1, 2])
PROBABILITIES = np.array(
    [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.5, 0.25, 0.25]]
)


class Found(msgspec.Struct, frozen=True):
    answer: int


def page(*blocks: Text | Table | Picture) -> Document:
    return Document("found", "What was found", (Section("Here", blocks),), Found(42))


def drawn_on(seed: int, count: int = 300) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Calibrated answers (N, 3) and truths drawn by them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet((1, 1, 1), count)
    return probabilities, (rng.random((count, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, 2)


def test_a_page_has_headings_paragraphs_tables_and_pictures():
    document = page(
        Text("Much."), Table(("", "n"), (("a|b", "1"),)), Picture("face", "a face", (2, 2), lambda figure: None)
    )
    assert markdown(document) == (
        "# What was found\n\n## Here\n\nMuch.\n\n|  | n |\n| --- | ---: |\n| a\\|b | 1 |\n\n![a face](face.png)\n"
    )


def test_a_row_of_another_length_than_its_header_is_refused():
    with pytest.raises(ValueError, match="has 1 cells, expected 2"):
        Table(("", "n"), (("a",),))


def test_page_figures_and_pictures_are_written_and_the_same_again(tmp_path: Path):
    document = page(Picture("line", "a line", (2, 1), lambda figure: figure.subplots().plot([0, 1], [0, 1])))
    assert write(document, tmp_path / "one") == tmp_path / "one" / "found.md"
    write(document, tmp_path / "two")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["found.json", "found.md", "line.png"]
    assert json.loads((tmp_path / "one" / "found.json").read_text()) == {"answer": 42}
    assert cv2.imread(str(tmp_path / "one" / "line.png")).shape == (144, 288, 3)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_reports_and_the_live_page_have_the_same_colours():
    assert tuple("#{:02x}{:02x}{:02x}".format(*colour) for colour in FACE_COLOURS) == COLOURS


@pytest.mark.parametrize(("points", "text"), [(2.44, "+2.4"), (-0.7, "−0.7"), (-0.04, "0.0"), (0.0, "0.0")])
def test_points_carry_their_sign(points: float, text: str):
    assert signed(points) == text


def test_a_class_that_is_ranked_perfectly_has_all_the_area():
    first, *_ = analysis.rankings(np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]]), np.array([0, 0, 1]), ("a", "b"))
    assert (first.label, first.share) == ("a", pytest.approx(2 / 3))
    assert (first.roc_auc, first.average_precision) == (1, 1)
    assert (first.roc.x[0], first.roc.y[-1]) == (0, 1)
    assert first.precision_recall.x == tuple(sorted(first.precision_recall.x))


def test_answers_by_chance_have_half_the_area():
    _, labels = drawn_on(0, 3000)
    found = analysis.rankings(np.random.default_rng(1).dirichlet((1, 1, 1), 3000), labels, NAMES)
    assert [each.roc_auc for each in found] == pytest.approx([0.5] * 3, abs=0.05)
    assert [each.average_precision for each in found] == pytest.approx([each.share for each in found], abs=0.05)


def test_a_class_without_pictures_is_not_ranked():
    assert [each.label for each in analysis.rankings(PROBABILITIES[:5], TRUTH[:5], NAMES)] == ["a", "b"]


def test_long_curves_are_thinned_and_keep_their_ends():
    probabilities, labels = drawn_on(0, 5000)
    for ranking in analysis.rankings(probabilities, labels, NAMES):
        assert 50 < len(ranking.roc.x) <= 250
        assert (ranking.roc.x[0], ranking.roc.y[0], ranking.roc.x[-1], ranking.roc.y[-1]) == (0, 0, 1, 1)


def test_the_bins_gaps_are_the_calibration_error():
    probabilities, labels = drawn_on(0)
    bins = analysis.reliability(probabilities, labels)
    assert sum(each.count for each in bins) == 300
    assert all(each.low <= each.confidence <= each.high for each in bins)
    gap = sum(each.count * abs(each.confidence - each.accuracy) for each in bins) / 300
    assert gap == pytest.approx(expected_calibration_error(probabilities, labels))


def test_answering_less_often_is_answering_better():
    probabilities, labels = drawn_on(0, 4000)
    curve = analysis.coverage_curve(probabilities, labels)
    right = probabilities.argmax(axis=1) == labels
    assert (curve.x[-1], curve.y[-1]) == (1, pytest.approx(right.mean(), abs=1e-5))
    found = analysis.cuts(probabilities, labels, (0.4, 0.6, 0.8, 1.1))
    assert [each.threshold for each in found] == [0.4, 0.6, 0.8]
    assert [each.accuracy for each in found] == sorted(each.accuracy for each in found)
    sure = probabilities.max(axis=1) >= 0.6
    assert found[1].coverage == pytest.approx(sure.mean())
    assert found[1].accuracy == pytest.approx(right[sure].mean())


def test_shares_say_what_is_named_too_often():
    a, b, c = analysis.class_shares(PROBABILITIES, TRUTH, NAMES)
    assert (a.true, a.named, a.expected) == pytest.approx((3 / 6, 3 / 6, 2.5 / 6))
    assert (b.true, b.named) == pytest.approx((2 / 6, 3 / 6))
    assert (c.true, c.named) == pytest.approx((1 / 6, 0))


def test_the_surest_mistakes_come_first():
    probabilities = np.eye(7)[[1, 1, 0, 3]] * 0.5 + np.array([0.01, 0.02, 0.03, 0.04])[:, None]
    part = fake_dataset(noise_chips(4), ["Test"] * 4)  # labels 0, 1, 2, 3
    found = analysis.worst_mistakes(probabilities, part, most=5)
    assert [(each.row, each.truth, each.named) for each in found] == [(2, "fear", "angry"), (0, "angry", "disgust")]
    assert (found[0].picture, found[0].confidence, found[0].truth_probability) == ("row 2", pytest.approx(0.53), 0.03)
    assert len(analysis.worst_mistakes(probabilities, part, most=1)) == 1


HEADER = "row,Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def votes_file(folder: Path, *lines: str) -> Path:
    path = folder / ferplus.VOTES
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def test_the_vote_is_that_of_most_taggers_for_one_of_the_seven(tmp_path: Path):
    votes = votes_file(
        tmp_path,
        "0,Test,a.png,1,0,0,0,6,0,0,3,0,0",  # angry
        "1,Test,b.png,5,5,0,0,0,0,0,0,0,0",  # a tie
        "2,Test,c.png,0,0,0,0,0,0,2,8,0,0",  # fear, of the seven
        "3,Test,,0,0,0,0,0,0,0,0,0,10",  # no face
        "4,Training,e.png,9,1,0,0,0,0,0,0,0,0",  # not of the part
    )
    part = fake_dataset(noise_chips(4), ["Test"] * 4)  # angry, disgust, fear, happy
    found = ferplus.agreement(votes, part, np.array([0, 1, 6, 3]))
    assert found is not None
    assert (found.n, found.model, found.labels) == (2, 0.5, 1.0)
    assert ferplus.agreement(votes, part.take(np.array([1, 3])), np.array([0, 0])) is None


def test_classes_that_the_taggers_could_not_name_have_no_vote(tmp_path: Path):
    part = replace(fake_dataset(noise_chips(2), ["Test"] * 2), label_names=("bored", *FER2013_LABELS[1:]))
    assert ferplus.agreement(votes_file(tmp_path, "0,Test,,9,1,0,0,0,0,0,0,0,0"), part, np.array([0, 1])) is None


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["0,Training,,9,1,0,0,0,0,0,0,0,0"], "Usage 'Training' of row 0, which is in Test in the data"),
        (["0,Test,,nine,1,0,0,0,0,0,0,0,0"], "neutral 'nine'; expected a whole number"),
    ],
)
def test_votes_of_other_data_are_refused(tmp_path: Path, lines: list[str], message: str):
    part = fake_dataset(noise_chips(2), ["Test"] * 2)
    with pytest.raises(PermanentError, match=message):
        ferplus.agreement(votes_file(tmp_path, *lines), part, np.array([0, 1]))


def brightness(chips: NDArray[np.uint8]) -> NDArray[np.floating]:
    """A model that names the class by the mean grey, seven steps from black to white."""
    grey = chips.reshape(len(chips), -1).mean(axis=1) / 256 * 7
    nearness = np.exp(-np.abs(grey[:, None] - 0.5 - np.arange(7)))
    return nearness / nearness.sum(axis=1, keepdims=True)


def answers_about(dataset: Dataset, path: Path) -> Answers:
    part = dataset.split("PublicTest")
    material = Material(path, "0" * 64, "fer2013-csv", dataset, "PublicTest", part)
    return Answers(
        name=str(path),
        sha256="1" * 64,
        predictor=Predictor(FER2013_LABELS, brightness, 1.0),
        material=material,
        single=brightness(part.chips),
        mirrored=brightness(part.chips[:, :, ::-1]),
        flip=False,
    )


def test_the_report_of_a_model_shows_all_its_sides(tmp_path: Path):
    rng = np.random.default_rng(0)
    levels = np.arange(70) % 7 * 36 + 18 + rng.integers(-25, 26, 70)
    chips = np.clip(levels[:, None, None, None] + rng.normal(0, 9, (70, 48, 48, 1)), 0, 255).astype(np.uint8)
    chips[35:40] = chips[:5]  # five that are learnt from and reported on
    dataset = fake_dataset(chips, ["Training"] * 35 + ["PublicTest"] * 35)
    answers = answers_about(dataset, tmp_path / "model.tflite")
    report = report_on(answers, tmp_path / "report")

    assert report.unseen is not None
    assert (report.unseen.learnt_from, report.unseen.seen) == (("Training",), 5)
    assert {name: scores.n for name, scores in report.views.items()} == {
        "single": 35, "single_unseen": 30, "flip": 35, "flip_unseen": 30,
    }  # fmt: skip
    assert report.views["single"] == report.evaluation.scores
    loss = {each.name: each.loss for each in report.robustness}
    assert loss["dark"] > 0.5 > abs(loss["blur"])
    assert report.ferplus is None
    assert msgspec.json.decode((tmp_path / "report" / "evaluation.json").read_bytes(), type=ModelReport) == report

    text = (tmp_path / "report" / "evaluation.md").read_text()
    assert f"**Accuracy {report.evaluation.scores.accuracy:.2%}**" in text
    assert "without the 5 pictures (14.3%) that occur in Training too" in text
    pictures = sorted((tmp_path / "report").glob("*.png"))
    assert [path.stem for path in pictures] == [
        "confusion", "coverage", "mistakes", "precision-recall", "reliability", "robustness", "roc", "shares",
    ]  # fmt: skip
    for path in pictures:
        assert f"]({path.name})" in text
        assert cv2.imread(str(path)).std() > 5  # something is drawn


def test_data_with_one_split_have_no_figures_without_duplicates(tmp_path: Path):
    dataset = fake_dataset(noise_chips(14), ["PublicTest"] * 14)
    report = report_on(answers_about(dataset, tmp_path / "model.tflite"), tmp_path)
    assert report.unseen is None
    assert "De-duplicated" not in (tmp_path / "evaluation.md").read_text()
