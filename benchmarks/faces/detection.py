"""`python -m benchmarks.faces.detection --faces DIR`: which faces each detector finds in photos with known faces.

Recall and false alarms by size, under roll, in the dark, blurred and from further away, for each detector and
threshold. DIR holds `annotations.csv` and the photos it names.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec

from benchmarks.faces.face_counts import Counts, Outline, count, look, outline
from benchmarks.faces.photos import AS_IT_CAME, CONDITIONS, load_photos
from benchmarks.outcome import outcome
from edge.config import DetectorConfig
from edge.errors import ConfigError
from edge.machine import Machine, describe
from edge.parts import build_detector
from edge.ports import FaceDetector


class Line(msgspec.Struct, frozen=True):
    """One detector under one condition.

    Attributes:
        setting: the detector and its threshold.
        condition: name of the condition.
        as_drawn: with the detector's own boxes.
        reframed: with the boxes brought to the outlines that the photos' faces are marked with.
        ms: median processor time of a search.
    """

    setting: str
    condition: str
    as_drawn: Counts
    reframed: Counts
    ms: float


class Survey(msgspec.Struct, frozen=True):
    """All lines, and what they have in common.

    Attributes:
        machine: where.
        data_sha256: of the table of faces.
        photos: how many.
        scored: faces that count.
        ignored: faces that do not.
        outlines: setting → outline, of all photos as they came.
        lines: condition by condition, of each setting.
    """

    machine: Machine
    data_sha256: str
    photos: int
    scored: int
    ignored: int
    outlines: dict[str, Outline]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A detector as configured; `name` is for people."""

    name: str
    config: DetectorConfig


def _all_sizes(name: str, min_score: float | None = None) -> DetectorConfig:
    return DetectorConfig(name=name, min_score=min_score, min_face_px=0)  # type: ignore[arg-type]


SHIPPED = Setting("as shipped", DetectorConfig())
SETTINGS = (
    Setting("haar", _all_sizes("haar")),
    *(
        Setting(f"{name} {score}", _all_sizes(name, score))
        for name in ("blazeface-full", "blazeface-sparse", "blazeface-short", "mediapipe")
        for score in (0.5, 0.6)
    ),
    SHIPPED,
)


def available() -> tuple[Setting, ...]:
    """All settings, without MediaPipe's where it is not installed."""
    return tuple(s for s in SETTINGS if s.config.name != "mediapipe" or find_spec("mediapipe"))


def survey(
    folder: Path,
    settings: Sequence[Setting],
    build: Callable[[DetectorConfig], FaceDetector],
    say: Callable[[str], None],
) -> Survey:
    """Measure all settings under all conditions.

    Raises:
        ConfigError: the photos or a detector's file are missing.
        PermanentError: a detector's file is broken.
    """
    machine = describe()
    photos, sha256 = load_photos(folder)
    detectors = {setting.name: build(setting.config) for setting in settings}
    outlines: dict[str, Outline] = {}
    lines = []
    for condition in CONDITIONS:
        # once for all detectors; several changes follow one another, so that a photo's number tells its half
        changed = [change(photo) for change in condition.changes for photo in photos]
        for name, detector in detectors.items():
            seen, ms = look(detector, changed)
            if condition is AS_IT_CAME:
                outlines[name] = outline(seen)
            # each half of the photos is scored with what the other half taught, under the same condition: a tilted
            # face is marked by the upright box around its ellipse
            halves = [[each for i, each in enumerate(seen) if i % len(photos) % 2 == half] for half in (0, 1)]
            taught = outline(halves[1]), outline(halves[0])
            own, reframed = Counts(), Counts()
            for index, (boxes, faces) in enumerate(seen):
                other_half = taught[index % len(photos) % 2]
                own += count(boxes, faces)
                reframed += count([other_half.of(box) for box in boxes], faces)
            lines.append(Line(name, condition.name, own, reframed, ms))
        say(f"{condition.name}: done")
    known = [face for photo in photos for face in photo.faces]
    scored = sum(face.scored for face in known)
    return Survey(machine, sha256, len(photos), scored, len(known) - scored, outlines, tuple(lines))


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 78 what was asked for cannot be done as asked."""
    from benchmarks.faces.detection_page import document  # noqa: PLC0415  # it imports this module
    from training.reporting.document import write  # noqa: PLC0415

    names = [setting.name for setting in SETTINGS]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faces.detection",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--faces", type=Path, required=True, help="folder with annotations.csv and the photos")
    add("--only", nargs="+", metavar="SETTING", help=f"of {', '.join(names)}; default: all that can run here")
    add("--out", type=Path, default=Path("runs/detection"), help="default: runs/detection")
    given = parser.parse_args(argv)

    def measure() -> None:
        unknown = sorted(set(given.only or ()) - set(names))
        if unknown:
            raise ConfigError(f"there is no setting {', '.join(unknown)}; choose from {', '.join(names)}")
        chosen = [setting for setting in SETTINGS if setting.name in given.only] if given.only else available()
        found = survey(given.faces, chosen, lambda config: build_detector(config)[0], print)
        print(f"page in {write(document(found), given.out)}")

    return outcome(measure)


if __name__ == "__main__":
    sys.exit(main())
