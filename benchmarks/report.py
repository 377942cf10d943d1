"""The page about one run on one machine: conditions, where a frame's time goes, the program beside its floor."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.pictures import FLOOR, WHOLE, draw_rounds, draw_stages, stages_size_in
from edge.bench.clip import CAMERA_QUALITY, HEIGHT_PX, WIDTH_PX
from edge.bench.figures import Figures
from edge.bench.served import Served
from edge.bench.whole import Report
from edge.machine import Machine
from training.reporting.document import Document, Picture, Section, Table, Text, write

NAME = "report"


class Measured(msgspec.Struct, frozen=True):
    """All figures of one run.

    Attributes:
        clips: by the clips' names in `benchmarks.clips`, which the pictures are named after.
    """

    clips: dict[str, Figures]


def report_on(figures: Mapping[str, Figures], directory: Path) -> Path:
    """Write `report.md`, `report.json` and the pictures into `directory`.

    Args:
        figures: of each clip by its name, at least one; all of one machine.
        directory: made where it is absent.

    Returns:
        the page.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    return write(document(Measured(dict(figures))), directory)


def document(measured: Measured) -> Document:
    """The page before it is written."""
    first = next(iter(measured.clips.values())).whole.machine
    title = f"Measured on {first.board or first.cpu or first.arch}"
    sections = [
        Section("", tuple(_conditions(first, measured))),
        Section("Overview", tuple(_overview(measured))),
        *(Section(figures.whole.clip, tuple(_clip(name, figures))) for name, figures in measured.clips.items()),
    ]
    return Document(NAME, title, tuple(sections), measured)


def _conditions(machine: Machine, measured: Measured) -> Iterator[Text | Table]:
    parts = [machine.arch, f"{machine.cores} cores", f"{machine.memory_mb} MB of memory"]
    if machine.governor:
        parts.append(f"governor {machine.governor}")
    name = f"{machine.board}, {machine.cpu}" if machine.board and machine.cpu else machine.board or machine.cpu
    yield Text(
        "\n".join(
            (
                f"- {', '.join([name, *parts] if name else parts)}",
                f"- {machine.system}",
                f"- emotion-edge {machine.emotion_edge}, Python {machine.python}, OpenCV {machine.opencv}, "
                f"NumPy {machine.numpy}",
                f"- default settings; frames of {WIDTH_PX}×{HEIGHT_PX} pixels, each a JPEG of quality {CAMERA_QUALITY} "
                "as a camera sends it",
            )
        )
    )
    yield Text("Figures count as ratios of one run; absolute times belong to these conditions.")
    yield Table(
        ("clip", "frames", "faces read a frame", "detector", "frames a detection", "load average before", "°C before"),
        tuple(_clip_row(figures.whole) for figures in measured.clips.values()),
    )


def _clip_row(report: Report) -> tuple[str, ...]:
    load, temperature_c = report.machine.load, report.machine.temperature_c
    return (
        report.clip,
        f"{report.frames}",
        f"{report.faces:.1f}",
        report.detector,
        f"{report.interval}",
        "–" if load is None else f"{load:.2f}",
        "–" if temperature_c is None else f"{temperature_c:.0f}",
    )


def _overview(measured: Measured) -> Iterator[Text | Table]:
    rows = []
    for figures in measured.clips.values():
        whole, served = figures.whole, figures.served
        rows.append(
            (
                whole.clip,
                f"{whole.whole.p50_ms:.3f}",
                f"{whole.ratio:.2f}",
                f"{whole.fps:.0f}",
                f"{np.median(served.program_ms):.2f}" if served else "–",
                f"{served.ratio:.2f}" if served else "–",
            )
        )
    yield Table(
        (
            "clip",
            "whole frame, p50 ms",
            "× its floor",
            "frames a second on one core",
            "with a viewer, ms of processor time a frame",
            "× its floor",
        ),
        tuple(rows),
    )
    yield Text(
        "The floor is the native calls that the same frames make, alone: decode, detector and classifier invokes, "
        "JPEG. Whole frames are set against it by the medians of each kind of frame, the program with a viewer by the "
        "median over the rounds."
    )


def _clip(name: str, figures: Figures) -> Iterator[Text | Table | Picture]:
    report = figures.whole
    rows = [*report.stages.items(), (WHOLE, report.whole), (FLOOR, report.floor)]
    yield Text(
        f"In one thread: **{report.fps:.0f} frames a second on one core, {report.ratio:.2f} times the floor** "
        f"({report.ratio_of_means:.2f} by means). Milliseconds:"
    )
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
    if figures.served:
        yield from _served(name, figures.served)
    else:
        yield Text("The program with a viewer was not measured: that works on Linux only.")


def _served(name: str, served: Served) -> Iterator[Text | Table | Picture]:
    yield Text(
        f"The program at {served.fps:g} frames a second, with a viewer: "
        f"**{np.median(served.program_ms):.2f} ms of processor time a frame, {served.ratio:.2f} times the floor** of "
        f"{np.median(served.floor_ms):.2f} ms (medians of {served.rounds} rounds in turn). "
        f"{served.shown:.1%} of the film's pictures reached the viewer; "
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
