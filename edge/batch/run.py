"""Analyses one file after the other. Nothing that is wrong with a file ends the run; a full disk does."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from edge.analyzer import EmotionAnalyzer, source_name
from edge.batch.chips import ChipFolder
from edge.batch.inputs import Found, Input, Problem
from edge.batch.ledger import ANNOTATED, CHIPS, SUMMARY, Done, Ledger, identity
from edge.batch.records import Records
from edge.batch.settings import BatchSettings
from edge.batch.summary import BatchSummary, summarised
from edge.batch.tally import Tally
from edge.batch.video import Networks, Places, Progress, VideoSummary, checked, follow
from edge.batch.writing import CannotWrite, writing
from edge.encode import encode_jpeg
from edge.errors import EdgeError
from edge.events import scene_event
from edge.files import write_whole
from edge.types import Scene
from edge.worker import outcome

JPEG_QUALITY = 90


class Reporter(Protocol):
    """Who is told how the run goes."""

    def begun(self, files: int) -> None:
        """So many files are to be analysed."""

    def file(self, item: Input) -> None:
        """A file begins."""

    def progress(self, progress: Progress) -> None:
        """A film's frame is done."""

    def finished(self, item: Input, problem: str | None) -> None:
        """A file is done, or failed for that reason."""

    def note(self, text: str) -> None:
        """Something a person should know."""


@dataclass(frozen=True, slots=True)
class _Result:
    """What came of one file; `done` is None if it was interrupted."""

    records: Path | bytes
    done: Done | None


