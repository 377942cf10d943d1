"""JPEGs from a named pipe or from standard input: whatever program can write MJPEG is a camera."""

import logging
import os
import select
import stat
import sys
import time
from typing import Final, cast

import cv2
import numpy as np

from edge.errors import ConfigError, NotYet, PermanentError, SourceEnded, TemporaryError
from edge.named_paths import at_home
from edge.ports import Clock
from edge.sources.jpegs import JpegSplitter
from edge.sources.specs import FifoSpec
from edge.types import Frame, Pixels

_log = logging.getLogger(__name__)

STDIN: Final = "-"
_CHUNK: Final = 1 << 20
"""All that a pipe can hold, so that one read leaves nothing old in it."""
_EMPTY_WAIT_S: Final = 0.05


class FifoSource:
    """Live pictures from a pipe; of several that wait, the newest.

    Reads never block, so neither does opening: the pipe may have no writer yet. A writer that is silent for longer than
    `source.read_timeout_s` finds its pipe closed, as a camera would be opened again.

    Args:
        spec: which pipe.
        clock: stamps the frames.

    Attributes:
        name: for people.

    Raises:
        ConfigError: it is no pipe.
        TemporaryError: it is not there.
    """

    live = True

    def __init__(self, spec: FifoSpec, clock: Clock) -> None:
        self._stdin = spec.path == STDIN
        self.name = "standard input" if self._stdin else f"fifo:{spec.path}"
        self._pipe: int | None = _open(spec.path, self.name)
        self._clock = clock
        self._splitter = JpegSplitter()
        self._undecodable = 0
        self._heard = False
        self._seq = 0

    @property
    def broken(self) -> int:
        """Pictures that came incomplete or damaged, and were dropped."""
        return self._splitter.broken + self._undecodable

    def read(self, timeout_s: float) -> Frame:
        """See `edge.ports.FrameSource`."""
        if self._pipe is None:
            raise PermanentError(f"{self.name} is closed; open it again to read on")
        deadline_s = time.monotonic() + timeout_s
        while True:
            data = self._wait(self._pipe, max(0.0, deadline_s - time.monotonic()))
            if data:
                broken = self._splitter.broken
                pictures = self._splitter.feed(data)
                self._seq += len(pictures) + self._splitter.broken - broken
                pixels = self._decoded(pictures[-1]) if pictures else None
                if self.broken and not broken:
                    _log.warning("%s holds broken pictures, which are dropped; is its writer whole?", self.name)
                if pixels is not None:
                    return Frame(self._seq, self._clock(), pixels)
            if time.monotonic() >= deadline_s:
                what = "no whole JPEG comes" if self._heard else "nobody writes to it yet"
                raise NotYet(f"{self.name}: {what}; start what feeds it, such as `ffmpeg -i … -f mjpeg {self._target}`")

    @property
    def _target(self) -> str:
        return "- | emotion-edge …" if self._stdin else self.name.removeprefix("fifo:")

    def _wait(self, pipe: int, timeout_s: float) -> bytes:
        """What is in the pipe; nothing after `timeout_s`, or where nobody has written yet."""
        ready, _, _ = select.select([pipe], [], [], timeout_s)
        if not ready:
            return b""
        try:
            data = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise TemporaryError(f"{self.name} cannot be read: {error.strerror}; see to what feeds it") from error
        if data:
            self._heard = True
        elif self._stdin:
            raise SourceEnded(f"{self.name} is at its end{self._lost()}")
        elif self._heard:
            raise TemporaryError(f"{self.name}: its writer has gone{self._lost()}; start it again")
        else:  # a pipe that nobody holds open is always "ready"
            time.sleep(min(timeout_s, _EMPTY_WAIT_S))
        return data

    def _lost(self) -> str:
        return f" ({self.broken} broken pictures were dropped)" if self.broken else ""

    def _decoded(self, jpeg: bytes) -> Pixels | None:
        try:
            pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            pixels = None
        self._undecodable += pixels is None
        return cast("Pixels | None", pixels)

    def hold(self) -> bool:
        """See `edge.ports.FrameSource`."""
        return False

    def close(self) -> None:
        """See `edge.ports.FrameSource`."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


def check_pipe(path: str) -> None:
    """Whether what is there, if anything, is a pipe.

    Raises:
        ConfigError: it is not, or this system has none.
    """
    if sys.platform == "win32":
        raise ConfigError(f"fifo:{path} needs named pipes of a POSIX system, found Windows; use a file or a URL")
    try:
        mode = (os.fstat(0) if path == STDIN else at_home(path).stat()).st_mode
    except OSError:
        return  # whoever feeds it may make it later
    if path == STDIN:
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            raise ConfigError(
                "standard input is no pipe; expected JPEGs: `ffmpeg -i … -f mjpeg - | emotion-edge run …`"
            )
    elif not stat.S_ISFIFO(mode):
        raise ConfigError(f"{path} is no named pipe; make one with `mkfifo`, or use file:{path} if it is a video")


def _open(path: str, name: str) -> int:
    check_pipe(path)
    try:
        if path == STDIN:
            # not made non-blocking: others share it
            return os.dup(0)
        return os.open(at_home(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise TemporaryError(
            f"there is no {path}; make the pipe with `mkfifo {path}` and start what feeds it"
        ) from None
    except OSError as error:
        raise TemporaryError(f"{name} cannot be opened: {error.strerror}; see `ls -l {path}`") from error
