"""What `benchmarks.peers` measures, and what is asked of it."""

import statistics
from typing import NamedTuple

import msgspec

from benchmarks.peers.environments import Made
from benchmarks.peers.running import Cost
from benchmarks.peers.runtimes import Invoked
from benchmarks.peers.sight import Sight
from edge.machine import Machine

OWN = "emotion-edge"
"""In real time, with a viewer: as it runs on a camera."""
FILM = "the film alone"
"""Reads, encodes and sends, and finds nothing: no program that shows every frame costs less."""
LEAST_FRAMES = 300
"""With fewer, start-up is most of what is measured."""
COARSE = ", coarse"
"""Of a loop's name: its Haar cascade takes larger steps than OpenCV's default."""
LIMITS = {
    "fer": 30.0,
    "tutorial loop": 30.0,
    f"tutorial loop{COARSE}": 30.0,
    "tuned loop": 10.0,
    f"tuned loop{COARSE}": 10.0,
}
"""How many times the processor time of `OWN` each is to take at least, from start to end."""


class Turn(msgspec.Struct, frozen=True):
    """One run of a program.

    Attributes:
        round: in which round of all programs; 0 is the first.
        cost: of the run.
    """

    round: int
    cost: Cost


class Program(msgspec.Struct, frozen=True):
    """One program.

    Attributes:
        name: for people.
        about: what it does.
        turns: its runs.
        sight: what it saw of the faces, in its last run.
    """

    name: str
    about: str
    turns: tuple[Turn, ...]
    sight: Sight


class Spread(NamedTuple):
    """Median, least and most."""

    median: float
    least: float
    most: float

    def text(self, digits: int = 1) -> str:
        """For people; the median alone where all are the same."""
        median = f"{self.median:.{digits}f}"
        return median if self.least == self.most else f"{median} ({self.least:.{digits}f}–{self.most:.{digits}f})"


class Peers(msgspec.Struct, frozen=True):
    """The whole run.

    Attributes:
        machine: where.
        clip: what is shown.
        frames: of it.
        fps: of the film, which one program keeps to.
        faces: in all frames together, of the reference.
        rounds: in which all programs had their turn.
        programs: in the order of the report.
        invoked: models on runtimes.
        environments: that were used.
        left_out: what could not be measured, and why.
    """

    machine: Machine
    clip: str
    frames: int
    fps: int
    faces: int
    rounds: int
    programs: tuple[Program, ...]
    invoked: tuple[Invoked, ...]
    environments: tuple[Made, ...]
    left_out: dict[str, str]

    def program(self, name: str) -> Program | None:
        """The one of that name; None: it was left out."""
        return next((program for program in self.programs if program.name == name), None)

    def ratio(self, name: str, figure: str, base: str = OWN) -> Spread | None:
        """How many times another's figure a program has: of both runs of the same round; None: no round has both.

        Args:
            name: of the program.
            figure: of `Cost`.
            base: the other.
        """
        below, above = self.program(base), self.program(name)
        if below is None or above is None:
            return None
        bases = {turn.round: figure_of(turn.cost, figure) for turn in below.turns}
        pairs = ((figure_of(turn.cost, figure), bases.get(turn.round)) for turn in above.turns)
        ratios = [value / divisor for value, divisor in pairs if value is not None and divisor]
        return spread(ratios) if ratios else None

    def musts(self) -> tuple[tuple[str, bool], ...]:
        """What the program has to keep, with its figures, and whether it did; nothing of what was left out.

        Empty for a film too short to tell.
        """
        own = self.program(OWN)
        if own is None or self.frames < LEAST_FRAMES:
            return ()
        lines: list[tuple[str, bool]] = []
        for name, limit in LIMITS.items():
            whole, steady = self.ratio(name, "cpu_s"), self.ratio(name, "steady_ms")
            other = self.program(name)
            if whole is None or other is None:
                continue
            least = self.ratio(name, "cpu_s", FILM)
            said = f" (without start-up {steady.text()})" if steady else ""
            said += f"; {FILM}, which finds nothing, would have {least.median:.1f}" if least else ""
            lines.append(
                (
                    f"{name}: at least {limit:g} times our processor time for {self.frames} frames: "
                    f"{whole.text()} times{said}",
                    whole.median >= limit,
                )
            )
            lines.append(
                (
                    f"{name}: finds no larger share of the faces: {other.sight.recall:.3f}, we {own.sight.recall:.3f}",
                    own.sight.recall >= other.sight.recall,
                )
            )
        return tuple(lines)


def figure_of(cost: Cost, figure: str) -> float | None:
    """One of its figures; None where the program has none, as one without a viewer."""
    value: float | None = getattr(cost, figure)
    return value


def spread(values: list[float]) -> Spread:
    """Of one value or more."""
    return Spread(statistics.median(values), min(values), max(values))


def spread_of(program: Program, figure: str) -> Spread | None:
    """Of a figure over the program's runs; None where it has none."""
    values = [value for turn in program.turns if (value := figure_of(turn.cost, figure)) is not None]
    return spread(values) if values else None
