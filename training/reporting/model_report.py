"""The page about one model, or one ensemble, on one part of the data."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.checkpoint import EpochRow
from training.evaluate import Answers
from training.metrics import Scores
from training.reporting.chip_pictures import draw_mistakes, draw_robustness, sheet_rows
from training.reporting.class_pictures import (
    draw_confusion,
    draw_precision_recall,
    draw_roc,
    draw_shares,
    small_multiple_rows,
)
from training.reporting.course import draw_course
from training.reporting.document import Document, Picture, Section, Table, Text, write
from training.reporting.findings import ModelReport, findings
from training.reporting.style import signed
from training.reporting.trust_pictures import draw_coverage, draw_reliability

NAME = "evaluation"


def report_on(
    answers: Answers,
    directory: Path,
    train_split: str = "Training",
    cache: Path | None = None,
    history: Sequence[EpochRow] = (),
) -> ModelReport:
    """Measure everything and write it into `directory`: `evaluation.md`, `evaluation.json` and pictures.

    The pictures show faces of the data: they are under its terms.

    Args:
        answers: of the model, the mirrored pictures asked about as well.
        directory: made where it is absent.
        train_split: what the model learnt from; all other splits where the data have none of that name.
        cache: directory for which pictures are alike.
        history: of the run that trained the model; drawn where it is given.

    Raises:
        ConfigError: matplotlib is not installed.
        PermanentError: the votes beside the data are of other data.
    """
    report = findings(answers, train_split, cache)
    write(_document(report, answers, history), directory)
    return report


def _document(report: ModelReport, answers: Answers, history: Sequence[EpochRow]) -> Document:
    title = f"{' + '.join(Path(name).name for name in answers.name.split(' + '))} on {answers.material.split}"
    sections = tuple(_sections(report, answers))
    if history:
        course = Picture(
            "course", "Loss, accuracy and learning rate by epoch", (8, 8), partial(draw_course, history=history)
        )
        sections = (*sections, Section("Training", (course,)))
    return Document(NAME, title, sections, report)


def _sections(report: ModelReport, answers: Answers) -> Iterator[Section]:
    evaluation, part = report.evaluation, answers.material.part
    scores, classes = evaluation.scores, len(part.label_names)
    yield Section("", tuple(_overview(report)))
    per_class = tuple(
        (each.label, f"{each.precision:.3f}", f"{each.recall:.3f}", f"{each.f1:.3f}", f"{each.support}")
        for each in scores.per_class
    )
    size = 1.6 + 0.78 * classes
    yield Section(
        "Classes",
        (
            Table(("class", "precision", "recall", "F1", "pictures"), per_class),
            Picture("confusion", "Confusion matrix", (size + 0.5, size + 0.4), partial(draw_confusion, scores=scores)),
        ),
    )
    yield Section("Named too often, named too seldom", tuple(_shares(report)))
    yield Section("Trust", tuple(_trust(report)))
    yield Section("Spoilt pictures", tuple(_robustness(report, answers)))
    if report.rankings:
        rows = small_multiple_rows(len(report.rankings))
        arguments = {"rankings": report.rankings, "label_names": part.label_names}
        yield Section(
            "Each class against the rest",
            (
                Table(
                    ("class", "area under ROC", "average precision", "share of the pictures"),
                    tuple(
                        (each.label, f"{each.roc_auc:.3f}", f"{each.average_precision:.3f}", f"{each.share:.1%}")
                        for each in report.rankings
                    ),
                ),
                Picture("roc", "ROC of each class", (10, 0.9 + 2.5 * rows), partial(draw_roc, **arguments)),
                Picture(
                    "precision-recall",
                    "Precision against recall of each class",
                    (10, 0.9 + 2.5 * rows),
                    partial(draw_precision_recall, **arguments),
                ),
            ),
        )
    if report.mistakes:
        mistaken = _pictured(report, answers)
        sheet = partial(draw_mistakes, chips=mistaken, mistakes=report.mistakes)
        yield Section(
            "The surest mistakes",
            (
                Picture("mistakes", "Sheet of the worst mistakes", (10, 0.8 + 1.66 * sheet_rows(len(mistaken))), sheet),
                Text("These are pictures of the data, under its terms: not for publication with the model."),
            ),
        )


def _overview(report: ModelReport) -> Iterator[Text | Table]:
    evaluation = report.evaluation
    low, high = evaluation.scores.accuracy_interval
    how = "averaged with the mirror image" if evaluation.flip else "single view"
    yield Text(
        f"**Accuracy {evaluation.scores.accuracy:.2%}** (95 % interval {low:.1%} to {high:.1%}), "
        f"**macro-F1 {evaluation.scores.macro_f1:.3f}**, calibration error {evaluation.scores.ece:.3f}, "
        f"{evaluation.scores.n} pictures, {how}. All figures below are of this view but where another is named."
    )
    names = {
        "single": "single view",
        "flip": "averaged with the mirror image",
        "single_unseen": "single view, de-duplicated",
        "flip_unseen": "averaged, de-duplicated",
    }
    yield Table(
        ("", "pictures", "accuracy", "95 % interval", "macro-F1", "NLL", "ECE"),
        tuple(_view_row(names[name], report.views[name]) for name in names if name in report.views),
    )
    if report.unseen:
        share = report.unseen.seen / evaluation.scores.n
        yield Text(
            f"De-duplicated: without the {report.unseen.seen} pictures ({share:.1%}) that occur in "
            f"{' and '.join(report.unseen.learnt_from)} too "
            f"(the same, or correlated above {report.unseen.correlation})."
        )
    if report.ferplus:
        votes = report.ferplus
        yield Text(
            f"**Agreement with FER+'s taggers: {votes.model:.1%}** of {votes.n} pictures; the data's own labels agree "
            f"with them on {votes.labels:.1%}. {votes.definition}"
        )
    files = zip(evaluation.model.split(" + "), evaluation.model_sha256.split(" + "), strict=True)
    yield Text(
        "\n".join(
            [
                *(f"- model `{Path(name).name}`, SHA-256 `{sha256}`" for name, sha256 in files),
                f"- data SHA-256 `{evaluation.data_sha256}`",
                f"- temperature {evaluation.temperature:.4g}",
            ]
        )
    )


def _view_row(name: str, scores: Scores) -> tuple[str, ...]:
    low, high = scores.accuracy_interval
    return (
        name,
        f"{scores.n}",
        f"{scores.accuracy:.4f}",
        f"{low:.3f} – {high:.3f}",
        f"{scores.macro_f1:.4f}",
        f"{scores.nll:.4f}",
        f"{scores.ece:.4f}",
    )


def _shares(report: ModelReport) -> Iterator[Text | Table | Picture]:
    worst = max(report.shares, key=lambda each: each.named - each.true)
    yield Text(
        f"Most over-named: {worst.label}, by {(worst.named - worst.true) * 100:.1f} points "
        f"({worst.named / max(worst.true, 1e-9):.2f} times as often as it is)."
    )
    yield Table(
        ("class", "truth", "named", "mean probability", "named − truth, points"),
        tuple(
            (
                each.label,
                f"{each.true:.1%}",
                f"{each.named:.1%}",
                f"{each.expected:.1%}",
                signed((each.named - each.true) * 100),
            )
            for each in report.shares
        ),
    )
    yield Picture(
        "shares",
        "True and named share of each class",
        (8, 1.9 + 0.4 * len(report.shares)),
        partial(draw_shares, shares=report.shares),
    )


def _trust(report: ModelReport) -> Iterator[Table | Picture]:
    yield Picture(
        "reliability",
        "Accuracy against confidence",
        (6.8, 6.6),
        partial(draw_reliability, bins=report.reliability, ece=report.evaluation.scores.ece),
    )
    yield Picture(
        "coverage",
        "Accuracy against the share of pictures answered",
        (8, 5),
        partial(draw_coverage, curve=report.coverage, cuts=report.cuts),
    )
    yield Table(
        ("only answers at least this sure", "pictures answered", "of these right"),
        tuple((f"{each.threshold:.0%}", f"{each.coverage:.1%}", f"{each.accuracy:.1%}") for each in report.cuts),
    )


def _robustness(report: ModelReport, answers: Answers) -> Iterator[Text | Table | Picture]:
    part = answers.material.part
    yield Text("The same pictures, spoilt; pixels beyond the picture repeat its edge. Intervals are paired by picture.")
    rows = []
    for each in report.robustness:
        low, high = each.loss_interval
        interval = f"{low * 100:.1f} to {high * 100:.1f}"
        rows.append(
            (
                f"{each.name}: {each.what}",
                f"{each.accuracy:.4f}",
                f"{each.macro_f1:.4f}",
                f"{each.loss * 100:.1f}",
                interval,
            )
        )
    yield Table(("", "accuracy", "macro-F1", "points lost", "95 % interval"), tuple(rows))
    # a face that is named rightly, and surely: what is seen is what the degradation does to a good picture
    sure = np.where(answers.probabilities.argmax(axis=1) == part.labels, answers.probabilities.max(axis=1), -1)
    example = int(sure.argmax())
    yield Picture(
        "robustness",
        "Points of accuracy lost by each degradation",
        (9, 1.3 + 0.68 * len(report.robustness)),
        partial(
            draw_robustness,
            degraded=report.robustness,
            accuracy=report.evaluation.scores.accuracy,
            chip=part.chips[example],
            row=int(part.rows[example]),
        ),
    )


def _pictured(report: ModelReport, answers: Answers) -> NDArray[np.uint8]:
    """The chips of the mistakes, in their order."""
    part = answers.material.part
    position = {int(row): at for at, row in enumerate(part.rows)}
    return part.chips[[position[mistake.row] for mistake in report.mistakes]]
