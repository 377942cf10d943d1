"""What the gate finds, in one run and in many, for people and for machines."""

from typing import Literal

import msgspec

from benchmarks.gate.slow import PLACES, WHOLE
from benchmarks.gate.stats import Ratio
from benchmarks.gate.trees import Tree
from edge.machine import Machine

Verdict = Literal["", "worse", "better", "once slower"]


class Found(msgspec.Struct, frozen=True):
    """One stage on one clip.

    Attributes:
        clip: shown; empty for what has nothing to do with a clip.
        stage: which.
        ratio: of processor time, after to before; where it was measured again, of that second measurement alone.
        verdict: "worse": slower beyond tolerance, when measured again as well, its lower bound included; "better": its
            upper bound is faster beyond tolerance; "once slower": slower beyond tolerance, but not when measured again.
    """

    clip: str
    stage: str
    ratio: Ratio
    verdict: Verdict = ""

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.stage}, {self.clip}" if self.clip else self.stage

    def text(self) -> str:
        """A line for people."""
        r = self.ratio
        return (
            f"{self.name:<34}{r.before_ms:>9.3f}{r.after_ms:>9.3f}{r.middle:>7.2f}  ({r.low:.2f}–{r.high:.2f})"
            f"  {self.verdict}"
        ).rstrip()


class Compared(msgspec.Struct, frozen=True):
    """Two revisions in one run.

    Attributes:
        machine: where.
        before: the one compared with.
        after: the one that is judged.
        tolerance: share by which it may be slower.
        frames: of each clip, in each process.
        pairs: of processes; then those of the second measurement, 0 where nothing was suspected.
        seconds: it all took.
        rows: every stage on every clip that both have.
        lost: stages that only the first has, by name.
        added: stages that only the second has.
        slowed: stage that was slowed down on purpose; empty: none.
        share: by how much.
    """

    machine: Machine
    before: Tree
    after: Tree
    tolerance: float
    frames: int
    pairs: tuple[int, int]
    seconds: float
    rows: tuple[Found, ...]
    lost: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    slowed: str = ""
    share: float = 0.0

    def of(self, verdict: Verdict) -> tuple[Found, ...]:
        """The rows with this verdict."""
        return tuple(row for row in self.rows if row.verdict == verdict)

    def caught(self) -> bool:
        """Whether what was slowed down on purpose was found slower."""
        return any(row.stage == self.slowed for row in self.of("worse"))

    def alarms(self) -> tuple[Found, ...]:
        """What was found slower and was not slowed down; all of a frame is slower with one of its stages."""
        explained = {"": (), WHOLE: (*PLACES, WHOLE)}.get(self.slowed, (self.slowed, WHOLE))
        return tuple(row for row in self.of("worse") if row.stage not in explained)

    def verdict(self) -> str:
        """A line about a run whose truth is known."""
        what = f"{self.slowed} slowed by {self.share:.0%}" if self.slowed else "unchanged"
        worse = ", ".join(said(row) for row in self.of("worse"))
        return f"{what}: {f'worse: {worse}' if worse else 'nothing is slower'}"

    def said(self) -> tuple[str, ...]:
        """What it comes to, in lines for people."""
        worse = self.of("worse")
        return (
            *((f"only before: {', '.join(self.lost)}",) if self.lost else ()),
            *((f"only after: {', '.join(self.added)}",) if self.added else ()),
            *(f"better: {said(row)}" for row in self.of("better")),
            *(f"not confirmed: {said(row)} when measured again" for row in self.of("once slower")),
            *(f"worse: {said(row)}" for row in worse),
            *(() if worse else (f"nothing is slower by more than {self.tolerance:.0%}",)),
        )

    def text(self) -> str:
        """The table, then what it comes to."""
        header = f"{'processor time, ms a frame':<34}{'before':>9}{'after':>9}{'ratio':>7}"
        return "\n".join((header, *(row.text() for row in self.rows), *self.said()))


class Proof(msgspec.Struct, frozen=True):
    """The gate tried on trees that are known to be the same but for what was slowed down on purpose.

    Attributes:
        share: by how much.
        runs: with and without.
    """

    share: float
    runs: tuple[Compared, ...]

    @property
    def unchanged(self) -> tuple[Compared, ...]:
        """Runs in which nothing was slowed down."""
        return tuple(run for run in self.runs if not run.slowed)

    @property
    def slowed(self) -> tuple[Compared, ...]:
        """Runs in which one stage was."""
        return tuple(run for run in self.runs if run.slowed)

    def caught(self) -> int:
        """In how many runs the slow-down was found."""
        return sum(run.caught() for run in self.slowed)

    def alarmed(self) -> int:
        """In how many unchanged runs something was found slower."""
        return sum(bool(run.alarms()) for run in self.unchanged)

    def beside(self) -> int:
        """In how many of the other runs something else than what was slowed down was."""
        return sum(bool(run.alarms()) for run in self.slowed)

    def holds(self) -> bool:
        """Whether all slow-downs were caught, and nothing else."""
        return self.caught() == len(self.slowed) and not self.alarmed() and not self.beside()

    def text(self) -> str:
        """A line for people."""
        return (
            f"slowed by {self.share:.0%}: {self.caught()} of {len(self.slowed)} caught, "
            f"{self.beside()} with a false alarm beside; unchanged: {self.alarmed()} of {len(self.unchanged)} flagged"
        )


def said(row: Found) -> str:
    """A row in words."""
    return f"{row.name} {row.ratio.middle:.2f} ({row.ratio.low:.2f}–{row.ratio.high:.2f})"
