"""A picture, a folder of pictures or a pattern, one after the other in the order people would sort them."""

import glob
import logging
import re
from pathlib import Path

import cv2
import numpy as np

from edge.errors import ConfigError, PermanentError, SourceEnded
from edge.named_paths import at_home, is_file, is_folder, unreadable
from edge.ports import Clock
from edge.sources.opencv import hush
from edge.sources.pacing import Pacer, Sleep
from edge.sources.specs import ImagesSpec
from edge.sources.uri import PICTURE_SUFFIXES
from edge.types import Frame, Pixels

_log = logging.getLogger(__name__)


class ImagesSource:
    """Pictures as frames. What cannot be read is named in the log once, and left out.

    Args:
        spec: which pictures, and how fast.
        clock: the world's time, for live pacing.
        sleep: how to wait.

    Raises:
        ConfigError: nothing matches.
        PermanentError: nothing that matches is a picture.
    """

    def __init__(self, spec: ImagesSpec, clock: Clock, sleep: Sleep) -> None:
        self.live = spec.realtime
        self.name = f"images:{spec.pattern}"
        self._spec = spec
        self._clock = clock
        self._pacer = Pacer(spec.fps, clock, sleep) if spec.realtime else None
        found = find_pictures(spec.pattern)
        self._paths = list(found)
        # the picture to show next, and the number of frames that are over
        self._cursor = 0
        self._passed = 0
        self._closed = False
        if self._load() is None:
            raise PermanentError(
                f"none of the {len(found)} files of {self.name} can be read as a picture, {found[0].name} neither; "
                f"expected JPEG, PNG, WebP, BMP, TIFF or PNM"
            )

    def read(self, timeout_s: float) -> Frame:
        """See `edge.ports.FrameSource`."""
        if self._closed:
            raise PermanentError(f"{self.name} is closed; open it again to read on")
        index = self._pacer.wait(timeout_s) if self._pacer else self._passed
        self._cursor += index - self._passed
        pixels = self._load()
        if pixels is None:
            self._passed = index
            if self._paths:
                raise SourceEnded(f"{self.name} has no more pictures")
            raise PermanentError(f"{self.name}: the pictures are no longer there; put them back")
        self._cursor += 1
        self._passed = index + 1
        return Frame(index + 1, self._clock() if self.live else round(index / self._spec.fps * 1e9), pixels)

    def _load(self) -> Pixels | None:
        """The first picture at or after the cursor that can be read; None at the end."""
        while self._paths:
            if self._cursor >= len(self._paths):
                if not self._spec.loop:
                    return None
                self._cursor %= len(self._paths)
            pixels = read_picture(self._paths[self._cursor])
            if pixels is not None:
                return pixels
            _log.warning("%s cannot be read as a picture and is left out", self._paths.pop(self._cursor))
        return None

    def hold(self) -> bool:
        """See `edge.ports.FrameSource`."""
        if self._pacer:
            self._pacer.hold()
        return True

    def close(self) -> None:
        """See `edge.ports.FrameSource`."""
        self._closed = True


def read_picture(path: Path) -> Pixels | None:
    """uint8 (H, W, 3) BGR, turned as its EXIF data say; None if it is no picture."""
    hush()
    try:
        # imread prints to stderr and trips over some file names; decoding bytes does neither
        data = np.frombuffer(path.read_bytes(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if picture is None else picture.astype(np.uint8, copy=False)


def find_pictures(pattern: str) -> tuple[Path, ...]:
    """The files that a path, a folder or a pattern names, 2.jpg before 10.jpg.

    Of a folder, those with the suffix of a picture; of a pattern, all it matches.

    Raises:
        ConfigError: there are none, or this user may not look for them.
    """
    path = at_home(pattern)
    if is_folder(path):
        found = [entry for entry in _entries(path) if entry.suffix.lower() in PICTURE_SUFFIXES and is_file(entry)]
        missing = f"the folder {path} holds no file ending in {' '.join(sorted(PICTURE_SUFFIXES))}; put pictures in it"
    elif is_file(path):
        return (path,)
    else:
        found = [Path(name) for name in glob.glob(str(path), recursive=True) if is_file(name)]  # noqa: PTH207 (absolute patterns)
        missing = f"no file matches {path}; expected a picture, a folder or a pattern such as 'shots/*.jpg'"
    if not found:
        _refuse_closed(path)
        raise ConfigError(missing)
    return tuple(sorted(found, key=natural_order))


def _entries(folder: Path) -> list[Path]:
    """What is in a folder."""
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise unreadable(folder, error) from error


def _refuse_closed(path: Path) -> None:
    """Refuse a path or pattern of which nobody can tell what it names, as the way to it is closed to this user."""
    try:
        if glob.has_magic(str(path)):
            list(next(folder for folder in path.parents if not glob.has_magic(str(folder))).iterdir())
        else:
            path.stat()
    except PermissionError as error:
        raise unreadable(path, error) from error
    except OSError:  # it is not there
        return


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Sorts as people would: 2.jpg before 10.jpg."""
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part.lower()) for part in parts]
