"""The frames of a film from a time on, every one of them, at the times that the whole film has them."""

from pathlib import Path
from typing import cast

import cv2

from edge.errors import PermanentError, SourceEnded
from edge.sources.file import LONGEST_S, open_video, rate_of, shown_s
from edge.types import Frame, Pixels


class Stretch:
    """A film from a time on, to its end. Frames are numbered from 1.

    Containers lead to the neighbourhood of a time only, and number frames by it. So frames are told by their own times:
    one before is looked for, further and further back, and what comes too early is passed over.

    Attributes:
        passed_ns: time of the newest frame that was passed over; None: none was, the film was found at the right place.
    """

    def __init__(self, path: Path, begin_s: float, threads: int | None = None) -> None:
        """Go to the first frame of `begin_s` or later, or to the end if there is none.

        Args:
            path: of the film.
            begin_s: in its own seconds.
            threads: that decode, see `open_video`.

        Raises:
            ConfigError: there is no such file.
            PermanentError: it is no film, or its times do not run on.
        """
        self.passed_ns: int | None = None
        self._path = path
        self._threads = threads
        self._capture = open_video(path, threads)
        self._fps = rate_of(self._capture)
        self._zero_s = self._told_s()
        self._seq = 0
        self._held = True  # a frame is grabbed and not read yet
        if begin_s:
            self._go_to(begin_s)

    def read(self) -> Frame:
        """The next frame.

        Raises:
            SourceEnded: there is none.
            PermanentError: it is damaged, or its time is not after that of the frame before.
        """
        if not self._held and not self._grab():
            raise SourceEnded(f"{self._path} is at its end")
        self._held = False
        ok, pixels = self._capture.retrieve()
        if not ok:
            raise PermanentError(f"{self._path}: a frame cannot be decoded; the file is damaged, make it anew")
        self._seq += 1
        return Frame(self._seq, self._film_ns(), cast(Pixels, pixels))

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()

    def _go_to(self, begin_s: float) -> None:
        begin_ns, back_s = round(begin_s * 1e9), 0.0
        while not self._landed(begin_s - back_s) or self._film_ns() > begin_ns:
            back_s = max(2 * back_s, 1.0)
            if back_s >= begin_s:
                self._capture.release()
                self._capture = open_video(self._path, self._threads)
                break
        while self._held and self._film_ns() < begin_ns:
            self.passed_ns = self._film_ns()
            self._held = self._grab()

    def _landed(self, at_s: float) -> bool:
        """Whether there is a frame near that time; it is grabbed then."""
        self._capture.set(cv2.CAP_PROP_POS_MSEC, (self._zero_s + at_s) * 1e3)
        return bool(self._capture.grab())

    def _grab(self) -> bool:
        before_s = self._told_s()
        if not self._capture.grab():
            return False
        # some tell no times, or jump in them where they were joined
        if not 0 < self._told_s() - before_s <= LONGEST_S:
            raise PermanentError(
                f"{self._path}: the times of its frames do not run on, found {self._told_s():.3f} s after "
                f"{before_s:.3f} s; it can be analysed as a whole only"
            )
        return True

    def _told_s(self) -> float:
        return float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1e3

    def _film_ns(self) -> int:
        """When the frame that is grabbed is shown; as `FileSource` has it."""
        return round(shown_s(self._told_s() - self._zero_s, self._fps) * 1e9)
