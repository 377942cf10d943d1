"""All figures of a run, for people who read them in a terminal."""

from collections.abc import Iterator

from edge.bench.figures import Figures
from edge.bench.timing import spread_text
from edge.machine import Machine


def text_of(figures: Figures) -> str:
    """Sections under headings, each a few lines."""
    return "\n".join(_lines(figures))


def _lines(figures: Figures) -> Iterator[str]:
    yield from _machine(figures)
    yield from ("", "In one thread", "-------------", figures.whole.text())
    if figures.whole.parts:
        yield from ("", "Where a frame's time goes, ms a frame", "-------------------------------------")
        yield from _parts(figures)
    if figures.served:
        yield from ("", "The program with a viewer", "-------------------------", figures.served.text())
        yield f"middle half of the rounds: {spread_text(figures.served.ratios)} x the floor"
    if figures.viewing:
        yield figures.viewing.text()
    if figures.startup:
        yield f"start-up         {figures.startup.text()}"
    if figures.factors:
        yield from ("", "One factor at a time", "--------------------")
        for factor in figures.factors:
            yield factor.text()
    if figures.not_measured or figures.doubts:
        yield ""
    yield from (f"Not measured: {what}" for what in figures.not_measured)
    yield from (f"Mind: {doubt}" for doubt in figures.doubts)
    if figures.seconds:
        yield f"\nmeasured in {figures.seconds / 60:.1f} minutes"


def _machine(figures: Figures) -> Iterator[str]:
    machine = figures.whole.machine
    yield headline(machine)
    yield (
        f"{machine.os_name or machine.system}, kernel {machine.kernel or 'unknown'}, Python {machine.python}, "
        f"OpenCV {machine.opencv}, NumPy {machine.numpy}, emotion-edge {machine.emotion_edge}"
    )
    if figures.subject:
        yield figures.subject.text()
    if figures.before and figures.after:
        yield f"before: {figures.before.text()}"
        yield f"after:  {figures.after.text()}"


def headline(machine: Machine) -> str:
    """What it is, in a line."""
    name = ", ".join(dict.fromkeys(filter(None, (machine.board, machine.cpu))))
    return f"{name or 'unknown processor'}, {machine.arch}, {machine.cores} cores, {machine.memory_mb} MB of memory"


def _parts(figures: Figures) -> Iterator[str]:
    parts = figures.whole.parts
    native_ms, ours_ms = sum(part.native_ms for part in parts), sum(part.ours_ms for part in parts)
    yield f"{'stage':<22}{'native':>9}{'ours':>9}{'':>4}share of ours"
    for part in parts:
        native = f"{part.native_ms:.3f}" if part.native_ms else "–"
        share = f"{round(100 * part.ours_ms / ours_ms)}%" if ours_ms > 0 else "–"
        # adding 0 makes of -0 what people write
        yield f"{part.stage:<22}{native:>9}{round(part.ours_ms, 3) + 0.0:>9.3f}{share:>12}"
    yield f"{'in one thread':<22}{native_ms:>9.3f}{ours_ms:>9.3f}"
    threads_ms = figures.threads_ms
    if threads_ms is not None:
        yield f"{'threads and sockets':<22}{'–':>9}{threads_ms:>9.3f}    of the program with a viewer; by subtraction"
