"""Pictures that a browser or a program sends to the running server."""

import time
from typing import Final, cast

import cv2
import numpy as np

from edge.errors import ConfigError, Idle, NotDue, PermanentError
from edge.jpeg_header import BadPicture
from edge.mailbox import Limits, Mailbox, Posted, Refusal
from edge.ports import Clock
from edge.sources.opencv import hush
from edge.sources.pacing import Sleep
from edge.sources.specs import PushSpec
from edge.types import Frame, Pixels

_SLACK: Final = 0.1
"""Share of a period by which a picture may come early: jitter must not halve a rate that equals the limit."""


def limits_of(spec: PushSpec) -> Limits:
    """What the mailbox takes for a source."""
    return Limits(max_fps=spec.fps, width=spec.width, height=spec.height)


class PushSource:
    """Live pictures out of a mailbox; of several that wait, the newest. Stamped with the time at which they came.

    Nobody has to send: then it is `Idle`, which is no fault.

    Args:
        mailbox: filled by the server; what lies in it already is old and not taken.
        clock: the world's time.
        sleep: how to wait.

    Raises:
        ConfigError: there is no mailbox, as this is not the program that serves.
    """

    live = True

    def __init__(self, mailbox: Mailbox | None, clock: Clock, sleep: Sleep = time.sleep) -> None:
        if mailbox is None:
            raise ConfigError(
                "push: takes its pictures from the program's own server; expected `emotion-edge run --source push:`"
            )
        self.name = "push"
        self._mailbox = mailbox
        self._clock = clock
        self._sleep = sleep
        newest = mailbox.pictures.newer(0)
        self._before = self._seen = 0 if newest is None else newest[0]
        self._period_ns = round(1e9 / mailbox.limits.max_fps)
        self._due_ns = clock()
        self._undecodable = False
        self._closed = False

    def read(self, timeout_s: float) -> Frame:
        """See `edge.ports.FrameSource`."""
        if self._closed:
            raise PermanentError(f"{self.name} is closed; open it again to read on")
        deadline_ns = self._clock() + round(timeout_s * 1e9)
        early_ns = self._due_ns - round(self._period_ns * _SLACK) - self._clock()
        if early_ns > 0:
            self._sleep(min(early_ns / 1e9, timeout_s))
            if early_ns / 1e9 > timeout_s:
                raise NotDue(f"{self.name} takes {self._mailbox.limits.max_fps:g} pictures a second; wait longer")
        while True:
            got = self._mailbox.pictures.wait_newer(self._seen, max(0.0, (deadline_ns - self._clock()) / 1e9))
            if got is None:
                raise Idle(self._why())
            self._seen, posted = got
            pixels = self._decoded(posted)
            self._undecodable = pixels is None
            if pixels is not None:
                # what is late by less than a period is made up for, so that the rate holds on average
                self._due_ns = max(self._due_ns, self._clock() - self._period_ns) + self._period_ns
                return Frame(self._seen - self._before, posted.t_ns, pixels)
            if self._clock() >= deadline_ns:
                raise Idle(self._why())

    def hold(self) -> bool:
        """See `edge.ports.FrameSource`."""
        return False

    def close(self) -> None:
        """See `edge.ports.FrameSource`."""
        self._closed = True

    def _why(self) -> str:
        if not self._mailbox.sender:
            return (
                'nobody sends pictures yet; press "Use this device\'s camera" on the page, or connect a program to '
                "/api/v1/push"
            )
        if self._undecodable:
            return f"what {self._mailbox.sender} sends cannot be decoded; it must send JPEGs"
        return f"{self._mailbox.sender} is connected and sends no pictures"

    def _decoded(self, posted: Posted) -> Pixels | None:
        """uint8 (H, W, 3) BGR; None, and a refusal, if it is broken behind its header."""
        hush()
        try:
            pixels = cv2.imdecode(np.frombuffer(posted.jpeg, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            pixels = None
        if pixels is None:
            error = BadPicture("broken_jpeg", "this JPEG cannot be decoded; is it complete?")
            self._mailbox.refusals.put(Refusal(posted.t_ns, error))
        return cast("Pixels | None", pixels)
