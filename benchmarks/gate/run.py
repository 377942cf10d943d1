"""One run of the gate: two revisions measured in turn, and what seems slower measured again."""

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from benchmarks.clips import clips
from benchmarks.gate.found import Compared, Found
from benchmarks.gate.sides import FRAMES, Row, Side, pairs, write_clip
from benchmarks.gate.slow import PLACES, STAGES
from benchmarks.gate.stats import Paired
from benchmarks.gate.trees import Tree, revision, working_tree
from benchmarks.gate.verdict import confirmed, looked, most_pairs, only
from edge.bench.clip import Clip, load_clip
from edge.machine import describe

TOLERANCE = 0.05
MINUTES = 0.75
Say = Callable[[str], None]


class Trees(msgspec.Struct, frozen=True):
    """Both, each copied into a folder."""

    before: Tree
    before_at: Path
    after: Tree
    after_at: Path


def copied(before: str, after: str, into: Path) -> Trees:
    """Both revisions' packages in folders of equally long names.

    Args:
        before: revision; empty: the working tree.
        after: revision; empty: the working tree.
        into: folder.

    Raises:
        ConfigError: no such revision, or one that has nothing to measure with.
    """
    first, second = into / "tree0", into / "tree1"
    taken = [
        revision(name, folder) if name else working_tree(folder) for name, folder in ((before, first), (after, second))
    ]
    return Trees(taken[0], first, taken[1], second)


def load(source: str | None) -> tuple[Clip, ...]:
    """What both are shown: a given video, or the usual clips."""
    sources = [source] if source else clips().values()
    return tuple(load_clip(each, FRAMES) for each in sources)


def compare(
    trees: Trees,
    shown: Sequence[Clip],
    say: Say,
    *,
    minutes: float = MINUTES,
    tolerance: float = TOLERANCE,
    slow: str = "",
    share: float = 0.0,
) -> Compared:
    """Measure both, and what seems slower again.

    Args:
        trees: the revisions.
        shown: the clips.
        say: told how it goes.
        minutes: for each of the two measurements.
        tolerance: share by which the second may be slower.
        slow: stage of the second to slow down on purpose; empty: none.
        share: by how much.

    Raises:
        ConfigError: one of them cannot be measured.
        TemporaryError: a process died.
    """
    machine, start_s = describe(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="emotion-edge-gate-") as folder:
        written = [write_clip(clip, Path(folder) / f"clip{number}") for number, clip in enumerate(shown)]

        def measured(which: Sequence[tuple[str, Path]]) -> dict[Row, Paired]:
            # what slows a stage down costs a little itself: so both sides have it, and one of them for nothing
            before = partial(Side, trees.before.text(), trees.before_at, which, slow)
            after = partial(Side, trees.after.text(), trees.after_at, which, slow, share)
            return pairs(before, after, [name for name, _ in which], 60 * minutes, say)

        for tree, at in ((trees.before, trees.before_at), (trees.after, trees.after_at)):
            # the first start compiles
            with Side(tree.text(), at, written[:1]):
                pass
        first = measured(written)
        found = looked(first, tolerance)
        suspects = {row: each for row, each in found.items() if each.verdict == "once slower"}
        again = 0
        if suspects:
            say(f"measured again: {', '.join(f'{each.name} {each.ratio.middle:.2f}' for each in suspects.values())}")
            named = {clip for clip, _ in suspects}
            which = [each for each in written if each[0] in named] or written[:1]
            settled, again = confirmed(suspects, lambda: measured(which), tolerance)
            found |= settled
    return Compared(
        machine=machine,
        before=trees.before,
        after=trees.after,
        tolerance=tolerance,
        frames=FRAMES,
        pairs=(most_pairs(first), again),
        seconds=round(time.monotonic() - start_s, 1),
        rows=tuple(sorted(found.values(), key=lambda each: _place(each, [clip.name for clip in shown]))),
        lost=only(first, 0),
        added=only(first, 1),
        slowed=slow,
        share=share,
    )


def _place(row: Found, shown: Sequence[str]) -> tuple[int, int]:
    """Starting first; then clip by clip, as a frame goes through the stages, all of it last."""
    clip = shown.index(row.clip) if row.clip in shown else -1
    return clip, STAGES.index(row.stage) if row.stage in STAGES else len(PLACES) - 1
