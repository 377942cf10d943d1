"""What `benchmarks.faces.following` measured, as one page."""

from collections.abc import Iterator

from benchmarks.faces.following import Survey
from benchmarks.faces.photos import SIZES
from benchmarks.faces.still_scenes import FPS, NOISE, SECONDS
from training.reporting.document import Document, Section, Table, Text


def document(found: Survey) -> Document:
    """Page and figures."""
    return Document("following", "Faces over time", tuple(_sections(found)), found)


def _sections(found: Survey) -> Iterator[Section]:
    machine = found.machine
    load = "unknown" if machine.load is None else f"{machine.load:.1f}"
    conditions = (
        f"On {machine.board or machine.cpu or machine.arch} with {machine.cores} cores, load {load} before; OpenCV "
        f"{machine.opencv}, Python {machine.python}. Times are processor time of all threads; what is compared was "
        "measured in turn in one run."
    )
    yield Section("", (Text(conditions),))
    if found.photos:
        yield _photos(found)
    if found.real:
        yield _real(found)
    yield _drawn(found)
    yield _spending(found)


def _photos(found: Survey) -> Section:
    text = (
        f"Each photo as a camera at {FPS} frames a second would see it for {SECONDS:.0f} s, with noise of {NOISE:.0f} "
        "grey levels. Counted are the faces shown at the end, by the longer side of the marked box; found is an IoU of "
        "0.4; false is a box that has that with no face, scored or not. "
        f"Data: SHA-256 {found.photos_sha256[:12]}."
    )
    rows = tuple(
        (
            each.setting,
            *(f"{hit}/{there}" for hit, there in zip(each.counts.found, each.counts.present, strict=True)),
            f"{each.counts.recall:.1%}",
            f"{each.counts.false}",
            f"{each.ms:.2f}",
        )
        for each in found.photos
    )
    moments = tuple(found.photos[0].after_s)
    growth = tuple(
        (each.setting, *(f"{counts.recall:.1%} ({counts.false})" for counts in each.after_s.values()))
        for each in found.photos
    )
    reasons = "; ".join(
        f"{each.setting}: " + ", ".join(f"{reason} {frames}" for reason, frames in sorted(each.searches.items()))
        for each in found.photos
    )
    return Section(
        "Photos as still scenes",
        (
            Text(text),
            Table(("setting", *SIZES, "all", "false", "ms a frame"), rows),
            Text("Share of all scored faces that are shown so long after the photo came, and false ones:"),
            Table(("setting", *(f"{moment:g} s" for moment in moments)), growth),
            Text(f"Frames by the reason why they were searched, or not: {reasons}."),
        ),
    )


def _real(found: Survey) -> Section:
    text = (
        "One person each. IoU: of the box that is shown with that of a search of the whole of this very frame. Jitter: "
        "mean change of the box's speed from frame to frame, in hundredths of its width. Cost: of deciding, searching "
        "and following, by that of searching every frame."
    )
    rows = tuple(
        (
            each.name,
            f"{each.frames}",
            f"{each.shown:.1%}",
            f"{each.ids}",
            f"{each.iou:.3f} ({each.iou_p5:.3f})",
            f"{100 * each.jitter:.2f}",
            f"{100 * each.jitter_searched:.2f}",
            f"{each.whole:.1%}",
            f"{each.parts:.1%}",
            f"{each.cost:.2f}",
        )
        for each in found.real
    )
    header = (
        "clip", "frames", "with a face", "ids", "IoU (5th percentile)", "jitter", "searched on every frame",
        "frames searched whole", "in part", "cost",
    )  # fmt: skip
    return Section("Real clips", (Text(text), Table(header, rows)))


def _drawn(found: Survey) -> Section:
    text = (
        "Films drawn by code, in which faces wander, swell, turn and now and then change places, one in front of the "
        "other. New faces appear all at once on an empty picture. Lag: along the way of faces that move by a width a "
        "second or more, in hundredths of their width."
    )
    rows = tuple(
        (
            each.name,
            f"{each.seconds:.0f}",
            f"{each.crossings}",
            f"{each.switches}",
            f"{each.ids:.2f}",
            f"{each.shown:.2%}",
            f"{each.false:.3f}",
            f"{each.iou:.3f}",
            f"{100 * each.lag:.1f}",
            f"{each.found_ms[0]:.0f} / {each.found_ms[1]:.0f}",
        )
        for each in found.drawn
    )
    header = (
        "faces", "seconds", "meetings", "ids switched", "ids a face", "shown", "false a frame", "IoU", "lag",
        "found after ms, median / longest",
    )  # fmt: skip
    return Section("Drawn films", (Text(text), Table(header, rows)))


def _spending(found: Survey) -> Section:
    text = "Processor time of an analysed frame of 640×480, expressions included, without drawing and encoding."
    one = {each.scene: each.ms for each in found.spending if each.scene.startswith("one")}
    rows = tuple(
        (
            each.scene,
            f"{each.faces:.1f}",
            f"{each.ms:.3f}",
            f"{each.ms_searched:.3f}",
            f"{each.ratio:.2f}",
            f"{each.ms / one['one' + each.scene[each.scene.index(' face') :].replace('faces', 'face')]:.2f}"
            if "face" in each.scene
            else "",
        )
        for each in found.spending
    )
    header = ("scene", "faces shown", "ms", "ms, every frame searched", "ratio", "by one face")
    return Section("What a frame costs", (Text(text), Table(header, rows)))
