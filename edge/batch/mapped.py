"""Has files analysed share by share, by an engine, and puts them together again in their order."""

import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from msgspec.structs import replace

from edge.batch.inputs import Input
from edge.batch.joined import Joined
from edge.batch.ledger import identity
from edge.batch.plan import WHOLE, Segment, segments
from edge.batch.records import Records
from edge.batch.settings import BatchSettings
from edge.batch.shares import Engine, Piece, Share, tried
from edge.batch.video import Progress, checked, early_end
from edge.sources.file import FilmFacts

NOTHING: Final = (0, 0)
"""In place of a file's identity."""
HELD_B: Final = 1 << 25
"""Of a film's records in memory; beyond that they wait on the disk."""
UNCUT: Final = "It was analysed in one piece: its frames cannot be told by their times, as it takes to cut it."


@dataclass(slots=True)
class File:
    """A file under way.

    Attributes:
        item: what it is.
        was: its identity when its turn came.
        facts: of a film.
        records: of what was found so far; those of a file that is finished are read from their begin.
        joined: what was found so far.
        notes: what a person should know of it.
        complete: whether all of it could be analysed.
        problem: why it could not be analysed.
        cancelled: whether it was left undone on request.
        over: whether what is left of its shares is wanted no longer.
    """

    item: Input
    was: tuple[int, int]
    facts: FilmFacts | None = None
    records: "tempfile.SpooledTemporaryFile[bytes] | None" = None
    joined: Joined = field(default_factory=Joined)
    notes: tuple[str, ...] = ()
    complete: bool = True
    problem: Exception | None = None
    cancelled: bool = False
    over: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the records."""
        if self.records is not None:
            self.records.close()


@dataclass(frozen=True, slots=True)
class _Step:
    """A share of a file; None if the file has a problem instead."""

    file: File
    share: Share | None
    first: bool
    last: bool


class Mapped:
    """Goes over files."""

    def __init__(
        self,
        settings: BatchSettings,
        engine: Engine,
        records: Records,
        *,
        begins: Callable[[Input], None],
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        scratch: Path | None = None,
    ) -> None:
        """Nothing is begun.

        Args:
            settings: what to do.
            engine: who does it.
            records: how they are written.
            begins: is told of each file that is next to be finished.
            progress: is told how far a film is.
            cancelled: is asked often whether to end.
            scratch: a folder for records that are waiting; None: the system's.
        """
        self._settings = settings
        self._engine = engine
        self._records = records
        self._begins = begins
        self._progress = progress
        self._cancelled = cancelled
        self._scratch = None if scratch is None else str(scratch)

    def run(self, items: list[Input]) -> Iterator[File]:
        """Each file in its order, finished or with its problem; after one that was cancelled there are no more.

        Raises:
            ConfigError: the engine cannot go on.
            OSError: there is no room for the records.
        """
        for step, begun in self._begun(items):
            file = step.file
            if file.over:
                self._engine.drop(begun)
                continue
            if step.first:
                self._begins(file.item)
                file.records = tempfile.SpooledTemporaryFile(HELD_B, dir=self._scratch)  # noqa: SIM115  # for its taker
            found = None if self._cancelled() else file.problem or self._result(file, begun)
            whole = isinstance(found, Piece) and not file.joined.fits(found)
            if whole:
                found = self._uncut(file)
            if isinstance(found, Piece):
                self._take(file, found)
                # where a film has less than its container says, one segment behind its end is enough to know
                over = whole or step.last or (found.ended and not found.frames)
                if not over:
                    continue
                self._finish(file, found)
            file.over = True
            file.problem = found if isinstance(found, Exception) else None
            file.cancelled = found is None
            yield file
            if file.cancelled:
                return

    def _begun(self, items: list[Input]) -> Iterator[tuple[_Step, object]]:
        """The shares in order, as many of them begun ahead as the engine wants."""
        waiting: deque[tuple[_Step, object]] = deque()
        for step in self._steps(items):
            waiting.append((step, None if step.share is None else self._engine.begin(step.share)))
            if len(waiting) >= self._engine.ahead():
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()

    def _steps(self, items: list[Input]) -> Iterator[_Step]:
        for item in items:
            file = File(item, known_as(item.path))
            cuts: tuple[Segment, ...] = (WHOLE,)
            if item.kind == "video":
                facts = tried(partial(checked, item.path, self._settings))
                if isinstance(facts, Exception):
                    file.problem = facts
                    yield _Step(file, None, first=True, last=True)
                    continue
                file.facts = facts
                cuts = segments(facts.duration_s, self._settings.segment_s)
            for number, cut in enumerate(cuts, 1):
                if file.over:
                    break
                yield _Step(file, Share(str(item.path), item.kind, cut), number == 1, number == len(cuts))

    def _result(self, file: File, begun: object) -> Piece | Exception | None:
        before = file.joined.frames

        def tell(progress: Progress) -> None:
            self._progress(replace(progress, frames=before + progress.frames))

        return self._engine.result(begun, tell, self._cancelled)

    def _uncut(self, file: File) -> Piece | Exception | None:
        """The film in one piece, as its segments do not meet."""
        assert file.records is not None
        file.records.seek(0)
        file.records.truncate()
        file.joined, file.notes = Joined(), (UNCUT,)
        return self._result(file, self._engine.begin(Share(str(file.item.path), file.item.kind)))

    def _take(self, file: File, piece: Piece) -> None:
        assert file.records is not None
        write, path = file.records.write, str(file.item.path)
        file.joined.add(piece, lambda event: write(self._records.lines(event, path)))
        if file.facts is not None:
            self._progress(Progress(file.joined.frames, file.facts.frames, piece.last_s))

    def _finish(self, file: File, last: Piece) -> None:
        assert file.records is not None
        file.records.seek(0)
        ending = None if file.facts is None or not last.complete else early_end(file.joined.frames, file.facts)
        file.notes = (*file.notes, *last.notes, *([ending] if ending else []))
        file.complete = last.complete and ending is None


def known_as(path: Path) -> tuple[int, int]:
    """A file's identity as it is now; `NOTHING` if it cannot be looked at, which its reader tells."""
    try:
        return identity(path)
    except OSError:
        return NOTHING
