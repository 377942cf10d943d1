"""What was seen in an emulated userland of a Raspberry Pi on one processor, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge.golden import MAX_STEPS
from tests.elsewhere import Answers

NEAR = 0.02
"""By how much a box may be off from the one found on this machine, as a share of the picture: kernels round."""
MUST_BE_WELL = ("python-ok", "numpy-ok", "opencv-ok", "runtime-ok", "model-ok", "detectors-ok")
"""What the doctor has to find."""
UNSEEN: Final = ("check-timed-out", "check-failed")
"""Its words for what it could not look at, if only as warnings."""

Boxes = tuple[tuple[tuple[float, ...], ...], ...]
"""For each frame the faces from left to right, each as x, y, width and height: shares of the picture."""


@dataclass(frozen=True, slots=True)
class Faces:
    """What the detector found on the demo.

    Attributes:
        detector: which.
        found: on each frame.
        drawn: what there was to find.
    """

    detector: str
    found: Boxes
    drawn: Boxes

    def off(self, other: "Faces") -> float:
        """The largest difference from what was found elsewhere; infinite where the number of faces differs."""
        pairs = list(zip(self.found, other.found, strict=True))
        if any(len(mine) != len(theirs) for mine, theirs in pairs):
            return float("inf")
        return max((float(np.abs(np.subtract(mine, theirs)).max()) for mine, theirs in pairs if mine), default=0.0)

    @property
    def missed(self) -> int:
        """Faces that were drawn, and whose middle is in no box."""
        return sum(
            not any(
                x <= there[0] + there[2] / 2 <= x + w and y <= there[1] + there[3] / 2 <= y + h for x, y, w, h in boxes
            )
            for boxes, drawn in zip(self.found, self.drawn, strict=True)
            for there in drawn
        )


@dataclass(frozen=True, slots=True)
class Watched:
    """A run on the demo, seen over HTTP.

    Attributes:
        picture: width and height of the snapshot in px; None: there was none.
        faces: in `/state` before it.
        xnnpack: whether the log says that the models run on XNNPACK.
        scenes: analysed.
        with_faces: those of them that had a face.
        exit: code, once the time was over.
        log: what it logged.
    """

    picture: tuple[int, int] | None
    faces: int
    xnnpack: bool
    scenes: int
    with_faces: int
    exit: int
    log: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One system on one processor.

    Attributes:
        suite: of Debian.
        processor: emulated.
        versions: of Python, NumPy, OpenCV, LiteRT and aiohttp.
        unmet: requirements of the packages.
        answers: to the golden chips.
        faces: that the detector found there.
        faces_here: and on this machine.
        watched: the run.
        doctor: codes of its findings, by severity.
        took_s: all of it.
    """

    suite: str
    processor: str
    versions: tuple[str, ...]
    unmet: tuple[str, ...]
    answers: Answers
    faces: Faces
    faces_here: Faces
    watched: Watched
    doctor: dict[str, tuple[str, ...]]
    took_s: float

    def faults(self) -> list[str]:
        """What is not as it should be, in words."""
        return [*self._install_faults(), *self._model_faults(), *self._face_faults(), *self._run_faults()]

    def _install_faults(self) -> list[str]:
        found = list(self.unmet)
        if self.answers.machine != "aarch64":
            found.append(f"the machine is {self.answers.machine}")
        told = {severity: self.doctor.get(severity, ()) for severity in ("ok", "warning", "fault")}
        found += [f"the doctor does not say {code}" for code in MUST_BE_WELL if code not in told["ok"]]
        unseen = [code for code in told["warning"] if code in UNSEEN]
        return found + [f"the doctor says {code}" for code in (*told["fault"], *unseen)]

    def _model_faults(self) -> list[str]:
        answers = self.answers
        checks = (
            (answers.passed and max(answers.off) <= MAX_STEPS, f"golden chips are {max(answers.off)} steps off"),
            (answers.flipped == 0, f"{answers.flipped} golden chips change their class"),
            (answers.xnnpack, "LiteRT's log does not say that the XNNPACK delegate was created"),
            (answers.delegates == 1, f"XNNPACK takes the graph in {answers.delegates} parts"),
            (set(answers.invokes) == {1}, f"invokes a chip: {answers.invokes}"),
        )
        return [fault for well, fault in checks if not well]

    def _face_faults(self) -> list[str]:
        found = []
        if self.faces.detector != self.faces_here.detector:
            found.append(f"faces are found by {self.faces.detector}, here by {self.faces_here.detector}")
        if self.faces.missed:
            found.append(f"{self.faces.missed} of the demo's faces are not found")
        off = self.faces.off(self.faces_here)
        if off > NEAR:
            found.append(f"boxes are {off:.3f} from those that are found here")
        return found

    def _run_faults(self) -> list[str]:
        run = self.watched
        checks = (
            (run.exit == 0, f"the run ended with {run.exit}"),
            (run.picture == (640, 480), f"the snapshot is {run.picture}"),
            (run.faces > 0 and run.with_faces > 0, "the run shows no face"),
            (run.xnnpack, "the run's log does not say xnnpack"),
        )
        faults = [fault for well, fault in checks if not well]
        return [*faults, run.log] if faults else []

    def row(self) -> tuple[str, ...]:
        """For people: see `HEAD`."""
        python, numpy, opencv, litert, _ = self.versions
        chips = len(self.answers.off)
        alike = "all bit-exact" if not any(self.answers.off) else f"at most {max(self.answers.off)} step off"
        drawn = sum(map(len, self.faces.drawn))
        size = "no snapshot" if self.watched.picture is None else "×".join(map(str, self.watched.picture))
        doctor = ", ".join(f"{len(codes)} {severity}" for severity, codes in self.doctor.items())
        return (
            f"{self.suite} {python}",
            self.processor,
            f"numpy {numpy}, OpenCV {opencv}, LiteRT {litert}" + (f"; {len(self.unmet)} unmet" if self.unmet else ""),
            f"{chips} chips, {alike}",
            f"{'yes' if self.answers.xnnpack else 'NO'}, {self.answers.delegates} part",
            f"{drawn - self.faces.missed} of {drawn}, {self.faces.off(self.faces_here):.4f} off",
            f"{size}, {self.watched.with_faces} of {self.watched.scenes} scenes with faces, exit {self.watched.exit}",
            doctor,
            f"{self.took_s:.0f}",
            "well" if not self.faults() else f"{len(self.faults())} FAULTS",
        )


HEAD = (
    "system, Python",
    "processor",
    "installed",
    "golden chips",
    "XNNPACK",
    "detector",
    "run --source demo",
    "doctor",
    "s",
    "is",
)


def table(cells: Sequence[Cell]) -> str:
    """One line a cell."""
    rows = [HEAD, *(cell.row() for cell in cells)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
