"""Deletes what is older than it may get from an event log and its rotated files."""

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec


class _Record(msgspec.Struct):
    """Of a line, all that matters here; a record of media analysed off-line has no time."""

    time: str | None = None


_DECODER = msgspec.json.Decoder(_Record)


def log_files(path: Path) -> tuple[Path, ...]:
    """An event log and its rotated files, the oldest first."""
    numbers = (file.name.removeprefix(f"{path.name}.") for file in path.parent.iterdir())
    rotated = sorted((int(number) for number in numbers if number.isdecimal()), reverse=True)
    return (*(path.with_name(f"{path.name}.{number}") for number in rotated), path)


def forget(path: Path, before: str) -> int:
    """Delete all lines from before a moment from one file, or the file if nothing would be left of it.

    Each line goes by its own time: a clock that was wrong for a while must not keep what stands behind. A line that
    tells none goes with the one before it.

    Args:
        path: of the file; one that is not there, or no plain file, is left alone. A link stays one.
        before: RFC 3339 in UTC with milliseconds, as records have it: such times sort like text.

    Returns:
        How many lines were deleted.

    Raises:
        OSError: it cannot be read, or not be written anew; then it is as it was.
    """
    if not path.is_file():
        return 0
    path = path.resolve()
    with path.open("rb") as file:
        # the first lines may tell none
        old = next((time < before for time in map(_time, file) if time is not None), False)
        file.seek(0)
        counts = Counter(is_old for is_old, _ in _judged(file, before, old))
        deleted = counts[True]
        if deleted and not counts[False]:
            path.unlink()
        elif deleted:
            file.seek(0)
            _write_anew(path, (line for is_old, line in _judged(file, before, old) if not is_old))
    return deleted


def _judged(lines: Iterable[bytes], before: str, old: bool) -> Iterator[tuple[bool, bytes]]:
    """Each line, and whether it is too old; `old`: whether those are that stand before the first time."""
    for line in lines:
        time = _time(line)
        old = old if time is None else time < before
        yield old, line


def _write_anew(path: Path, lines: Iterable[bytes]) -> None:
    """Replace a file as a whole; what is written meanwhile is no more open to others than it is."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            shutil.copymode(path, draft)
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _time(line: bytes) -> str | None:
    try:
        return _DECODER.decode(line).time
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
