"""What `benchmarks.faces.detection` measured, as one page with two pictures."""

from typing import TYPE_CHECKING

from benchmarks.faces.detection import SHIPPED, Line, Survey
from benchmarks.faces.face_counts import MIN_IOU, Counts
from benchmarks.faces.photos import AS_IT_CAME, CONDITIONS, ROLLS, SIZES
from training.reporting.document import Document, Picture, Section, Table, Text
from training.reporting.style import COLOURS, INK, MUTED, headline, percent_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def document(found: Survey) -> Document:
    """Page, figures and pictures."""
    machine = found.machine
    load = "unknown" if machine.load is None else f"{machine.load:.1f}"
    conditions = (
        f"{found.photos} photos, {found.scored} scored faces; {found.ignored} more, which their makers marked as too "
        "small, blurred or hidden, are neither rewarded nor punished. A face is found if a box has an IoU of "
        f"{MIN_IOU} with it; a box is a false alarm if it has that with no face, scored or not. Sizes are the longer "
        "side of the marked box in the photo as it came. Faces of all sizes are looked for, but in the setting "
        f"“{SHIPPED.name}”, which is the program's own and leaves out boxes narrower than "
        f"{SHIPPED.config.min_face_px} px. Times: median processor time of one search as the program makes it, on "
        f"{machine.board or machine.cpu or machine.arch} with {machine.cores} cores, load {load} before; OpenCV "
        f"{machine.opencv}. Data: SHA-256 {found.data_sha256[:12]}."
    )
    framing = (
        "Left: the detectors' own boxes. Right: the same boxes brought to the outlines that the photos' faces are "
        "marked with, because a box that shows the right face in another framing else counts twice, as a missed face "
        "and as a false alarm. The outline is the median over all found faces of 40 px or more; each half of the "
        "photos is scored with what the other half gave, condition by condition."
    )
    came = [line for line in found.lines if line.condition == AS_IT_CAME.name]
    header = ("setting", *SIZES, "all", "false", *(f"{name}, reframed" for name in (*SIZES, "all", "false")), "ms")
    rows = tuple((line.setting, *_cells(line.as_drawn), *_cells(line.reframed), f"{line.ms:.1f}") for line in came)
    outlines = tuple(
        (name, f"{outline.width:.2f}", f"{outline.height:.2f}", f"{outline.up:+.2f}".replace("-", "−"))
        for name, outline in found.outlines.items()
    )
    names = tuple(condition.name for condition in CONDITIONS)
    by_setting = {
        line.setting: {other.condition: other for other in found.lines if other.setting == line.setting}
        for line in came
    }
    harder = tuple(
        (setting, *(f"{lines[name].reframed.recall:.1%} ({lines[name].reframed.false})" for name in names))
        for setting, lines in by_setting.items()
    )
    explained = (
        "Share of all scored faces that are found, and false alarms in parentheses, both reframed. Under roll the "
        "photos are turned both ways, so that there are twice as many; faces that leave the picture do not count. "
        "At half the size the whole photo is shrunk in the middle of a black one."
    )
    sections = (
        Section("", (Text(conditions),)),
        Section(
            "Photos as they came",
            (
                Text(framing),
                Table(header, rows),
                Picture("detection-sizes", "Recall by size", _size_in(rows), lambda f: draw_sizes(f, came)),
            ),
        ),
        Section(
            "Harder conditions",
            (
                Text(explained),
                Table(("setting", *names), harder),
                Picture("detection-roll", "Recall under roll", (8, 4.4), lambda f: draw_roll(f, by_setting)),
            ),
        ),
        Section(
            "Framing",
            (
                Text(
                    "The marked faces in widths and heights of a detector's box, and how far their centre lies above "
                    "the box's, in heights."
                ),
                Table(("setting", "width", "height", "up"), outlines),
            ),
        ),
    )
    return Document("detection", "Face detectors compared", sections, found)


def draw_sizes(figure: "Figure", lines: list[Line]) -> None:
    """A row of each setting with a dot for the recall of each size; at the right the false alarms."""
    axes = figure.subplots()
    beside = axes.get_yaxis_transform()  # x in widths of the axes, y in rows
    for y, line in enumerate(lines):
        shares = [
            found / max(present, 1) for found, present in zip(line.reframed.found, line.reframed.present, strict=True)
        ]
        axes.plot([min(shares), max(shares)], [y, y], color=MUTED, linewidth=1, alpha=0.5)
        for share, colour in zip(shares, COLOURS, strict=False):
            axes.plot(share, y, "o", color=colour, markersize=7)
        axes.text(1.07, y, str(line.reframed.false), transform=beside, ha="right", va="center", color=INK)
    axes.text(1.07, -0.75, "false", transform=beside, ha="right", va="center", color=MUTED)
    for name, colour in zip(SIZES, COLOURS, strict=False):
        axes.plot([], [], "o", color=colour, label=name)
    figure.legend(loc="outside lower center", ncols=len(SIZES))
    axes.set_yticks(range(len(lines)), [line.setting for line in lines], color=INK)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlim(-0.02, 1)
    percent_axis(axes, "x")
    axes.grid(visible=False, axis="y")
    headline(
        figure, "Which faces are found, by their size", "Share of the scored faces, boxes reframed; right: false alarms"
    )


def draw_roll(figure: "Figure", by_setting: dict[str, dict[str, Line]]) -> None:
    """A line of each setting over the angle."""
    axes = figure.subplots()
    angles = {0: AS_IT_CAME.name} | ROLLS
    drawn = [setting for setting in by_setting if setting != SHIPPED.name] or list(by_setting)
    detectors = list(dict.fromkeys(setting.split()[0] for setting in drawn))
    for setting in drawn:
        recalls = [by_setting[setting][name].reframed.recall for name in angles.values()]
        # a detector has one colour, its lower threshold the broken line
        colour = COLOURS[detectors.index(setting.split()[0])]
        axes.plot(
            list(angles), recalls, "--" if setting.endswith(" 0.5") else "-", marker="o", color=colour, label=setting
        )
    axes.set_xticks(list(angles), [f"{angle}°" for angle in angles])
    axes.set_ylim(0, 1)
    percent_axis(axes, "y")
    axes.grid(visible=False, axis="x")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    headline(
        figure,
        "Which faces are found when heads are tilted",
        "Share of all scored faces, turned both ways, boxes reframed",
    )


def _cells(counts: Counts) -> tuple[str, ...]:
    sizes = (f"{found}/{present}" for found, present in zip(counts.found, counts.present, strict=True))
    return *sizes, f"{counts.recall:.1%}", str(counts.false)


def _size_in(rows: tuple[tuple[str, ...], ...]) -> tuple[float, float]:
    return 8, 1.9 + 0.36 * len(rows)
