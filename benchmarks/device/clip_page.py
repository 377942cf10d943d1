"""What a device was measured to do with one clip: the sections about it."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.device.factor_pictures import draw_factors, draw_parts, factors_size_in, parts_size_in
from benchmarks.device.pictures import FLOOR, WHOLE, draw_rounds, draw_stages, stages_size_in
from edge.bench.figures import Figures
from edge.bench.served import Served
from edge.bench.startup import Startup
from edge.bench.timing import Timing, median, spread_text
from edge.bench.variants import Factor, Variant
from edge.bench.viewing import Viewing
from training.reporting.document import Block, Picture, Section, Table, Text


def about_clip(name: str, clip: str, found: Figures) -> Iterator[Section]:
    """All sections about it.

    Args:
        name: that the pictures' names end in.
        clip: what it is called in headings.
        found: what was measured.
    """
    yield Section(clip, (*_stages(name, found), *_served(name, found)))
    if found.viewing or found.startup:
        yield Section(f"{clip}: viewers and start-up", (*_viewing(found.viewing), *_startup(found.startup)))
    if found.factors:
        yield Section(f"{clip}: one factor at a time", tuple(_factors(name, found.factors)))


def _stages(name: str, found: Figures) -> Iterator[Block]:
    report = found.whole
    spread = f"; in blocks of consecutive frames {spread_text(report.ratios)}" if report.ratios else ""
    yield Text(
        f"In one thread: **{report.fps:.0f} frames a second on one core, {report.ratio:.2f} times the floor** "
        f"({report.ratio_of_means:.2f} by means{spread}). Milliseconds:"
    )
    rows: list[tuple[str, Timing]] = [*report.stages.items(), (WHOLE, report.whole), (FLOOR, report.floor)]
    yield Table(
        ("", "runs", "mean", "p50", "p95", "p99"),
        tuple(
            (what, f"{t.runs}", f"{t.mean_ms:.3f}", f"{t.p50_ms:.3f}", f"{t.p95_ms:.3f}", f"{t.p99_ms:.3f}")
            for what, t in rows
        ),
    )
    yield Picture(
        f"stages-{name}",
        "p50 and p95 of each stage, of the whole frame and of its floor",
        stages_size_in(report),
        partial(draw_stages, report=report),
    )
    if report.parts:
        yield from _parts(name, found)


def _parts(name: str, found: Figures) -> Iterator[Block]:
    parts = found.whole.parts
    native_ms, ours_ms = (
        sum(values) for values in zip(*((each.native_ms, each.ours_ms) for each in parts), strict=True)
    )
    share = ours_ms / (native_ms + ours_ms)
    yield Text(
        f"Of a frame {1 - share:.0%} are native calls. {share:.0%} are ours, and lie where the table says, in "
        "milliseconds a frame over all frames, those without the stage included:"
    )
    rows = [
        (
            part.stage,
            f"{part.native_ms:.3f}" if part.native_ms else "–",
            f"{part.ours_ms:.3f}".replace("-", "−"),
            f"{part.ours_ms / ours_ms:.0%}".replace("-", "−") if ours_ms > 0 else "–",
        )
        for part in parts
    ]
    rows.append(("all, in one thread", f"{native_ms:.3f}", f"{ours_ms:.3f}", ""))
    if found.threads_ms is not None:
        rows.append(("threads and sockets, with a viewer, by subtraction", "–", f"{found.threads_ms:.3f}", ""))
    yield Table(("stage", "native", "ours", "share of ours"), tuple(rows))
    yield Picture(
        f"ours-{name}",
        "Of each stage what its native calls take, and what is ours",
        parts_size_in(parts),
        partial(draw_parts, report=found.whole),
    )


def _served(name: str, found: Figures) -> Iterator[Block]:
    served: Served | None = found.served
    if served is None:
        yield Text("The program with a viewer was not measured: that works on Linux only.")
        return
    yield Text(
        f"The program at {served.fps:g} frames a second, with a viewer: "
        f"**{np.median(served.program_ms):.2f} ms of processor time a frame, {served.ratio:.2f} times the floor** of "
        f"{np.median(served.floor_ms):.2f} ms (medians of {served.rounds} rounds in turn; "
        f"{spread_text(served.ratios)}). {served.shown:.1%} of the film's pictures reached the viewer; "
        f"the detector ran on {served.detections:.1%} of the frames. Milliseconds of processor time a frame:"
    )
    yield Table(
        ("round", "floor before", "program", "floor after", "×"),
        tuple(
            (f"{number}", f"{before:.3f}", f"{own:.3f}", f"{after:.3f}", f"{own / ((before + after) / 2):.2f}")
            for number, (before, own, after) in enumerate(
                zip(served.floor_ms[:-1], served.program_ms, served.floor_ms[1:], strict=True), 1
            )
        ),
    )
    yield Picture(
        f"served-{name}",
        "Processor time a frame of the program and of its floor, round by round",
        (8, 4),
        partial(draw_rounds, served=served),
    )


def _viewing(viewing: Viewing | None) -> Iterator[Block]:
    if viewing is None:
        return
    age, energy = viewing.age, viewing.energy
    yield Text(
        f"A viewer comes and goes, {len(viewing.ratios)} rounds of {viewing.seconds:g} s each. Nobody watching costs "
        f"**{spread_text(viewing.ratios)} times** what a viewer does."
    )
    rows = [
        ("pictures a second at the viewer", spread_text(viewing.fps, 1)),
        ("grab to client, ms: p50, p95, p99", f"{age.p50_ms:.1f}, {age.p95_ms:.1f}, {age.p99_ms:.1f}"),
        ("processor time with a viewer, ms a frame", spread_text(viewing.watched_ms)),
        ("processor time while nobody watches, ms a frame", spread_text(viewing.unwatched_ms)),
        ("resident memory with a viewer, MiB", f"{viewing.rss_mib:.0f}, at most {viewing.peak_mib:.0f}"),
    ]
    if energy:
        rows += [
            ("energy with a viewer, mJ a frame", spread_text(energy.watched_mj, 1)),
            ("of which beyond the program's standing still", f"{energy.own_mj:.1f}"),
            ("energy while nobody watches, mJ a frame", spread_text(energy.unwatched_mj, 1)),
            ("power with a viewer, and while the program stands still, W", _watts(energy.watched_w, energy.idle_w)),
        ]
    yield Table(("", "median (middle half)"), tuple(rows))
    yield Text(f"Energy: {energy.meter}." if energy else f"Energy was not measured: {viewing.no_energy}.")


def _watts(watched: tuple[float, ...], idle: tuple[float, ...]) -> str:
    return f"{median(watched):.2f}, {median(idle):.2f}"


def _startup(startup: Startup | None) -> Iterator[Block]:
    if startup:
        yield Text(
            f"From its start the program takes {startup.text()}; {startup.first_s:.2f} s from a cold start before."
        )


def _factors(name: str, factors: tuple[Factor, ...]) -> Iterator[Block]:
    yield Text(
        "All else as in the base case; the variants take turns, and × is by the base case in the same round. A typical "
        "frame in ms; of viewers, the processor time of the whole program a frame."
    )
    yield Picture(
        f"factors-{name}",
        "How many times the base case each variant of each factor takes",
        factors_size_in(factors),
        partial(draw_factors, factors=factors),
    )
    rows = tuple(_variant(factor, variant) for factor in factors for variant in factor.variants)
    yield Table(("factor", "typical", "p50", "p95", "processor ms", "× base"), rows)
    if left := [f"- {factor.name} {name}: {reason}" for factor in factors for name, reason in factor.left_out]:
        yield Text("\n".join(("Left out:", "", *left)))


def _variant(factor: Factor, variant: Variant) -> tuple[str, ...]:
    return (
        f"{factor.name}: {variant.name}",
        f"{median(variant.typical_ms):.3f}",
        *("–" if ms is None else f"{ms:.3f}" for ms in (variant.p50_ms, variant.p95_ms)),
        f"{median(variant.cpu_ms):.3f}",
        "base" if variant.name == factor.base else spread_text(variant.ratios),
    )
