"""Two trees measured in turn: a process for each, of which one works while the other waits; both are often made anew.

Two processes with the same code differ by some percent for as long as they live, by where things happen to lie in
memory. So a pair of processes gives one figure, and many pairs give the figure that counts.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

from benchmarks.gate.stats import Paired
from edge.bench.clip import Clip
from edge.errors import ConfigError, TemporaryError

CHILD = Path(__file__).with_name("child.py")
WARM_FRAMES = 30
FRAMES = 300
BLOCK = 30
"""Frames in a row: so short that a machine whose speed changes is as fast for one tree as for the other."""
LEAST_PAIRS = 8
PATIENCE_S = 120.0
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(1 << 25)}
"""For glibc: in one thread it is luck whether the memory of a frame is given back and fetched again for the next one,
which takes half as long as decoding it; the program's threads hold some frames at any time."""
START = "start"
Row = tuple[str, str]
"""Clip and stage; what has nothing to do with a clip has an empty one."""
Answer = dict[str, list[int | None]]


class Side:
    """A process that measures with one tree; `with` ends it."""

    def __init__(
        self, name: str, tree: Path, clips: Sequence[tuple[str, Path]], slow: str = "", share: float = 0.0
    ) -> None:
        """Start it.

        Args:
            name: of the revision, for errors.
            tree: folder that holds `edge`.
            clips: name of each, and the folder with its frames as JPEGs.
            slow: stage to slow down; empty: none.
            share: by how much; 0: what slows it down is there, and does nothing.

        Raises:
            ConfigError: this tree cannot be measured.
        """
        named = [{"name": name, "folder": str(folder)} for name, folder in clips]
        task = json.dumps({"tree": str(tree), "clips": named, "slow": slow, "share": share})
        self._name = name
        path = os.pathsep.join(filter(None, (str(tree), os.environ.get("PYTHONPATH", ""))))
        self._said: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        # -P: the folder of the script is not searched for modules, the tree's comes first
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(CHILD), task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env={**os.environ, **KEEP_MEMORY, "PYTHONPATH": path},
        )
        try:
            self.start: Answer = self._answer("start")
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> "Side":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def measure(self, clip: int, first: int, frames: int) -> Answer:
        """Nanoseconds of processor time of each stage on each of some frames.

        Raises:
            TemporaryError: it has died, or did not answer.
        """
        into: Any = self._process.stdin
        try:
            into.write(json.dumps({"clip": clip, "first": first, "frames": frames}) + "\n")
            into.flush()
        except BrokenPipeError:
            pass  # it is asked below why
        return self._answer(f"frames {first} to {first + frames - 1}")

    def _answer(self, what: str) -> Answer:
        out: Any = self._process.stdout
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        watchdog = threading.Timer(PATIENCE_S, give_up)
        watchdog.daemon = True  # an end on request may come before it is cancelled
        try:
            watchdog.start()
            line = out.readline()
        finally:
            watchdog.cancel()
        if line.endswith("\n"):
            answer: Answer = json.loads(line)
            return answer
        code = self._process.wait()
        self._said.seek(0)
        said = [text for text in self._said.read().splitlines() if text.strip()]
        why = f"it did not answer within {PATIENCE_S:g} s" if late.is_set() else said[-1] if said else "it said nothing"
        # an exit on purpose has said what this revision lacks
        kind = ConfigError if code == 1 and what == START and not late.is_set() else TemporaryError
        raise kind(f"the process that measures {self._name} ended at {what} with code {code}: {why}")


def write_clip(clip: Clip, folder: Path) -> tuple[str, Path]:
    """For both sides the same bytes, a file for each frame."""
    folder.mkdir(parents=True)
    for index, jpeg in enumerate(clip.jpegs):
        (folder / f"{index:05d}.jpg").write_bytes(jpeg)
    return clip.name, folder


def pairs(
    before: Callable[[], Side],
    after: Callable[[], Side],
    clips: Sequence[str],
    seconds: float,
    say: Callable[[str], None],
) -> dict[Row, Paired]:
    """Measure pairs of processes, `LEAST_PAIRS` at least, for as long as there is time.

    Args:
        before: starts the one side.
        after: starts the other.
        clips: names of the clips that both were given.
        seconds: for how long.
        say: told how it goes.
    """
    end_s = time.monotonic() + seconds
    found: list[tuple[dict[Row, list[int | None]], ...]] = []
    for number in itertools.count():
        start_s = time.monotonic()
        # who begins changes from pair to pair
        makers = (before, after) if number % 2 == 0 else (after, before)
        both = _pair(makers, clips, number)
        found.append(both if number % 2 == 0 else both[::-1])
        took_s = time.monotonic() - start_s
        say(f"  pair {number + 1}: {took_s:.1f} s")
        if number + 1 >= LEAST_PAIRS and time.monotonic() + took_s > end_s:
            break
    rows = dict.fromkeys(row for both in found for side in both for row in side)
    return {row: Paired(_table(found, 0, row), _table(found, 1, row)) for row in rows}


def _pair(
    makers: Sequence[Callable[[], Side]], clips: Sequence[str], number: int
) -> tuple[dict[Row, list[int | None]], ...]:
    """What two processes took, block by block in turn, in the order of the makers."""
    with ExitStack() as stack:
        sides = [stack.enter_context(make()) for make in makers]
        figures: list[dict[Row, list[int | None]]] = [{("", START): side.start[START]} for side in sides]
        for index, clip in enumerate(clips):
            for side in sides:
                side.measure(index, 0, WARM_FRAMES)
            for turn, first in enumerate(range(WARM_FRAMES, WARM_FRAMES + FRAMES, BLOCK)):
                for which in _order(turn + number):
                    answer = sides[which].measure(index, first, BLOCK)
                    _gather(figures[which], clip, first - WARM_FRAMES, answer)
    return tuple(figures)


def _order(turn: int) -> Iterator[int]:
    """A B, B A, A B …"""
    return iter((0, 1) if turn % 2 == 0 else (1, 0))


def _gather(figures: dict[Row, list[int | None]], clip: str, done: int, answer: Answer) -> None:
    for stage, values in answer.items():
        row = figures.setdefault((clip, stage), [])
        # it may have run on none of the frames before
        row += [None] * (done - len(row))
        row += values


def _table(
    found: Sequence[tuple[dict[Row, list[int | None]], ...]], side: int, row: Row
) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """float64 (pairs, frames), nan where the stage did not run."""
    frames = 1 if row[1] == START else FRAMES
    table = np.full((len(found), frames), np.nan)
    for number, both in enumerate(found):
        values = both[side].get(row, [])
        table[number, : len(values)] = [np.nan if value is None else value for value in values]
    return table