class Batch:
    """A run over many files. Call `run` once."""

    def __init__(
        self,
        found: Found,
        settings: BatchSettings,
        reporter: Reporter,
        *,
        folder: Path | None = None,
        stream: BinaryIO | None = None,
        fresh: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Load the models that are needed.

        Args:
            found: the files.
            settings: what to do; of its formats the first counts.
            reporter: who is told.
            folder: where the results go, and where a run that was interrupted goes on.
            stream: where the records go if there is no folder.
            fresh: delete what an earlier run left in `folder` first.
            cancelled: is asked often whether to end.

        Raises:
            ConfigError: what was asked for cannot be done as asked.
            PermanentError: a model cannot be used.
        """
        self._found = found
        self._settings = settings
        self._reporter = reporter
        self._folder = folder
        self._stream = stream
        self._fresh = fresh
        self._cancelled = cancelled
        self._style = settings.formats[0]
        kinds = {item.kind for item in found.inputs}
        self._stills = (
            EmotionAnalyzer(settings.config, max_megapixels=settings.max_megapixels) if "picture" in kinds else None
        )
        self._networks = Networks(settings.config) if "video" in kinds else None
        notices = [*(self._stills.notices if self._stills else ()), *(self._networks.notices if self._networks else ())]
        for notice in dict.fromkeys(notices):
            reporter.note(notice)
        known = self._stills or self._networks
        self._records = Records(self._style, known.labels if known else ())

    def run(self) -> BatchSummary:
        """Analyse all files that were not, until told to stop.

        Raises:
            ConfigError: the folder is of another run, or another run writes there.
            CannotWrite: the disk is full, or the folder may not be written to. What was done is kept.
        """
        if self._folder is None:
            return self._streamed()
        with (
            writing(self._folder),
            Ledger(
                self._folder, self._settings.fingerprint(), self._style, self._records.head, fresh=self._fresh
            ) as ledger,
        ):
            left = [item for item in self._found.inputs if not ledger.has(item)]
            ledger.drop(left)
            earlier = len(ledger.done)
            failed, interrupted = list(self._found.missing), False
            try:
                interrupted = self._each(left, ledger, failed)
            finally:
                # also if the disk is full: then there may be room for a few words
                summary = summarised(ledger.done, failed, self._found.skipped, earlier=earlier, interrupted=interrupted)
                write_whole(self._folder / SUMMARY, msgspec.json.format(msgspec.json.encode(summary)))
            return summary

    def _streamed(self) -> BatchSummary:
        done: list[Done] = []
        failed = list(self._found.missing)
        with writing(Path("standard output")):
            self._out(self._records.head)
            interrupted = self._each(list(self._found.inputs), None, failed, done)
        return summarised(done, failed, self._found.skipped, interrupted=interrupted)

    def _each(
        self, items: list[Input], ledger: Ledger | None, failed: list[Problem], done: list[Done] | None = None
    ) -> bool:
        """Analyse these files; whether some are left."""
        self._reporter.begun(len(items))
        for item in items:
            if self._cancelled():
                return True
            self._reporter.file(item)
            results: list[_Result] = []
            error = outcome(partial(self._into, results, item, ledger))
            if isinstance(error, OSError | CannotWrite):
                raise error
            if error is not None:
                known = isinstance(error, EdgeError)
                text = str(error) if known else f"an unexpected error, {type(error).__name__}: {error}"
                reason = text.removeprefix(f"{item.path}").removeprefix(":").strip()
                failed.append(Problem(str(item.path), reason))
                self._reporter.finished(item, reason)
                continue
            (result,) = results
            if result.done is None:
                return True
            if ledger is not None:
                ledger.add(item, result.records, result.done)
            if done is not None:
                done.append(msgspec.structs.replace(result.done, path=str(item.path)))
            self._reporter.finished(item, None if result.done.complete else "; ".join(result.done.notes))
        return False

    def _into(self, results: list[_Result], item: Input, ledger: Ledger | None) -> None:
        results.append(self._picture(item) if item.kind == "picture" else self._video(item, ledger))

    def _picture(self, item: Input) -> _Result:
        assert self._stills is not None
        settings, began_ns = self._settings, time.perf_counter_ns()
        was = _identity(item.path)
        scene = self._stills.scene(item.path, whole=settings.whole, threshold=settings.threshold)
        records = self._records.lines(scene_event(scene, source_name(item.path), None), str(item.path))
        self._save_picture(item, scene, self._stills)
        if self._folder is None:
            self._out(records)
        tally = Tally()
        tally.emit(scene)
        spent_s = (time.perf_counter_ns() - began_ns) / 1e9
        done = _done(item, was, 1, len(scene.tracks), dict(tally.labels), round(spent_s, 5))
        return _Result(records, done)

    def _save_picture(self, item: Input, scene: Scene, stills: EmotionAnalyzer) -> None:
        if self._folder is None:
            return
        if self._settings.annotate:
            picture = encode_jpeg(stills.draw(scene), JPEG_QUALITY)
            write_whole(self._folder / ANNOTATED / f"{item.name}.jpg", picture)
        if self._settings.save_chips:
            ChipFolder(self._folder / CHIPS / item.name, stills.chips).emit(scene)

    def _video(self, item: Input, ledger: Ledger | None) -> _Result:
        assert self._networks is not None
        was = _identity(item.path)
        facts = checked(item.path, self._settings)
        if ledger is None or self._folder is None:
            assert self._stream is not None
            summary = follow(
                item.path,
                facts,
                Places(((self._stream, self._style),)),
                self._settings,
                self._networks,
                self._reporter.progress,
                self._cancelled,
            )
            self._stream.flush()
            return _Result(b"", None if summary.cancelled else _followed(item, was, summary))
        ledger.unfinished.mkdir(exist_ok=True)
        part, film = ledger.unfinished / "records", ledger.unfinished / "annotated.webm"
        with part.open("wb") as file:
            places = Places(
                ((file, self._style),),
                film if self._settings.annotate else None,
                self._folder / CHIPS / item.name if self._settings.save_chips else None,
            )
            summary = follow(
                item.path, facts, places, self._settings, self._networks, self._reporter.progress, self._cancelled
            )
        if summary.cancelled:
            return _Result(b"", None)
        if film.exists():
            finished = self._folder / ANNOTATED / f"{item.name}.webm"
            finished.parent.mkdir(parents=True, exist_ok=True)
            film.replace(finished)
        return _Result(part, _followed(item, was, summary))

    def _out(self, records: bytes) -> None:
        assert self._stream is not None
        self._stream.write(records)
        self._stream.flush()


def _followed(item: Input, was: tuple[int, int], summary: VideoSummary) -> Done:
    done = _done(item, was, summary.frames, len(summary.faces), summary.labels, summary.seconds)
    return msgspec.structs.replace(done, complete=summary.complete, notes=summary.notes)


def _done(item: Input, was: tuple[int, int], frames: int, faces: int, labels: dict[str, int], seconds: float) -> Done:
    """A file, whole and without a note; `was` is its identity when it was opened. The ledger knows the rest."""
    size, mtime_ns = was
    return Done("", item.name, item.kind, size, mtime_ns, 0, 0, frames, faces, labels, seconds)


def _identity(path: Path) -> tuple[int, int]:
    try:
        return identity(path)
    except OSError:
        return 0, 0  # its reader says what is wrong with it
