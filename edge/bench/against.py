"""Better or worse than last time: figure by figure, on the same kind of machine only."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from edge.bench.factors import THREADS
from edge.bench.figures import Figures
from edge.bench.timing import median, spread_text
from edge.bench.whole import Report
from edge.errors import ConfigError
from edge.machine import Machine

LEAST_CHANGE = 0.05
"""Smaller ones are said to be none, however little the figures spread: two runs of the same differ by so much."""
FEW = 4
LEAST_CHANGE_OF_FEW = 0.2
"""The same of figures of fewer rounds than `FEW`, whose spread says little."""

Verdict = Literal["better", "worse", "alike"]


class Measure(NamedTuple):
    """One figure of a run.

    Attributes:
        name: for people.
        values: over the rounds.
        more_is_better: or less.
        digits: behind the point.
    """

    name: str
    values: Sequence[float]
    more_is_better: bool = False
    digits: int = 2


class Change(NamedTuple):
    """One figure of two runs.

    Attributes:
        name: for people.
        before: over the rounds.
        now: likewise.
        ratio: of the medians, now by before.
        verdict: whether the ranges of all rounds are apart, and the medians by enough.
        digits: behind the point.
    """

    name: str
    before: Sequence[float]
    now: Sequence[float]
    ratio: float
    verdict: Verdict
    digits: int


class Comparison(NamedTuple):
    """Two runs.

    Attributes:
        cautions: what else differs, and may be the reason.
        changes: of all figures that both have.
    """

    cautions: tuple[str, ...]
    changes: tuple[Change, ...]

    def text(self) -> str:
        """Lines for people."""
        lines = [f"Mind: {caution}" for caution in self.cautions]
        lines.append(f"{'':<44}{'before':>24}{'now':>24}{'':>9}")
        for change in self.changes:
            before, now = (spread_text(values, change.digits) for values in (change.before, change.now))
            verdict = "" if change.verdict == "alike" else f"  {change.verdict}"
            lines.append(f"{change.name:<44}{before:>24}{now:>24}{change.ratio:>7.2f} x{verdict}")
        counts = {verdict: sum(change.verdict == verdict for change in self.changes) for verdict in VERDICTS}
        lines.append(
            f"{counts['better']} better, {counts['worse']} worse, {counts['alike']} alike. Medians, in brackets the "
            "middle half of the rounds. Better or worse where no round of one run reaches one of the other, and the "
            f"medians differ by {LEAST_CHANGE:.0%} at least, by {LEAST_CHANGE_OF_FEW:.0%} with fewer than {FEW} rounds"
        )
        return "\n".join(lines)


VERDICTS: tuple[Verdict, ...] = ("better", "worse", "alike")


def read_figures(path: Path) -> Figures:
    """Figures of an earlier run.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Figures)
    except OSError as error:
        raise ConfigError(f"cannot read the figures of {path}: {error.strerror}; check the path") from error
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{path} holds no figures of `emotion-edge bench` ({error}); give a file that `--json` wrote"
        ) from error


def refuse_other(old: Figures, machine: Machine, clip: str) -> None:
    """Make sure that figures can be compared.

    Args:
        old: of an earlier run.
        machine: of this run.
        clip: of this run.

    Raises:
        ConfigError: it was another machine, or another clip.
    """
    before, now = old.whole.machine.identity, machine.identity
    different = [
        f"{field} {was or 'unknown'}, now {has or 'unknown'}"
        for field, was, has in zip(before._fields, before, now, strict=True)
        if was != has
    ]
    if different:
        raise ConfigError(
            f"the earlier figures are of another machine ({'; '.join(different)}); figures of different machines are "
            "not compared: measure both revisions on one"
        )
    if old.whole.clip != clip:
        raise ConfigError(
            f"the earlier figures are of the clip {old.whole.clip!r}, not {clip!r}; give the same --source"
        )


def compare(old: Figures, new: Figures) -> Comparison:
    """Figure by figure.

    Raises:
        ConfigError: see `refuse_other`.
    """
    refuse_other(old, new.whole.machine, new.whole.clip)
    earlier = {measure.name: measure for measure in measures(old)}
    changes = [change(earlier[measure.name], measure) for measure in measures(new) if measure.name in earlier]
    return Comparison(tuple(cautions(old, new)), tuple(changes))


