"""A recording on a web server, shown at its own speed."""

import time
from collections.abc import Callable
from typing import Final, cast

import cv2

from edge.errors import SourceEnded, TemporaryError
from edge.ports import Clock
from edge.sources.file import rate_of
from edge.sources.pacing import Pacer, Sleep
from edge.types import PixelFormat, Pixels

_NEAR_THE_END: Final = 0.02
"""Share of a film that may be missing at its end: containers count their frames from its length."""
_NO_LONGER_S: Final = 60.0


class RecordingDevice:
    """Reads a recording over the network, as an `edge.sources.newest.Device`: frames that are late are skipped.

    Args:
        capture: what to read, nothing of it grabbed yet; owned from now on.
        name: for people.
        clock: the world's time.
        sleep: how to wait.
    """

    def __init__(self, capture: cv2.VideoCapture, name: str, clock: Clock, sleep: Sleep = time.sleep) -> None:
        self._capture = capture
        self._name = name
        self._count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._pacer = Pacer(rate_of(capture), clock, sleep)
        self._grabbed = 0
        self._begun = False

    def grab(self, wanted: Callable[[], bool]) -> tuple[Pixels, PixelFormat] | None:
        """See `Device`.

        Raises:
            SourceEnded: the film is over.
            TemporaryError: it broke off before its end.
        """
        due = self._pacer.wait(_NO_LONGER_S) + 1
        while self._grabbed < due:
            if not self._capture.grab():
                raise self._over()
            self._grabbed += 1
        if not wanted():
            return None
        ok, pixels = self._capture.retrieve()
        if not ok:
            raise self._over()
        self._begun = True
        return cast(Pixels, pixels), PixelFormat.BGR

    def _over(self) -> SourceEnded | TemporaryError:
        if self._grabbed >= self._count * (1 - _NEAR_THE_END) - 1:
            return SourceEnded(f"{self._name} is at its end")
        if not self._begun:
            return TemporaryError(
                f"{self._name} is a recording of which not one picture comes; if its index is at its end, as in most "
                f".mp4, the server must serve parts of it (Range): take another server, make the film with `-movflags "
                f"+faststart`, or download it and use file:PATH"
            )
        return TemporaryError(
            f"{self._name} broke off at frame {self._grabbed} of {self._count:.0f}; is the server still on? It begins "
            f"again from the start (to go on regardless of the network, download it and use file:PATH)"
        )

    def close(self) -> None:
        """See `Device`."""
        self._capture.release()
