"""Results that depend on a file's content alone are kept under its hash, so that each is worked out once."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.files import written_whole

Arrays = Mapping[str, NDArray[Any]]

_SMALL_B = 1024  # an array without elements cannot be mapped


def sha256_of(path: Path) -> str:
    """SHA-256 as hexadecimal digits: of a file's bytes, of a directory's relative file names and their SHA-256s."""
    if path.is_dir():
        return of_digests(digests_in(path))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests_in(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file in a folder and below it, by its relative name."""
    return {
        file.relative_to(folder).as_posix(): sha256_of(file) for file in sorted(folder.rglob("*")) if file.is_file()
    }


def of_digests(digests: Mapping[str, str]) -> str:
    """The SHA-256 of a directory, from what `digests_in` says of it."""
    return hashlib.sha256("".join(f"{name}\0{digest}\n" for name, digest in digests.items()).encode()).hexdigest()


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write an uncompressed `.npz` that is, at any moment, either absent, the old one or complete."""
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


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


Allocate = Callable[[str, tuple[int, ...]], NDArray[np.uint8]]
"""(name, shape) to an array of bytes to fill, zero at first: in the cache's file, or in memory without a cache."""


def mapped(directory: Path | None, key: str, work_out: Callable[[Allocate], Arrays]) -> Arrays:
    """As `cached`, for pictures that may be more than the memory holds: one `.npy` an array, in a folder `key`.

    Arrays of four dimensions come back memory-mapped and read-only: opening them costs nothing, only what is looked at
    is read, and all processes share it.

    Args:
        directory: where to keep it; None keeps everything in memory.
        key: names the content and everything else the result depends on.
        work_out: makes the arrays; large ones are asked for with what it is given and need not be returned.
    """
    if directory is None:
        in_memory: dict[str, NDArray[Any]] = {}

        def allocate(name: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
            in_memory[name] = np.zeros(shape, np.uint8)
            return in_memory[name]

        rest = work_out(allocate)
        return {**in_memory, **rest}
    path = directory / key
    if path.is_dir():
        try:
            return _read_mapped(path)
        except (OSError, ValueError, EOFError):
            shutil.rmtree(path)  # damaged, by a full disk say; working it out again is the remedy
    temporary = directory / f"{key}.{os.getpid()}.tmp"
    try:
        _write_mapped(temporary, work_out)
        try:
            temporary.rename(path)
        except OSError:
            if not path.is_dir():  # else another run has filled it meanwhile
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return _read_mapped(path)


def _write_mapped(folder: Path, work_out: Callable[[Allocate], Arrays]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files: list[np.memmap[Any, Any]] = []

    def allocate(name: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        sizes = tuple(int(size) for size in shape)  # numpy's own numbers would be written as code
        path = folder / f"{name}.npy"
        files.append(np.lib.format.open_memmap(path, "w+", np.uint8, sizes))
        if hasattr(os, "posix_fallocate"):  # on a full disk, an error now and not a bus error later
            with path.open("rb+") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        return files[-1]

    rest = work_out(allocate)
    for pictures in files:
        pictures.flush()
    for name, array in rest.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    for written in folder.iterdir():
        with written.open("rb") as file:
            os.fsync(file.fileno())


def _read_mapped(folder: Path) -> Arrays:
    arrays: dict[str, NDArray[Any]] = {}
    for file in sorted(folder.glob("*.npy")):
        array = np.load(file, mmap_mode="r", allow_pickle=False) if file.stat().st_size > _SMALL_B else np.load(file)
        arrays[file.stem] = array if array.ndim == 4 else np.array(array)
    if not arrays:
        raise EOFError(f"{folder} is empty")
    return arrays
