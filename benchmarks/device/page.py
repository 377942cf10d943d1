"""What a device was measured to do: the page of `make bench`, and the device's part of the report."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.device.clip_page import about_clip
from edge.bench.clip import CAMERA_QUALITY
from edge.bench.figures import Figures
from training.reporting.document import Block, Document, Section, Table, Text, write

NAME = "report"
FLOOR_IS = (
    "The floor is the native calls that the same frames make, alone, in the same run: decode, detector and classifier "
    "invokes, JPEG. Whole frames are set against it by the medians of each kind of frame, the program with a viewer by "
    "the median over the rounds. In brackets, here and below: the middle half of the rounds."
)
OVERVIEW = (
    "clip",
    "whole frame, p50 ms",
    "× its floor",
    "frames a second on one core",
    "with a viewer, ms of processor time a frame",
    "× its floor",
)


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
    every = tuple(measured.clips.values())
    machine = every[0].whole.machine
    first = (
        Section("", tuple(_conditions(every))),
        Section("Overview", (Table(OVERVIEW, tuple(map(_overview, every))), Text(FLOOR_IS))),
    )
    rest = (section for name, found in measured.clips.items() for section in about_clip(name, found.whole.clip, found))
    title = f"Measured on {machine.board or machine.cpu or machine.arch}"
    return Document(NAME, title, (*first, *rest), measured)


def sections(found: Figures) -> tuple[Section, ...]:
    """Of the report."""
    overview = Table(OVERVIEW, (_overview(found),))
    first = Section("One device", (*_conditions([found]), overview, Text(FLOOR_IS)))
    return first, *about_clip("device", "One device, in detail", found)


def _conditions(every: Iterable[Figures]) -> Iterator[Block]:
    first, *_ = every = tuple(every)
    machine, whole = first.whole.machine, first.whole
    parts = [machine.arch, f"{machine.cores} cores", f"{machine.memory_mb} MB of memory"]
    if machine.governor:
        parts.append(f"governor {machine.governor}")
    lines = [
        ", ".join(filter(None, (machine.board, machine.cpu, *parts))),
        ", ".join(filter(None, (machine.os_name, machine.system))),
        f"emotion-edge {machine.emotion_edge}, Python {machine.python}, OpenCV {machine.opencv}, NumPy {machine.numpy}",
        first.subject.text() if first.subject else "",
        f"default settings; frames of {whole.width}×{whole.height} pixels, each a JPEG of quality {CAMERA_QUALITY} "
        "as a camera sends it",
        f"conditions before: {first.before.text()}" if first.before else "",
        f"after: {every[-1].after.text()}" if every[-1].after else "",
        *dict.fromkeys(f"**mind**: {doubt}" for found in every for doubt in found.doubts),
        *dict.fromkeys(f"not measured: {what}" for found in every for what in found.not_measured),
        "**mind**: a short run, in which figures are less exact" if first.quick else "",
    ]
    yield Text("\n".join(f"- {line}" for line in lines if line))
    yield Text("Figures count as ratios of one run; absolute times belong to these conditions.")
    header = (
        "clip",
        "frames",
        "faces read a frame",
        "detector",
        "frames a detection",
        "load average before",
        "°C before",
    )
    yield Table(header, tuple(map(_clip, every)))


def _clip(found: Figures) -> tuple[str, ...]:
    report = found.whole
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


def _overview(found: Figures) -> tuple[str, ...]:
    whole, served = found.whole, found.served
    return (
        whole.clip,
        f"{whole.whole.p50_ms:.3f}",
        f"{whole.ratio:.2f}",
        f"{whole.fps:.0f}",
        f"{np.median(served.program_ms):.2f}" if served else "–",
        f"{served.ratio:.2f}" if served else "–",
    )