def change(before: Measure, now: Measure) -> Change:
    """Whether a figure got better or worse."""
    first, last = median(before.values), median(now.values)
    ratio = last / first if first else 1.0
    least = LEAST_CHANGE_OF_FEW if min(len(before.values), len(now.values)) < FEW else LEAST_CHANGE
    apart = min(now.values) > max(before.values) or max(now.values) < min(before.values)
    verdict: Verdict = "alike"
    if apart and abs(ratio - 1) >= least:
        verdict = "better" if (ratio > 1) == now.more_is_better else "worse"
    return Change(now.name, before.values, now.values, ratio, verdict, now.digits)


def measures(figures: Figures) -> Iterator[Measure]:
    """All figures of a run that have a good and a bad end."""
    whole, served, viewing, startup = figures.whole, figures.served, figures.viewing, figures.startup
    yield Measure("native calls alone, ms a frame", whole.floors_ms or (whole.floor.p50_ms,), digits=3)
    yield Measure("whole frame, ms", whole.wholes_ms or (whole.whole.p50_ms,), digits=3)
    yield Measure("whole frame, x its floor", whole.ratios or (whole.ratio,))
    if whole.cpu_wholes_ms:
        yield Measure("native calls, processor time, ms", whole.cpu_floors_ms, digits=3)
        yield Measure("whole frame, processor time, ms", whole.cpu_wholes_ms, digits=3)
        yield Measure("whole frame by processor time, x its floor", whole.cpu_ratios)
    if served:
        yield Measure("native calls at the film's pace, ms a frame", served.floor_ms)
        yield Measure("program with a viewer, x its floor", served.ratios)
    if viewing:
        yield Measure("pictures a second shown", viewing.fps, more_is_better=True, digits=1)
        yield Measure("grab to client p95, ms", viewing.ages_p95_ms, digits=1)
        yield Measure("processor time with a viewer, ms a frame", viewing.watched_ms)
        yield Measure("processor time unwatched, ms a frame", viewing.unwatched_ms)
        yield Measure("unwatched, x watched", viewing.ratios)
        yield Measure("unwatched but every frame analysed, x watched", viewing.every_ratios)
        yield Measure("memory with a viewer, MiB", (viewing.rss_mib,), digits=0)
        if viewing.energy:
            yield Measure("energy with a viewer, mJ a frame", viewing.energy.watched_mj, digits=1)
    if startup:
        yield Measure("start to the first named face, s", startup.seconds)
        yield Measure("processor time of a start, s", startup.cpu_s)
    for factor in figures.factors:
        for variant in factor.variants:
            if variant.name != factor.base:
                # processor time is what other programs disturb least; threads are to spare time, not that
                ratios = variant.ratios if factor.name == THREADS else variant.cpu_ratios or variant.ratios
                yield Measure(f"{factor.name} {variant.name}, x {factor.base}", ratios)


def cautions(old: Figures, new: Figures) -> Iterator[str]:
    """What differs between two runs that can be compared, and may be the reason for what changed."""
    before, now = old.whole.machine, new.whole.machine
    for what, was, has in (
        ("emotion-edge", before.emotion_edge, now.emotion_edge),
        ("Python", before.python, now.python),
        ("OpenCV", before.opencv, now.opencv),
        ("NumPy", before.numpy, now.numpy),
        ("the TFLite runtime", before.tflite, now.tflite),
        ("the kernel", before.kernel, now.kernel),
        ("the governor", before.governor, now.governor),
    ):
        if was != has:
            yield f"{what} was {was or 'unknown'}, now {has or 'unknown'}"
    if old.subject and new.subject:
        if old.subject.model_sha256 != new.subject.model_sha256:
            yield f"another model: it was {old.subject.model}, now {new.subject.model}, or another file of that name"
        if old.subject.detector_sha256 != new.subject.detector_sha256:
            yield f"another detector: it was {old.subject.detector}, now {new.subject.detector}"
    if old.quick != new.quick:
        yield f"one of the runs was a quick one: {'the earlier' if old.quick else 'this'}"
    for run, figures in (("the earlier run", old), ("this run", new)):
        for doubt in figures.doubts:
            yield f"in {run} {doubt}"
    by_processor_time = bool(old.whole.cpu_floors_ms and new.whole.cpu_floors_ms)
    floors = change(_floor(old.whole, by_processor_time), _floor(new.whole, by_processor_time))
    if floors.verdict != "alike":
        yield (
            f"the native calls alone took {floors.ratio:.2f} times as long: the machine, or what runs them, is "
            f"{'slower' if floors.ratio > 1 else 'faster'} than it was; trust ratios to the floor rather than times"
        )


def _floor(whole: Report, by_processor_time: bool) -> Measure:
    """What the machine itself is measured by."""
    values = whole.cpu_floors_ms if by_processor_time else whole.floors_ms or (whole.floor.p50_ms,)
    return Measure("native calls", values)
