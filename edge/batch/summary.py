"""What a run over many files comes to."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from edge.batch.inputs import Problem
from edge.batch.ledger import Done


class BatchSummary(msgspec.Struct, frozen=True):
    """All files of a run, those of earlier runs into the same folder included.

    Attributes:
        files: analysed.
        pictures: of these.
        videos: of these.
        frames: of all of them; a picture is one.
        faces: different ones in each file.
        without_a_face: files in which none was found.
        label_shares: share of each label among all faces on all frames, the most frequent first.
        seconds: that the analysis took.
        seconds_per_frame: of it.
        earlier: files that were analysed by an earlier run.
        interrupted: whether files are left.
        failed: files that could not be analysed, or not to their end.
        skipped: files that are neither picture nor film.
        notes: what else a person should know.
    """

    files: int
    pictures: int
    videos: int
    frames: int
    faces: int
    without_a_face: int
    label_shares: dict[str, float]
    seconds: float
    seconds_per_frame: float
    earlier: int
    interrupted: bool
    failed: tuple[Problem, ...]
    skipped: tuple[Problem, ...]
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """The same in words."""
        pieces = [_count(self.pictures, "picture"), _count(self.videos, "video")]
        what = " and ".join(piece for piece in pieces if not piece.startswith("0 ")) or "no file"
        lines = [f"Analysed {what}: {_count(self.frames, 'frame')}, {_count(self.faces, 'face')}"]
        if self.frames:
            lines[0] += f", {self.seconds_per_frame * 1e3:.1f} ms a frame"
        if self.earlier:
            lines[0] += f" ({_count(self.earlier, 'file')} by an earlier run)"
        if self.label_shares:
            lines.append(", ".join(f"{label} {share * 100:.1f} %" for label, share in self.label_shares.items()))
        if self.without_a_face:
            where = "it" if self.files == 1 else f"{self.without_a_face} of {self.files} files"
            lines.append(f"No face was found in {where}.")
        lines += self.notes
        if self.skipped:
            lines.append(f"Skipped {_count(len(self.skipped), 'file')}: {_listed(self.skipped)}")
        if self.failed:
            lines.append(f"Failed, all or in part: {_count(len(self.failed), 'file')}")
            lines += [f"  {problem.path}: {problem.reason}" for problem in self.failed]
        if self.interrupted:
            lines.append("Interrupted: the same command goes on where it was.")
        return lines


def summarised(
    done: Iterable[Done],
    failed: Iterable[Problem],
    skipped: Iterable[Problem],
    *,
    earlier: int = 0,
    interrupted: bool = False,
    notes: Iterable[str] = (),
) -> BatchSummary:
    """Add up what is known of each file."""
    files = list(done)
    labels: Counter[str] = Counter()
    for file in files:
        labels.update(file.labels)
    frames, seconds, named = sum(file.frames for file in files), sum(file.seconds for file in files), labels.total()
    partial = [Problem(file.path, "; ".join(file.notes)) for file in files if not file.complete]
    return BatchSummary(
        files=len(files),
        pictures=sum(file.kind == "picture" for file in files),
        videos=sum(file.kind == "video" for file in files),
        frames=frames,
        faces=sum(file.faces for file in files),
        without_a_face=sum(file.faces == 0 for file in files),
        label_shares={label: round(count / named, 4) for label, count in labels.most_common()},
        seconds=round(seconds, 3),
        seconds_per_frame=round(seconds / frames, 5) if frames else 0.0,
        earlier=earlier,
        interrupted=interrupted,
        failed=(*partial, *failed),
        skipped=tuple(skipped),
        notes=(*notes, *(f"{file.path}: {note}" for file in files if file.complete for note in file.notes)),
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _listed(problems: tuple[Problem, ...], most: int = 5) -> str:
    first = ", ".join(f"{problem.path} ({problem.reason})" for problem in problems[:most])
    return first if len(problems) <= most else f"{first}, and {len(problems) - most} more"
