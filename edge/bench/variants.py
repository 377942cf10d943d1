"""One factor at a time: what a base case and its variants took, in turn, round by round. Pure."""

from collections.abc import Mapping, Sequence
from textwrap import shorten

import msgspec
import numpy as np

from edge.bench.timing import median, rounded, spread_text

WHOLE_FRAME = "a whole frame in one thread"
PROCESSOR = "processor time of the program a frame; percentiles: from the grab to the client"


class Variant(msgspec.Struct, frozen=True):
    """One setting of a factor.

    Attributes:
        name: of the setting.
        typical_ms: a typical frame of each round (see `edge.bench.timing.typical_ns`).
        cpu_ms: processor time of all threads, mean over the frames of each round.
        p50_ms: over the frames of all rounds; None where there are none to tell of.
        p95_ms: likewise.
        ratios: of each round's typical frame to that of the base case in the same round.
        cpu_ratios: of each round's processor time, likewise: other programs disturb it less.
    """

    name: str
    typical_ms: tuple[float, ...]
    cpu_ms: tuple[float, ...]
    p50_ms: float | None
    p95_ms: float | None
    ratios: tuple[float, ...]
    cpu_ratios: tuple[float, ...] = ()


class Factor(msgspec.Struct, frozen=True):
    """What one setting costs, all others being those of the base case.

    Attributes:
        name: of the setting.
        base: the variant that the others are compared with.
        what: is measured.
        frames: of each variant in each round.
        variants: in their order.
        left_out: name and reason of those that cannot be measured here.
    """

    name: str
    base: str
    what: str
    frames: int
    variants: tuple[Variant, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def rounds(self) -> int:
        """How often all took turns."""
        return len(self.variants[0].ratios) if self.variants else 0

    def text(self) -> str:
        """Lines for people."""
        lines = [
            f"{self.name} ({self.what}; {self.rounds} rounds of {self.frames} frames)",
            f"  {'':<18}{'p50':>9}{'p95':>9}{'typical':>9}  ms, x base{'':<11}{'processor':>9}  ms, x base",
        ]
        for each in self.variants:
            base = each.name == self.base
            lines.append(
                f"  {each.name:<18}{_ms(each.p50_ms)}{_ms(each.p95_ms)}{median(each.typical_ms):>9.3f}  "
                f"{'base' if base else spread_text(each.ratios):<21}"
                f"{median(each.cpu_ms):>9.3f}  {'base' if base else spread_text(each.cpu_ratios or each.ratios)}"
            )
        # the whole reason is in the figures
        lines += [f"  {name:<18}left out: {shorten(reason, 88, placeholder=' …')}" for name, reason in self.left_out]
        return "\n".join(lines)


class Turn(msgspec.Struct, frozen=True):
    """One variant's part of one round.

    Attributes:
        typical_ms: of its frames.
        cpu_ms: processor time a frame.
        frames_ms: single ones, to take percentiles of.
    """

    typical_ms: float
    cpu_ms: float
    frames_ms: Sequence[float]


def factor_of(
    name: str,
    base: str,
    turns: Mapping[str, Sequence[Turn]],
    *,
    what: str,
    frames: int,
    left_out: Mapping[str, str],
) -> Factor:
    """Put together what was measured.

    Args:
        name: of the factor.
        base: which variant the others are compared with.
        turns: of each variant, one for each round.
        what: was measured.
        frames: of each turn.
        left_out: variants that could not be measured, and why.
    """
    bases = turns[base]
    variants = []
    for variant, own in turns.items():
        typical = [turn.typical_ms for turn in own]
        singles = [ms for turn in own for ms in turn.frames_ms]
        p50, p95 = (float(p) for p in np.percentile(singles, (50, 95))) if singles else (None, None)
        variants.append(
            Variant(
                name=variant,
                typical_ms=rounded(typical, 4),
                cpu_ms=rounded([turn.cpu_ms for turn in own], 4),
                p50_ms=None if p50 is None else round(p50, 4),
                p95_ms=None if p95 is None else round(p95, 4),
                ratios=rounded([turn.typical_ms / b.typical_ms for turn, b in zip(own, bases, strict=True)], 4),
                cpu_ratios=rounded([turn.cpu_ms / b.cpu_ms for turn, b in zip(own, bases, strict=True)], 4),
            )
        )
    return Factor(name, base, what, frames, tuple(variants), tuple(left_out.items()))


def _ms(value: float | None) -> str:
    return f"{'–':>9}" if value is None else f"{value:>9.3f}"
