"""The page about ways to cut a face: what was found, what each way costs, and which faces are not worth reading."""

from collections.abc import Iterator, Sequence

from benchmarks.faces.chips import Found, Line, Survey
from benchmarks.faces.legibility import THRESHOLD, Worth
from benchmarks.faces.staged import HEIGHT_PX, SIDES_PX, WIDTH_PX
from edge.quality import Gate
from training.reporting.document import Document, Section, Table, Text
from training.reporting.style import signed


def document(survey: Survey) -> Document:
    """The page before it is written."""
    sections = (
        Section("", (Text(_conditions(survey)),)),
        Section("Found", (_found(survey.found),)),
        Section("Named rightly", tuple(_named(survey))),
        Section("Worth reading", tuple(_legible(survey))),
    )
    return Document("chips", "Ways to cut a face", sections, survey)


def _conditions(survey: Survey) -> str:
    least, most = SIDES_PX
    machine = survey.machine
    score = "its own threshold" if survey.min_score is None else f"a threshold of {survey.min_score:g}"
    return (
        f"{survey.pictures} pictures of {survey.split} (seed {survey.seed}), each enlarged to {least:g} to {most:g} "
        f"px, turned to either side and put somewhere before a wall of {WIDTH_PX}×{HEIGHT_PX} px; its edges repeat and "
        f"fade. Faces are found by {survey.detector} at {score}: in these pictures heads have no hair and no "
        "shoulders, so fewer are found than in photos, and their boxes are less exact. All ways are measured on the "
        "same faces, those that were found, and held against the bare chips of the same pictures. On "
        f"{machine.board or machine.cpu or machine.arch}."
    )


def _found(found: Sequence[Found]) -> Table:
    rows = []
    for each in found:
        low, high = each.interval
        error = "–" if each.roll_error_deg is None or not each.roll_deg else f"{each.roll_error_deg:.1f}°"
        share = f"{each.found / each.faces:.1%}"
        rows.append((f"{each.roll_deg}°", f"{each.faces}", share, f"{low:.1%} to {high:.1%}", error))
    return Table(("turned by", "faces", "found", "95 % interval", "error of the roll"), tuple(rows))


def _named(survey: Survey) -> Iterator[Table | Text]:
    by_way: dict[tuple[str, float], list[Line]] = {}
    for line in survey.lines:
        by_way.setdefault((line.kind, line.margin), []).append(line)
    first = next(iter(by_way.values()))
    rolls = ("all" if line.roll_deg is None else f"{line.roll_deg}°" for line in first)
    bare = ("bare chip", "", *(f"{line.bare:.4f}" for line in first), "", "", "")
    yield Table(
        ("cut by", "margin", *rolls, "against the bare chip", "p at 0°", "against the program's way"),
        (bare, *(_row(lines) for lines in by_way.values())),
    )
    yield Text(
        "The first way is the program's. Differences in points over all rolls, with 95 % intervals, paired; the same "
        "picture at several rolls counts as one draw. p: McNemar's exact test against the bare chip."
    )


def _row(lines: Sequence[Line]) -> tuple[str, ...]:
    whole = lines[-1]
    low, high = whole.loss_interval
    least, most = whole.gain_interval
    return (
        whole.kind,
        f"{whole.margin:g}",
        *(f"{line.accuracy:.4f}" for line in lines),
        f"{signed(-100 * whole.loss)} ({signed(-100 * high)} to {signed(-100 * low)})",
        *(f"{line.p_value:.2g}" for line in lines if line.p_value is not None),
        f"{signed(100 * whole.gain)} ({signed(100 * least)} to {signed(100 * most)})",
    )


def _legible(survey: Survey) -> Iterator[Table | Text]:
    found, gate = survey.legibility, Gate()
    yield Text("The bare chips, at several thresholds of confidence:")
    yield Table(
        ("threshold", "named", "of these right"),
        tuple((f"{least:g}", f"{named:.1%}", f"{right:.1%}") for least, named, right in found.cuts),
    )
    yield Text(f"Spoilt in known ways; doubted: sharpness below {gate.min_sharpness:g}; named at {THRESHOLD:g}:")
    yield _worths("chips", found.kinds)
    yield Text("All of these by their sharpness:")
    yield _worths("sharpness", found.bands)
    yield Text(
        "The bare chips that were found at 0°, by how far the nose is beside the middle of the eyes, in distances of "
        f"the eyes; beyond {gate.max_turn:g} a face counts as turned away:"
    )
    yield _worths("nose", found.turns)


def _worths(what: str, worths: Sequence[Worth]) -> Table:
    return Table(
        (what, "chips", "accuracy", "named", "of these right", "their confidence", "doubted"),
        tuple(
            (
                worth.name,
                f"{worth.n}",
                f"{worth.accuracy:.3f}",
                f"{worth.named:.1%}",
                f"{worth.accuracy_named:.1%}",
                f"{worth.confidence:.1%}",
                f"{worth.doubted:.1%}",
            )
            for worth in worths
        ),
    )
