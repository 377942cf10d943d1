"""Deletes what is older than it may get from an event log and its rotated files."""

import os
import shutil
from collections.abc import Iterator
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

    Lines stand in the order of their time. A line that tells none goes with those before it.

    Args:
        path: of the file; one that is not there, or no plain file, is left alone.
        before: RFC 3339 in UTC with milliseconds, as records have it: such times sort like text.

    Returns:
        How many lines were deleted.

    Raises:
        OSError: it cannot be read, or not be written anew; then it is as it was.
    """
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        start, old = _first_to_keep(file, before)
        if start == 0:
            return 0
        if file.seek(0, os.SEEK_END) == start:
            path.unlink()
            return old
        file.seek(start)
        draft = path.with_name(f"{path.name}.new")
        try:
            with draft.open("wb") as rest:
                shutil.copyfileobj(file, rest)
                rest.flush()
                os.fsync(rest.fileno())
            shutil.copymode(path, draft)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    return old


def _first_to_keep(lines: Iterator[bytes], before: str) -> tuple[int, int]:
    """Where the first line begins that is to stay, in bytes; and how many lines lie before it."""
    start, old, dated = 0, 0, False
    for line in lines:
        time = _time(line)
        if time is not None and time >= before:
            break
        start, old, dated = start + len(line), old + 1, dated or time is not None
    return (start, old) if dated else (0, 0)


def _time(line: bytes) -> str | None:
    try:
        return _DECODER.decode(line).time
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
