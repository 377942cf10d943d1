"""Files that are, at any moment, absent, the old ones or complete: written beside, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path, *, optional: bool = False) -> Iterator[Path]:
    """Gives the path to write to; what lies there at the end takes the place of `path`.

    If the block fails, `path` is as it was and nothing is left beside it. Missing directories are made.

    Args:
        path: the file.
        optional: whether the block may write nothing; `path` is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # the process id keeps two runs that write the same file apart; the suffixes stay: Keras and FFMPEG insist on them
    temporary = path.with_name(f"unfinished-{os.getpid()}-{path.name}")
    try:
        yield temporary
        if optional and not temporary.exists():
            return
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, replacing it whole."""
    with written_whole(path) as temporary:
        temporary.write_bytes(content)
