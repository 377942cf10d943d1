"""Results that depend on a file's content alone are kept under its hash, so that each is worked out once."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


def sha256_of(path: Path) -> str:
    """SHA-256 as hexadecimal digits: of a file's bytes, of a directory's relative file names and their SHA-256s."""
    if path.is_dir():
        listing = (
            f"{file.relative_to(path).as_posix()}\0{sha256_of(file)}\n"
            for file in sorted(path.rglob("*"))
            if file.is_file()
        )
        return hashlib.sha256("".join(listing).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write an uncompressed `.npz` that is, at any moment, either absent, the old one or complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # the process id keeps two runs that fill the same cache from writing into one file
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def cached(directory: Path | None, key: str, work_out: Callable[[], Arrays]) -> Arrays:
    """What `work_out` returns, from `directory`/`key`.npz where it has been worked out before.

    Args:
        directory: where to keep it; None keeps nothing.
        key: names the content and everything else the result depends on.
        work_out: makes the arrays; must depend on nothing but what `key` names.
    """
    if directory is None:
        return work_out()
    path = directory / f"{key}.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        pass
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        path.unlink(missing_ok=True)  # damaged, by a full disk say; working it out again is the remedy
    arrays = work_out()
    write_arrays(path, arrays)
    return arrays
