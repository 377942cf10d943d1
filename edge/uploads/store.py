"""Where uploaded videos and their results lie: a private folder that no run leaves behind for ever."""

import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from edge.logs import event
from edge.uploads.refused import Refused

log = logging.getLogger(__name__)

PREFIX: Final = "emotion-edge-uploads-"
LOCK: Final = "in-use"
VIDEO: Final = "video"
"""What is uploaded: the name stands in the records, and says nothing of where it lies."""
ANNOTATED: Final = "annotated.webm"
RESULTS: Final = ("events.jsonl", "events.csv", ANNOTATED)

MAKING_S: Final = 60.0
"""A folder without a lock that is younger may be another program's that is just starting."""

KEEP_FREE_BYTES: Final = 100_000_000
"""On the disk, for everybody else."""

FreeSpace = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    """What the disk of a folder still takes."""
    return shutil.disk_usage(folder).free


class Store:
    """The private folder. Its methods wait for the disk: call them off the event loop.

    Args:
        parent: where to make it; empty: the system's folder for temporary files.
        free: tells the free space of a folder's disk.
    """

    def __init__(self, parent: str = "", free: FreeSpace = free_bytes) -> None:
        self._parent = Path(parent) if parent else Path(tempfile.gettempdir())
        self._free = free
        self._root: Path | None = None
        self._lock: int | None = None

    def clean(self) -> int:
        """Remove what runs left behind that were killed; how many folders that was."""
        removed = 0
        if os.name != "posix":
            return removed
        with suppress(OSError):
            for folder in sorted(self._parent.glob(f"{PREFIX}*")):
                if _left_behind(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                    removed += 1
        if removed:
            message = "uploads of runs that were killed are deleted"
            event(log, logging.INFO, "uploads.cleaned", message, folders=removed)
        return removed

    def new_folder(self) -> Path:
        """A folder of its own for one video.

        Raises:
            Refused: it cannot be made.
        """
        try:
            if self._root is None:
                self._root = self._made()
            return Path(tempfile.mkdtemp(dir=self._root))  # mode 0700
        except OSError as error:
            text = f"Nothing can be stored in {self._parent} ({error.strerror}); see uploads.folder."
            raise Refused("no_space", text, 60) from error

    def check_space(self, wanted_bytes: int) -> None:
        """Refuse what would fill the disk.

        Raises:
            Refused: so much would leave less free than `KEEP_FREE_BYTES`.
        """
        try:
            free = self._free(self._root or self._parent)
        except OSError as error:
            text = f"Nothing can be stored in {self._parent} ({error.strerror}); see uploads.folder."
            raise Refused("no_space", text, 60) from error
        if free - wanted_bytes < KEEP_FREE_BYTES:
            raise Refused(
                "no_space",
                f"The disk has {free / 1e6:.0f} MB free, and the video needs {wanted_bytes / 1e6:.0f} MB more; "
                f"{KEEP_FREE_BYTES / 1e6:.0f} MB have to stay free. Delete something, or send a smaller one.",
                60,
            )

    def close(self) -> None:
        """Delete everything."""
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _made(self) -> Path:
        self._parent.mkdir(parents=True, exist_ok=True)
        root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent))
        self._lock = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _try_lock(self._lock)
        return root


def remove(folder: Path) -> None:
    """Delete a video's folder, or what there is of it."""
    shutil.rmtree(folder, ignore_errors=True)


def tidy(folder: Path) -> dict[str, int]:
    """Delete all but results from a video's folder; size in bytes of each that is left.

    The process that wrote them is not trusted: what is no plain file, such as a link to another, goes as well.
    """
    kept = {}
    with suppress(FileNotFoundError):  # it was deleted meanwhile
        for path in list(folder.iterdir()):
            found = path.lstat()
            if path.name in RESULTS and stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
                kept[path.name] = found.st_size
            elif stat.S_ISDIR(found.st_mode):
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    return kept


def _left_behind(folder: Path) -> bool:
    """Whether a folder is ours, and nobody holds it any more."""
    try:
        found = folder.lstat()
        if found.st_uid != os.getuid() or not folder.is_dir() or folder.is_symlink():
            return False
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return time.time() - found.st_mtime > MAKING_S
    except OSError:
        return False
    try:
        return _try_lock(lock)
    finally:
        os.close(lock)


def _try_lock(descriptor: int) -> bool:
    """Hold a file until the descriptor is closed, or the process ends, however it ends."""
    try:
        import fcntl  # noqa: PLC0415 (not on every system)
    except ImportError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
