"""What `benchmarks.soak` found, as a page of its own and as a part of the report."""

from collections.abc import Iterator
from functools import partial

from benchmarks.soak.found import Soak, Span
from benchmarks.soak.pictures import SIZE_IN, draw_course
from benchmarks.soak.watchers import VISIT_EVERY, VISIT_LASTS
from training.reporting.document import Document, Picture, Section, Table, Text

VERDICTS = {True: "kept", False: "**not kept**", None: "cannot be told"}


def document(found: Soak) -> Document:
    """Page and figures."""
    return Document(found.start.name, "A long run", sections(found), found)


def sections(found: Soak) -> tuple[Section, ...]:
    """What must hold, how it went, and under which conditions: one section."""
    return (Section(title(found), tuple(_blocks(found))),)


def title(found: Soak) -> str:
    """What was run, in a line."""
    small = found.start.memory_mib is not None
    bounds = f" on one core and with {found.start.memory_mib} MiB" if small else ""
    return f"{found.ran_s / 60:.3g} minutes with a viewer{bounds}"


def _blocks(found: Soak) -> Iterator[Text | Table | Picture]:
    if not found.whole:
        yield Text(
            f"**A run of {found.ran_s / 60:.3g} minutes proves little**: it shows that everything works, not that "
            "nothing grows. Warm-up and windows are shortened in proportion."
        )
    yield Text(_conditions(found))
    yield Text("\n".join(f"- {VERDICTS[well]}: {what}" for what, well in found.musts()))
    spans = [(name, span) for name, span in (("first", found.first), ("last", found.last)) if span]
    if spans:
        yield Table(
            (
                "minutes", "pictures", "age p50, ms", "p95", "p99", "p99 of the minutes alone",
                "handles, median / most", "threads",
            ),
            tuple(_row(name, span) for name, span in spans),
        )  # fmt: skip
    yield Text(_growth(found))
    yield Picture(
        f"{found.start.name}-course",
        "Growth of memory, age of the pictures, handles and threads, and the machine's load over time",
        SIZE_IN,
        partial(draw_course, found=found, title=title(found)),
    )
    yield Table(("whole run", "", "minutes, least – most"), tuple(_figures(found)))


def _conditions(found: Soak) -> str:
    start = found.start
    machine = start.machine
    fps = f" at {start.fps:g} pictures a second" if start.fps else ""
    bounds = []
    if start.core is not None:
        others = "viewers and sampler are on the others" if machine.cores > 1 else "with viewers and sampler"
        bounds.append(f"The program is bound to one core; {others}.")
    if start.memory_mib is not None:
        bounds.append(
            f"It is limited to {start.memory_mib} MiB of addresses (`RLIMIT_AS`), in which also what is mapped and "
            "reserved but not used counts: more strict than a machine with as much memory."
        )
    loads = [minute.load for minute in found.minutes]
    stolen = sum(minute.stolen for minute in found.minutes) / len(found.minutes)
    parts = (
        f"{start.source}{fps}.",
        f"Program, viewers and sampler each in a process of its own on {machine.board or machine.cpu or machine.arch} "
        f"with {machine.cores} cores, {machine.system}, Python {machine.python}, emotion-edge {machine.emotion_edge}; "
        f"niceness {start.nice}.",
        *bounds,
        "One viewer of the stream and one reader of the events all the time, one more viewer for "
        f"{VISIT_LASTS * start.interval_s:g} s every {VISIT_EVERY * start.interval_s:g} s ({found.visits} times), "
        f"`/metrics` and `/state` every {start.interval_s:g} s.",
        f"Load of the machine {min(loads):.1f} to {max(loads):.1f}; its host took {stolen:.1%} of its processor time.",
        "Ages: until the viewer had the last byte of a picture, since its frame was grabbed.",
    )
    return " ".join(parts)


def _row(name: str, span: Span) -> tuple[str, ...]:
    ages = span.ages
    figures = (
        (
            f"{ages.pictures}",
            f"{ages.p50_ms:.1f}",
            f"{ages.p95_ms:.1f}",
            f"{ages.p99_ms:.1f}",
            f"{ages.p99s_ms[0]:.1f} – {ages.p99s_ms[1]:.1f}",
        )
        if ages
        else ("0", "–", "–", "–", "–")
    )
    return (
        f"{name}: {span.begin_min:.3g} to {span.end_min:.3g}",
        *figures,
        f"{span.handles[0]:g} / {span.handles[1]}",
        f"{span.threads[0]:g} / {span.threads[1]}",
    )


def _growth(found: Soak) -> str:
    trends = [
        f"{name} {each.slope:+.2f} MiB an hour (with a probability of 95 % each above {each.low:+.2f} and below "
        f"{each.high:+.2f})"
        for name, each in (("resident memory", found.rss), ("the part of it in no file", found.anon))
        if each
    ]
    if not trends:
        return "Too few figures for a trend of the memory."
    unit = "each minute" if found.minute_s == 60 else f"{found.minute_s:g} s each"
    return (
        f"Growth after the first {found.warm_s / 60:.3g} minutes, which are taken as warm-up: {'; '.join(trends)}. By "
        f"the median slope of Theil and Sen over the medians of {unit}; bounds by a sieve bootstrap, which allows for "
        "neighbours that resemble each other."
    )


def _figures(found: Soak) -> Iterator[tuple[str, str, str]]:
    fps = [minute.fps for minute in found.minutes]
    shares = [100 * minute.cpu_share for minute in found.minutes]
    rss = [minute.rss_mib for minute in found.minutes]
    levels = [minute.level for minute in found.minutes if minute.level is not None]
    limit = "" if found.start.memory_mib is None else f" of {found.start.memory_mib}"
    skipped = ", ".join(f"{reason} {frames}" for reason, frames in found.skipped.items()) or "0"
    yield "pictures a second at the viewer", f"{found.fps:.2f}", f"{min(fps):.2f} – {max(fps):.2f}"
    yield (
        "processor time, hundredths of a core",
        f"{100 * found.cpu_share:.1f}",
        f"{min(shares):.1f} – {max(shares):.1f}",
    )
    yield "resident memory, most, MiB", f"{found.peak_mib:.1f}", f"{min(rss):.1f} – {max(rss):.1f}"
    yield "addresses, most, MiB", f"{found.mapped_mib:.0f}{limit}", ""
    yield "frames grabbed", f"{found.frames}", ""
    yield "frames not analysed", skipped, ""
    yield "JPEGs encoded", f"{found.encoded}", ""
    yield "pictures at the viewer", f"{found.pictures}", ""
    yield "pictures it was too slow for", f"{found.viewer_skipped}", ""
    yield "records at the reader of the events", f"{found.events}", ""
    yield "connections the program ended", f"{found.lost}", ""
    yield "source opened again", f"{found.reconnects}", ""
    yield "samples without an answer", f"{found.unanswered}", ""
    if levels:
        yield "level of effort, 0 is all of it", f"{levels[-1]}", f"{min(levels)} – {max(levels)}"
