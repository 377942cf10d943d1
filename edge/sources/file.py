"""Video files, in real time or every frame in turn."""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2

from edge.demand import every
from edge.errors import ConfigError, NotDue, PermanentError, SourceEnded
from edge.named_paths import at_home, unreadable
from edge.ports import Clock, Wanted
from edge.sources.opencv import hush
from edge.sources.pacing import Pacer, Sleep
from edge.sources.specs import FileSpec
from edge.sources.uri import PICTURE_SUFFIXES
from edge.types import Frame, Pixels

_FALLBACK_FPS = 30.0
ROUNDED_S = 0.0015
"""Containers round their times to 1/1000 s and such: a frame that is off by less is where a constant rate has one."""
LONGEST_S = 60.0
"""For which a film may show one frame; what claims to be longer is a jump in its times."""


class FileSource:
    """A video file.

    Live, it runs at its own speed: frames that are late are skipped. In lockstep every frame comes, stamped with its
    time in the film; a loop goes on counting. Frames are numbered from where it begins.

    Args:
        spec: which file, and how.
        clock: the world's time, for live pacing.
        sleep: how to wait.
        wanted: which frames to convert once they are decoded; in lockstep all are.
        threads: that decode, see `open_video`.

    Raises:
        ConfigError: there is no such file, or it ends before it is to begin.
        PermanentError: it is no video.
    """

    def __init__(
        self, spec: FileSpec, clock: Clock, sleep: Sleep, wanted: Wanted = every, *, threads: int | None = None
    ) -> None:
        self.live = spec.realtime
        self._path = at_home(spec.path)
        self._loop = spec.loop
        self._clock = clock
        self._start_s = spec.start_s
        self._threads = threads
        self._capture: cv2.VideoCapture | None = self._begun()
        self._fps = rate_of(self._capture)
        self._pacer = Pacer(self._fps, clock, sleep) if self.live else None
        width, height = (int(self._capture.get(k)) for k in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        self.name = film_name(self._path, width, height)
        # the frame that is grabbed, and the one to deliver next; `_begun` has grabbed the first
        self._grabbed = 0
        self._next = 0
        self._wanted = wanted
        self._spared = 0
        # in lockstep: what the container told last, when the film began by what it tells, and how long ago that was
        self._told_s = self._zero_s = self._since_s = 0.0

    def read(self, timeout_s: float) -> Frame:
        """See `edge.ports.FrameSource`."""
        if self._capture is None:
            raise PermanentError(f"{self.name} is closed; open it again to read on")
        index = self._pacer.wait(timeout_s) if self._pacer else self._next
        while self._grabbed < index:
            if not self._capture.grab():
                self._capture = self._rewound(self._capture)
            self._grabbed += 1
        # what decoding takes from here on is part of its age, and does not count against its rate
        t_ns = self._clock() if self.live else 0
        if self.live and index and not self._wanted(t_ns):
            self._next, self._spared = index + 1, self._spared + 1
            raise NotDue(f"{self.name}: nobody wants frame {index}; ask again")
        ok, pixels = self._capture.retrieve()
        if not ok:
            raise PermanentError(f"{self.name}: frame {index} cannot be decoded; the file is damaged, make it anew")
        self._next = index + 1
        if not self.live:
            t_ns = round(self._film_s(self._capture, index) * 1e9)
        return Frame(index + 1, t_ns, cast(Pixels, pixels), spared=self._spared)

    def _film_s(self, capture: cv2.VideoCapture, index: int) -> float:
        """When the frame is shown: where films of a varying rate have it, else evenly spaced."""
        told_s, before_s = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1e3, self._told_s
        self._told_s = told_s
        if index == 0:
            self._zero_s = told_s
        elif not 0 < told_s - before_s <= LONGEST_S:  # some tell no times, or jump in them where they were joined
            self._zero_s = told_s - (self._since_s + 1 / self._fps)
        self._since_s = told_s - self._zero_s
        return self._start_s + (index / self._fps if self._loop else shown_s(self._since_s, self._fps))

    def _rewound(self, capture: cv2.VideoCapture) -> cv2.VideoCapture:
        if not self._loop:
            raise SourceEnded(f"{self.name} is at its end")
        # seeking to 0 is not exact in every container; opening again is
        capture.release()
        return self._begun()

    def _begun(self) -> cv2.VideoCapture:
        """The film, its first frame to deliver grabbed."""
        capture = open_video(self._path, self._threads)
        if self._start_s:
            capture.set(cv2.CAP_PROP_POS_FRAMES, round(self._start_s * rate_of(capture)))
            if not capture.grab():
                capture.release()
                raise ConfigError(f"{self._path} is over before start={self._start_s:g} s; give a smaller number")
        return capture

    def hold(self) -> bool:
        """See `edge.ports.FrameSource`."""
        if self._pacer:
            self._pacer.hold()
        return True

    def close(self) -> None:
        """See `edge.ports.FrameSource`."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


def film_name(path: Path, width: int, height: int) -> str:
    """What records call a film as their source."""
    return f"file:{path} {width}×{height}"


def rate_of(capture: cv2.VideoCapture) -> float:
    """Frames per second of a recording."""
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    # streams without a frame rate report 0, or their time base, such as 90000
    return fps if 0.1 <= fps <= 1000 else _FALLBACK_FPS


def shown_s(since_s: float, fps: float) -> float:
    """When a frame is shown that its container has so long after the first one, both in seconds.

    That follows from the frame's own time alone: whoever comes to it by another way finds the same.
    """
    even_s = round(since_s * fps) / fps
    return even_s if abs(since_s - even_s) <= ROUNDED_S else since_s


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """What a film's container says of it, before a frame is decoded.

    Attributes:
        width: in px.
        height: in px.
        fps: frames a second, on average.
        frames: how many; an estimate in some containers; None if it does not tell.
    """

    width: int
    height: int
    fps: float
    frames: int | None

    @property
    def duration_s(self) -> float | None:
        """Its length in seconds, if it tells."""
        return None if self.frames is None else self.frames / self.fps


def film_facts(path: Path) -> FilmFacts:
    """What is known of a film without decoding it.

    Raises:
        ConfigError: there is no such file.
        PermanentError: it is no film.
    """
    capture = _opened(path)
    width, height, count = (
        float(capture.get(key))
        for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_COUNT)
    )
    fps = rate_of(capture)
    capture.release()
    return FilmFacts(int(width), int(height), fps, round(count) if 0 < count < 1e12 else None)


def check_video(path: Path) -> None:
    """Whether a file is there, without opening it.

    Raises:
        ConfigError: it is not, or this user may not look there.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ConfigError(f"there is no file {path}; expected a video file, check the path") from error
    except OSError as error:
        raise unreadable(path, error) from error
    if stat.S_ISDIR(mode):
        raise ConfigError(f"{path} is a folder, not a video file; for the pictures in it use images:{path}")


def open_video(path: Path, threads: int | None = None) -> cv2.VideoCapture:
    """Open a video and grab its first frame.

    Args:
        path: of the file.
        threads: that decode; None: as many as there are cores. What is made of damaged frames depends on it, and with
            several it may be something else each time.

    Raises:
        ConfigError: there is no such file.
        PermanentError: it holds no frame that FFMPEG can decode.
    """
    capture = _opened(path, threads)
    if not capture.grab():
        raise _no_film(path, _head(path))
    return capture


def _opened(path: Path, threads: int | None = None) -> cv2.VideoCapture:
    check_video(path)
    head = _head(path)
    hush()
    how = [] if threads is None else [cv2.CAP_PROP_N_THREADS, threads]
    # FFMPEG would render text as video ("tty")
    capture = None if not head or is_text(head) else cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, how)
    if capture is None or not capture.isOpened():
        raise _no_film(path, head)
    return capture


def _no_film(path: Path, head: bytes) -> PermanentError:
    return PermanentError(f"{path} {_what(path, head)}; expected a video that FFMPEG can decode, such as H.264 in .mp4")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError as error:
        raise unreadable(path, error) from error


def is_text(head: bytes) -> bool:
    """Whether a file that begins like this is text: UTF-8 without control characters."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        # a character cut in two by the end of the sample does not count
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and all(c.isprintable() or c in "\t\r\n\f" for c in text)


def _what(path: Path, head: bytes) -> str:
    if not head:
        return "is empty"
    if is_text(head):
        return f"is a text file beginning with {head[:24].decode('utf-8', 'replace')!r}"
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return f"is a picture (use images:{path})"
    return f"holds no frame that can be decoded (it begins with the bytes {head[:8].hex(' ')}); is it complete?"
