"""The results of a run in a folder: the records of all finished files, and a list of these that survives a kill.

Records are added file by file and count once the list says so. Whatever stands behind the last one counted, because
the power failed in between, is cut off when the run goes on.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Final, Literal, Self

import msgspec

from edge.batch.inputs import Input
from edge.batch.settings import Format
from edge.errors import ConfigError
from edge.files import write_whole, written_whole

STATE: Final = "state.json"
SUMMARY: Final = "summary.json"
ANNOTATED: Final = "annotated"
CHIPS: Final = "chips"
UNFINISHED: Final = ".unfinished"
SAVE_S: Final = 2.0
"""The list is written at most so often while pictures go by; those since are done again after a kill."""


class Done(msgspec.Struct, frozen=True):
    """A file that was analysed.

    Attributes:
        path: absolute.
        name: of what was written about it, see `Input.name`.
        kind: picture or video.
        size: of the file in bytes.
        mtime_ns: when it was changed last.
        begin: of its records in the file of all records.
        end: of them.
        frames: analysed; 1 of a picture.
        faces: how many different ones.
        labels: how many faces of how many frames were called what.
        seconds: that it took.
        complete: whether all of it could be analysed.
        notes: what a person should know of it.
    """

    path: str
    name: str
    kind: Literal["picture", "video"]
    size: int
    mtime_ns: int
    begin: int
    end: int
    frames: int
    faces: int
    labels: dict[str, int]
    seconds: float
    complete: bool = True
    notes: tuple[str, ...] = ()


class _State(msgspec.Struct, frozen=True):
    """What `state.json` holds."""

    fingerprint: str
    style: Format
    done: tuple[Done, ...] = ()
    version: Literal[1] = 1


class Ledger:
    """Owns a folder of results; one process at a time, where the system can tell.

    Attributes:
        folder: of the results.
        unfinished: a folder for what is being written.
    """

    def __init__(self, folder: Path, fingerprint: str, style: Format, head: bytes, *, fresh: bool = False) -> None:
        """Open the folder and cut off what was not finished.

        Args:
            folder: is made if it is missing.
            fingerprint: of the settings; results of others are refused.
            style: of the records.
            head: what stands at the top of the records.
            fresh: delete the results of an earlier run first.

        Raises:
            ConfigError: another run writes there, or what lies there is not of a run with these settings.
            OSError: the folder cannot be written to.
        """
        self.folder = folder
        self.unfinished = folder / UNFINISHED
        self._records = folder / f"records.{style}"
        self._head = head
        self._saved_s = 0.0
        self._end = len(head)  # of the records that count
        folder.mkdir(parents=True, exist_ok=True)
        self._lock: int | None = _locked(folder)
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, self._lock)
            if fresh:
                self._forget()
            self._state = self._read() or _State(fingerprint, style)
            self._check(fingerprint, style)
            shutil.rmtree(self.unfinished, ignore_errors=True)
            for name in (STATE, SUMMARY, self._records.name):
                for left in folder.glob(f"unfinished-*-{name}"):  # by a run that was killed while it wrote that
                    left.unlink()
            self._done = {done.path: done for done in self._state.done}
            self._cut()
            self._save()
            undo.pop_all()

    @property
    def done(self) -> tuple[Done, ...]:
        """All that was analysed, in the order of its records."""
        return tuple(self._done.values())

    def has(self, item: Input) -> bool:
        """Whether the file was analysed as it is now."""
        done = self._done.get(_key(item.path))
        if done is None:
            return False
        try:
            size, mtime_ns = identity(item.path)
        except OSError:
            return True  # the results stay, though the file is gone
        return (done.size, done.mtime_ns) == (size, mtime_ns)

    def drop(self, items: Iterable[Input]) -> None:
        """Forget the records of files that have changed since."""
        known = len(self._done)
        for item in items:
            self._done.pop(_key(item.path), None)
        if len(self._done) == known:
            return
        kept, at = {}, len(self._head)
        with written_whole(self._records) as temporary, self._records.open("rb") as old, temporary.open("wb") as new:
            new.write(self._head)
            for path, done in self._done.items():
                _copy(old, new, done.begin, done.end)
                length = done.end - done.begin
                kept[path] = msgspec.structs.replace(done, begin=at, end=at + length)
                at += length
            # a kill in between costs the work, but leaves no records that are wrong
            self._done = {}
            self._save()
        self._done, self._end = kept, at
        self._save()

    def add(self, item: Input, records: Path | bytes | IO[bytes], about: Done) -> None:
        """Take in a finished file.

        Args:
            item: the file.
            records: its records, in a file that has a name or is open, or as they are.
            about: what is known of it; path and range are filled in here.

        Raises:
            OSError: they cannot be written; what was there before stays.
        """
        begin = self._end
        try:
            with self._records.open("ab") as file:
                if isinstance(records, bytes):
                    file.write(records)
                elif isinstance(records, Path):
                    with records.open("rb") as part:
                        shutil.copyfileobj(part, file, 1 << 20)
                else:
                    shutil.copyfileobj(records, file, 1 << 20)
                end = file.tell()
        except OSError:
            with contextlib.suppress(OSError):
                os.truncate(self._records, begin)
            raise
        path = _key(item.path)
        self._done[path] = msgspec.structs.replace(about, path=path, begin=begin, end=end)
        self._end = end
        if item.kind == "video" or time.monotonic() - self._saved_s >= SAVE_S:
            self._save()

    def close(self) -> None:
        """Write the list, and let others in. Safe to call twice."""
        if self._lock is None:
            return
        try:
            self._save()
            shutil.rmtree(self.unfinished, ignore_errors=True)
        finally:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, fingerprint: str, style: Format) -> None:
        if (self._state.fingerprint, self._state.style) != (fingerprint, style):
            raise ConfigError(
                f"{self.folder} holds the results of a run with other settings, or of another version; give the same "
                "(--segment-s 60 for what a cluster began, unless it was given another), another --out, or --fresh to "
                "delete them and begin anew"
            )
        if not (self.folder / STATE).exists() and self._records.exists():
            raise ConfigError(
                f"{self._records} is not of an earlier run; give another --out, or --fresh to delete it and begin anew"
            )

    def _cut(self) -> None:
        self._end = max((done.end for done in self._done.values()), default=len(self._head))
        if not self._records.exists() or self._records.stat().st_size < self._end:
            # somebody took them away or wrote to them: what is not there has to be made again
            self._done = {}
        if not self._done:
            self._end = len(self._head)
            write_whole(self._records, self._head)
        os.truncate(self._records, self._end)

    def _save(self) -> None:
        with self._records.open("rb+") as file:
            os.fsync(file.fileno())
        self._state = msgspec.structs.replace(self._state, done=self.done)
        write_whole(self.folder / STATE, msgspec.json.encode(self._state))
        self._saved_s = time.monotonic()

    def _read(self) -> _State | None:
        try:
            return msgspec.json.decode((self.folder / STATE).read_bytes(), type=_State)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise ConfigError(
                f"{self.folder / STATE} is not of an earlier run of this version ({error}); give another --out, or "
                "--fresh to begin anew"
            ) from error

    def _forget(self) -> None:
        """Delete the results of an earlier run, and nothing else that may lie there."""
        with contextlib.suppress(ConfigError):
            for done in (self._read() or _State("", "jsonl")).done:
                for suffix in (".jpg", ".webm"):
                    (self.folder / ANNOTATED / f"{done.name}{suffix}").unlink(missing_ok=True)
                shutil.rmtree(self.folder / CHIPS / done.name, ignore_errors=True)
        for name in (STATE, SUMMARY, "records.jsonl", "records.csv"):
            (self.folder / name).unlink(missing_ok=True)


def identity(path: Path) -> tuple[int, int]:
    """Size and time of the last change: what tells that a file is another one."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _key(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100  # links stay links


def _copy(old: BinaryIO, new: BinaryIO, begin: int, end: int) -> None:
    old.seek(begin)
    while begin < end:
        block = old.read(min(end - begin, 1 << 20))
        new.write(block)
        begin += len(block)


def _locked(folder: Path) -> int:
    handle = os.open(folder, os.O_RDONLY)
    with contextlib.suppress(ImportError):
        import fcntl  # noqa: PLC0415  # not on every system

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise ConfigError(
                f"another `emotion-edge analyze` writes to {folder}; wait for it or give another --out"
            ) from error
    return handle
