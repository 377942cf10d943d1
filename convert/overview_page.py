"""The overview as one page with pictures: what a person needs to choose a file, and to trust it."""

from collections.abc import Iterator
from functools import partial

from convert.kernels import KernelRange
from convert.overview import Candidate, Overview
from convert.overview_pictures import change, draw_activations, draw_files, draw_kernels, draw_recalls, rows_in
from training.reporting.class_pictures import draw_confusion
from training.reporting.document import Document, Picture, Section, Table, Text
from training.reporting.trust_pictures import draw_reliability

NAME = "report"


def document(found: Overview) -> Document:
    """All there is to say about these files."""
    first = found.candidates[0]
    sections = (
        Section("", tuple(_head(found, first))),
        Section("Size, time, accuracy", tuple(_files(found))),
        Section("Classes", tuple(_classes(found))),
        Section("Who is mistaken for whom", tuple(_confusions(found, first))),
        Section("Trust", tuple(_trust(found, first))),
        Section(f"Ranges in {first.name}", tuple(_ranges(found))),
    )
    return Document(NAME, first.name, sections, found)


def _head(found: Overview, first: Candidate) -> Iterator[Text]:
    low, high = first.scores.accuracy_interval
    yield Text(
        f"**Accuracy {first.scores.accuracy:.2%}** on {found.split} (95 % interval {low:.1%} to {high:.1%}, "
        f"{first.scores.n} pictures), **macro-F1 {first.scores.macro_f1:.3f}**, calibration error "
        f"{first.scores.ece:.3f}; {first.size_b / 1000:.0f} KB. {_verdict(found, first)}"
    )
    yield Text(
        "\n".join(
            [
                *(f"- `{each.name}`, {each.mode}, SHA-256 `{each.sha256}`" for each in found.candidates),
                f"- held against `{found.baseline}`",
                f"- data SHA-256 `{found.data_sha256}`",
            ]
        )
    )
    yield Text("Written by `python -m convert report`.")


def _verdict(found: Overview, first: Candidate) -> str:
    """What the first file lost, in words."""
    if first.name == found.baseline:
        return "The others are held against it."
    low, high = first.accuracy.interval
    return (
        f"Against {found.baseline} that is {change(first.accuracy.difference)} points (95 % interval {change(low)} to "
        f"{change(high)}, p = {first.p_value:.2g} by McNemar's exact test); both name {first.agreement:.1%} of the "
        "pictures alike."
    )


def _files(found: Overview) -> Iterator[Text | Table | Picture]:
    first, machine = found.candidates[0], found.machine
    yield Picture(
        "files",
        "Size, time and accuracy of each file",
        (10, rows_in(len(found.candidates))),
        partial(draw_files, candidates=found.candidates, baseline=found.baseline),
    )
    yield Table(
        ("", "KB", "time, first = 1", "milliseconds", "accuracy", "macro-F1", "ECE", "NLL", "points", "p"),
        tuple(
            (
                each.name,
                f"{each.size_b / 1000:.0f}",
                f"{each.ms / first.ms:.2f}",
                f"{each.ms:.3f}",
                f"{each.scores.accuracy:.4f}",
                f"{each.scores.macro_f1:.4f}",
                f"{each.scores.ece:.4f}",
                f"{each.scores.nll:.4f}",
                change(each.accuracy.difference),
                f"{each.p_value:.2g}",
            )
            for each in found.candidates
        ),
    )
    scores = found.baseline_scores
    yield Text(
        f"{found.baseline} has accuracy {scores.accuracy:.4f}, macro-F1 {scores.macro_f1:.4f}, ECE {scores.ece:.4f}, "
        f"NLL {scores.nll:.4f}. Times: the median invoke on one thread, all files in turn in one process, on "
        f"{machine.board or machine.cpu or machine.arch} with {machine.cores} core(s), load {machine.load} before; "
        "other machines have other ratios."
    )


def _classes(found: Overview) -> Iterator[Table | Picture]:
    yield Picture(
        "recall",
        "Recall gained or lost by each class",
        (max(5.0, 1.4 + 2.1 * len(found.candidates)), rows_in(len(found.labels))),
        partial(draw_recalls, candidates=found.candidates, baseline=found.baseline),
    )
    first = found.candidates[0]
    yield Table(
        ("class", "pictures", f"recall {found.baseline}", f"recall {first.name}", "points", "95 % interval", "F1"),
        tuple(
            (
                drop.label,
                f"{drop.pictures}",
                f"{drop.before:.4f}",
                f"{drop.after:.4f}",
                change(-drop.drop),
                f"{change(-drop.interval[1])} to {change(-drop.interval[0])}",
                f"{each.f1:.3f}",
            )
            for drop, each in zip(first.recall, first.scores.per_class, strict=True)
        ),
    )


def _confusions(found: Overview, first: Candidate) -> Iterator[Text | Picture]:
    size = 1.6 + 0.78 * len(found.labels)
    both = {"confusion": (first.name, first.scores), "confusion-baseline": (found.baseline, found.baseline_scores)}
    for file, (name, scores) in both.items():
        if file != "confusion" and name == first.name:
            return
        yield Text(f"{name}:")
        yield Picture(
            file, f"Confusion matrix of {name}", (size + 0.5, size + 0.4), partial(draw_confusion, scores=scores)
        )


def _trust(found: Overview, first: Candidate) -> Iterator[Text | Picture]:
    both = {
        "reliability": (first.name, first.reliability, first.scores.ece),
        "reliability-baseline": (found.baseline, found.baseline_reliability, found.baseline_scores.ece),
    }
    for file, (name, bins, ece) in both.items():
        if file != "reliability" and name == first.name:
            return
        yield Text(f"{name}:")
        yield Picture(
            file,
            f"Accuracy of {name} against its confidence",
            (6.8, 6.6),
            partial(draw_reliability, bins=bins, ece=ece),
        )


def _ranges(found: Overview) -> Iterator[Text | Table | Picture]:
    yield Picture(
        "kernels",
        "Weights of each kernel, by output channel",
        (9, rows_in(len(found.kernels))),
        partial(draw_kernels, kernels=found.kernels),
    )
    yield Table(
        ("kernel", "operator", "shape", "stored as", "least channel", "median", "greatest", "spread"),
        tuple(map(_kernel_row, found.kernels)),
    )
    if not found.activations:
        yield Text("Its activations are not int8: they have no range.")
        return
    yield Picture(
        "activations",
        "Range of each activation",
        (9, rows_in(len(found.activations))),
        partial(draw_activations, activations=found.activations),
    )
    yield Table(
        ("activation", "operator", "range", "99.9 % within ±", "ratio"),
        tuple(
            (each.tensor, each.operator, f"{each.low:.3g} to {each.high:.3g}", f"{each.usual:.3g}", f"{each.ratio:.1f}")
            for each in found.activations
        ),
    )
    yield Text(f"Watched on the {found.calibration_chips} chips that the ranges are calibrated on.")


def _kernel_row(each: KernelRange) -> tuple[str, ...]:
    return (
        each.tensor,
        each.operator,
        "×".join(map(str, each.shape)),
        each.dtype,
        f"{each.least:.3g}",
        f"{each.median:.3g}",
        f"{each.greatest:.3g}",
        f"{each.greatest / each.least:.1f}" if each.least else "∞",
    )
