"""Analyses one file after the other. Nothing that is wrong with a file ends the run; a full disk does."""

import shutil
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, Protocol

import msgspec

from edge.analyzer import EmotionAnalyzer, source_name
from edge.batch.bench import Bench, Here
from edge.batch.chips import ChipFolder
from edge.batch.inputs import Found, Input, Problem
from edge.batch.ledger import ANNOTATED, CHIPS, SUMMARY, Done, Ledger
from edge.batch.mapped import NOTHING, File, Mapped, known_as
from edge.batch.records import Records
from edge.batch.settings import BatchSettings
from edge.batch.shares import Engine, reason, tried
from edge.batch.summary import BatchSummary, summarised
from edge.batch.tally import Tally
from edge.batch.video import Networks, Places, Progress, VideoSummary, checked, follow
from edge.batch.writing import CannotWrite, writing
from edge.encode import encode_jpeg
from edge.errors import ConfigError
from edge.events import scene_event
from edge.files import write_whole
from edge.types import Scene

JPEG_QUALITY = 90
CHANGED = "It was changed while it was analysed; the same command does it again."


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

    records: Path | bytes | IO[bytes]
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
        engine: Engine | None = None,
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
            engine: who analyses the files share by share; None: this process, and whole unless the settings cut them.

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
        if (engine or settings.segment_s) and (settings.annotate or settings.save_chips):
            raise ConfigError(
                "annotated copies and chips are made of files that are analysed whole, here; give --annotate and "
                "--save-chips without --engine ray and --segment-s, or leave them out"
            )
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
        self._engine = engine or (Here(Bench(settings, self._stills, self._networks)) if settings.segment_s else None)

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
            failed, interrupted = list(self._found.missing), True

            def written() -> BatchSummary:
                summary = summarised(ledger.done, failed, self._found.skipped, earlier=earlier, interrupted=interrupted)
                write_whole(ledger.folder / SUMMARY, msgspec.json.format(msgspec.json.encode(summary)))
                return summary

            written()  # of a run that is killed it stays, and says that files are left
            try:
                interrupted = self._each(left, ledger, failed)
            finally:
                # also if the disk is full: then there may be room for a few words
                summary = written()
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
        with closing(self._mapped(items, ledger) if self._engine else self._one_by_one(items, ledger)) as results:
            for item, result in results:
                if isinstance(result, OSError | CannotWrite):
                    raise result
                if isinstance(result, Exception):
                    text = reason(result, item.path)
                    failed.append(Problem(str(item.path), text))
                    self._reporter.finished(item, text)
                    continue
                if result.done is None:
                    return True
                found = _unless_changed(item, result.done)
                if ledger is not None:
                    ledger.add(item, result.records, found)
                if done is not None:
                    done.append(msgspec.structs.replace(found, path=str(item.path)))
                self._reporter.finished(item, None if found.complete else "; ".join(found.notes))
        return False

    def _one_by_one(self, items: list[Input], ledger: Ledger | None) -> Generator[tuple[Input, _Result | Exception]]:
        for item in items:
            if self._cancelled():
                yield item, _Result(b"", None)
                return
            self._reporter.file(item)
            if item.kind == "picture":
                yield item, tried(partial(self._picture, item))
            else:
                yield item, tried(partial(self._video, item, ledger))

    def _mapped(self, items: list[Input], ledger: Ledger | None) -> Generator[tuple[Input, _Result | Exception]]:
        assert self._engine is not None
        if ledger is not None:
            ledger.unfinished.mkdir(exist_ok=True)
        mapped = Mapped(
            self._settings,
            self._engine,
            self._records,
            begins=self._reporter.file,
            progress=self._reporter.progress,
            cancelled=self._cancelled,
            scratch=None if ledger is None else ledger.unfinished,
        )
        for file in mapped.run(items):
            with file:
                yield file.item, file.problem or self._result(file, ledger)

    def _result(self, file: File, ledger: Ledger | None) -> _Result:
        """What came of a file that was analysed share by share."""
        if file.cancelled or file.records is None:
            return _Result(b"", None)
        if ledger is None and self._stream is not None:
            shutil.copyfileobj(file.records, self._stream, 1 << 20)
            self._stream.flush()
        joined = file.joined
        done = _done(
            file.item,
            file.was,
            joined.frames,
            joined.faces,
            dict(sorted(joined.labels.items())),
            round(joined.seconds, 5),
        )
        return _Result(file.records, msgspec.structs.replace(done, complete=file.complete, notes=file.notes))

    def _picture(self, item: Input) -> _Result:
        assert self._stills is not None
        settings, began_ns = self._settings, time.perf_counter_ns()
        was = known_as(item.path)
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
        was = known_as(item.path)
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


def _unless_changed(item: Input, done: Done) -> Done:
    """A file that was analysed; told if it has become another one meanwhile: its segments may be of both."""
    if known_as(item.path) in ((done.size, done.mtime_ns), NOTHING):
        return done
    return msgspec.structs.replace(done, complete=False, notes=(*done.notes, CHANGED))


def _followed(item: Input, was: tuple[int, int], summary: VideoSummary) -> Done:
    done = _done(item, was, summary.frames, len(summary.faces), summary.labels, summary.seconds)
    return msgspec.structs.replace(done, complete=summary.complete, notes=summary.notes)


def _done(item: Input, was: tuple[int, int], frames: int, faces: int, labels: dict[str, int], seconds: float) -> Done:
    """A file, whole and without a note; `was` is its identity when it was opened. The ledger knows the rest."""
    size, mtime_ns = was
    return Done("", item.name, item.kind, size, mtime_ns, 0, 0, frames, faces, labels, seconds)
