"""The page of `benchmarks.models.accuracy_speed`."""

from functools import partial

from benchmarks.models.accuracy_speed_picture import SIZE_IN, draw
from benchmarks.models.speeds import Model, Survey, front
from training.reporting.document import Document, Picture, Section, Table, Text

HEADER = (
    "model",
    "file",
    "accuracy from",
    "accuracy",
    "95 % interval",
    "ms",
    "half the rounds",
    "× shipped",
    "KB",
    "on the front",
)


def document(found: Survey) -> Document:
    """Page and figures."""
    return Document("accuracy_speed", "How right, how fast, how large", sections(found), found)


def sections(found: Survey) -> tuple[Section, ...]:
    """The chart, its figures, and under which conditions they hold."""
    machine = found.machine
    load = "unknown" if machine.load is None else f"{machine.load:.2f}"
    conditions = (
        f"Accuracy: on the {found.pictures:,} pictures of FER2013's {found.split} (data SHA-256 "
        f"{found.data_sha256[:12]}), with Wilson's interval, as the reports in the third column say. Milliseconds: one "
        f"face, one thread, {found.runtime}, the native calls alone, all models in turn in {found.rounds} rounds of "
        "one run in changing order; the median of the rounds, and between which values half of them lie. On "
        f"{machine.board or machine.cpu or machine.arch} with {machine.cores} cores, load {load} before. KB: of the "
        "file that was timed; the shipped one is timed as it is, with its card, of the others the same network with "
        "random weights, which takes as long. Two views: the answer is the mean over the face and its mirror image, "
        "`--flip`. On the front: none is faster and at least as right."
    )
    full, short = found.trained("full"), found.trained("short")
    return (
        Section(
            "Accuracy beside speed",
            (
                Text(conditions),
                Picture(
                    "accuracy-speed",
                    "Accuracy against milliseconds of every model, the marks as large as the files",
                    SIZE_IN,
                    partial(draw, found=found),
                ),
                Text("Trained to the end, each by its own recipe:"),
                Table(HEADER, _rows(full), words=3),
                Text(
                    f"The same short schedule for all, {found.short}: it says who learns fast, not who gets far, and "
                    "compares with nothing in the table above:"
                ),
                Table(HEADER, _rows(short), words=3),
            ),
        ),
    )


def _rows(models: tuple[Model, ...]) -> tuple[tuple[str, ...], ...]:
    best = front(models)
    return tuple(
        (
            model.standing.name + (", two views" if model.standing.views == 2 else ""),
            model.standing.kind,
            f"`{model.standing.report}`",
            f"{model.standing.accuracy:.1%}",
            "{:.1%}–{:.1%}".format(*model.standing.interval),
            f"{model.ms.median:.3f}",
            f"{model.ms.low:.3f}–{model.ms.high:.3f}",
            f"{model.times.median:.2f}",
            f"{model.size_b / 1000:.0f}",
            "yes" if model in best else "",
        )
        for model in models
    )
