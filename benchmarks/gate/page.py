"""The pages of `benchmarks.gate` and of `benchmarks.gate.proof`."""

from functools import partial

from benchmarks.gate.found import Compared, Found, Proof
from benchmarks.gate.pictures import draw_proof, draw_ratios, proof_size_in, ratios_size_in
from edge.machine import Machine
from training.reporting.document import Document, Picture, Section, Table, Text


def document(found: Compared) -> Document:
    """Two revisions side by side."""
    conditions = (
        f"{found.after.text()} against {found.before.text()}, measured in turn on {_machine(found.machine)}: "
        f"{found.pairs[0]} pairs of processes, {found.frames} frames of each clip in each"
        f"{f'; what seemed slower again in {found.pairs[1]} pairs' if found.pairs[1] else ''}. Processor time in ms a "
        "frame, those on which a stage does not run included; starting: until all parts are ready. In brackets the "
        "bounds of the ratio. A stage is worse if it was slower by more than "
        f"{found.tolerance:.0%}, and again when measured once more, its lower bound included."
    )
    verdict = "\n".join(f"- {line}" for line in found.said())
    blocks = (
        Text(conditions),
        Text(verdict),
        _table(found.rows),
        Picture(
            "compare",
            "The ratio of each stage with its bounds",
            ratios_size_in(found),
            partial(draw_ratios, found=found),
        ),
    )
    return Document("compare", "Faster or slower", (Section("", blocks),), found)


def _table(rows: tuple[Found, ...]) -> Table:
    return Table(
        ("", "before", "after", "ratio", "bounds", "verdict"),
        tuple(
            (
                row.name,
                f"{row.ratio.before_ms:.3f}",
                f"{row.ratio.after_ms:.3f}",
                f"{row.ratio.middle:.3f}",
                f"{row.ratio.low:.2f}–{row.ratio.high:.2f}",
                row.verdict or "–",
            )
            for row in rows
        ),
    )


def proof_document(found: Proof) -> Document:
    """The proof as a page of its own; its figures are `gate.json`."""
    return Document("gate", "Is the regression gate to be trusted?", sections(found), found)


def sections(found: Proof) -> tuple[Section, ...]:
    """The proof, for its own page and for the report."""
    first = found.runs[0]
    loads = [run.machine.load for run in found.runs if run.machine.load is not None]
    seconds = sorted(run.seconds for run in found.runs)
    load = f"load {min(loads):.1f} to {max(loads):.1f}; " if loads else ""
    conditions = (
        f"{first.after.text()} against itself on {_machine(first.machine)}, {load}{len(found.unchanged)} runs "
        f"unchanged and {len(found.slowed)} with one stage slowed by {found.share:.0%}, another each time: a wrapper "
        "around the function behind the stage spins after each call for that share of the time the call took; the "
        "other side has the same wrapper, which does not spin. “Whole frame” is all stages at once. Each "
        f"run: {first.pairs[0]} pairs of processes or more, {first.frames} frames of each clip in each; what seems "
        f"slower by more than {first.tolerance:.0%} is measured again and has to be so once more, its lower bound "
        f"included. A run took {seconds[0]:.0f} to {seconds[-1]:.0f} s."
    )
    verdict = (
        f"**Slowed: {found.caught()} of {len(found.slowed)} caught**, {found.beside()} with a false alarm beside. "
        f"**Unchanged: {found.alarmed()} of {len(found.unchanged)} flagged.**"
    )
    picture = Picture(
        "gate",
        "Ratios of all stages in each run; those slowed down on purpose stand out",
        proof_size_in(found),
        partial(draw_proof, found=found),
    )
    header = ("run", "slowed", "pairs, again", "worse", "seconds", "load")
    rows = tuple(_run(number, run) for number, run in enumerate(found.runs, 1))
    return (Section("Regression gate", (Text(conditions), Text(verdict), picture, Table(header, rows))),)


def _run(number: int, run: Compared) -> tuple[str, ...]:
    return (
        f"{number}",
        run.slowed or "–",
        f"{run.pairs[0]}, {run.pairs[1]}",
        "; ".join(
            f"{row.name} {row.ratio.middle:.2f} ({row.ratio.low:.2f}–{row.ratio.high:.2f})" for row in run.of("worse")
        )
        or "–",
        f"{run.seconds:.0f}",
        "–" if run.machine.load is None else f"{run.machine.load:.1f}",
    )


def _machine(machine: Machine) -> str:
    return f"{machine.board or machine.cpu or machine.arch} with {machine.cores} cores"
