"""`python -m benchmarks.faces.following [--faces DIR] [--clips FILE…]`: faces over time, and what following them costs.

Photos shown as still scenes, real clips with one face, drawn clips whose faces are known, and the processor time of an
analysed frame; all as the program is configured, against searching the whole of every frame, in one run.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.faces.known_clips import KnownClip, drawn_clips, follow_drawn
from benchmarks.faces.photos import load_photos
from benchmarks.faces.real_clips import RealClip, follow_real
from benchmarks.faces.spending import Spending, spend
from benchmarks.faces.still_scenes import StillScenes, show
from benchmarks.outcome import outcome
from edge.machine import Machine, describe


class Survey(msgspec.Struct, frozen=True):
    """All that was measured.

    Attributes:
        machine: where.
        photos: as still scenes, setting by setting; empty without photos.
        photos_sha256: of the table of their faces.
        real: clips with one face.
        drawn: clips whose faces are known.
        spending: kind of scene by kind of scene.
    """

    machine: Machine
    photos: tuple[StillScenes, ...]
    photos_sha256: str
    real: tuple[RealClip, ...]
    drawn: tuple[KnownClip, ...]
    spending: tuple[Spending, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 78 what was asked for cannot be done as asked."""
    from benchmarks.faces.following_page import document  # noqa: PLC0415  # it imports this module
    from training.reporting.document import write  # noqa: PLC0415

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faces.following",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--faces", type=Path, help="folder with annotations.csv and photos; without it there are no still scenes")
    add("--clips", type=Path, nargs="+", default=(), help="videos with one face")
    add("--seconds", type=float, default=60.0, help="of each drawn clip; default: 60")
    add("--frames", type=int, default=600, help="of each kind of scene whose cost is measured; default: 600")
    add("--out", type=Path, default=Path("runs/following"), help="default: runs/following")
    given = parser.parse_args(argv)

    def measure() -> None:
        photos, sha256 = load_photos(given.faces) if given.faces else ((), "")
        found = Survey(
            machine=describe(),
            photos=show(photos) if photos else (),
            photos_sha256=sha256,
            real=tuple(follow_real(clip) for clip in given.clips),
            drawn=tuple(follow_drawn(clip, given.seconds) for clip in drawn_clips()),
            spending=spend(given.frames),
        )
        print(f"page in {write(document(found), given.out)}")

    return outcome(measure)


if __name__ == "__main__":
    sys.exit(main())
