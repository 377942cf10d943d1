"""Owns the camera: opens it, reads it, opens it again. Its thread does nothing else."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import msgspec

from edge.errors import EdgeError, NotDue, NotYet, SourceEnded, TemporaryError
from edge.logs import event
from edge.ports import FrameSource
from edge.slot import LatestSlot
from edge.status import SourceStatus
from edge.types import Frame
from edge.worker import Control

log = logging.getLogger(__name__)

SLICE_S = 0.25
"""Longest single wait for a frame: how soon a stop is noticed."""
STALLED_S = 1.0
"""A live source silent for so long is no longer shown as live."""
STEADY_NS = 3_000_000_000
"""Only a source that has delivered for so long counts as recovered: one that dies after its first picture each time
would else be opened twice a second, for ever."""


class Capture:
    """The body of the capture worker, and what is known of the source."""

    def __init__(
        self,
        name: str,
        reason: str,
        open_source: Callable[[], FrameSource],
        frames: LatestSlot[Frame],
        timeout_s: float,
    ) -> None:
        """Nothing is opened yet.

        Args:
            name: of the source, until it tells its own.
            reason: why this source was chosen.
            open_source: opens it, on the worker's thread.
            frames: where each frame is put.
            timeout_s: a source silent for so long is opened again.
        """
        self._open = open_source
        self._frames = frames
        self._timeout_s = timeout_s
        self._reason = reason
        self._lock = threading.Lock()
        self._status = SourceStatus(name=name, state="starting", reason=reason)
        self._last_seq = 0
        self._again = False

    @property
    def status(self) -> SourceStatus:
        """As of now; any thread may ask."""
        with self._lock:
            return self._status

    def run(self, control: Control) -> None:
        """Read until told to stop, until the end, or until something breaks."""
        source = self._open()
        try:
            self.opened(source)
            base = self._last_seq
            silent_s = 0.0
            first_ns: int | None = None
            while not control.stopping:
                slice_s = min(SLICE_S, self._timeout_s)
                try:
                    frame = self._renumbered(source.read(slice_s), base)
                except NotDue:
                    control.beat()
                    continue
                except NotYet as error:
                    control.beat()
                    silent_s += slice_s
                    if silent_s >= self._timeout_s:
                        raise
                    if silent_s >= min(STALLED_S, self._timeout_s):
                        self.stalled(error)
                    continue
                silent_s = 0.0
                self.grabbed(frame)
                first_ns = frame.t_ns if first_ns is None else first_ns
                if frame.t_ns - first_ns >= STEADY_NS:
                    control.recovered()
                else:
                    control.beat()
                self._frames.put(frame)
        except SourceEnded:
            self.ended()
            self._frames.close()
        finally:
            source.close()

    def _renumbered(self, frame: Frame, base: int) -> Frame:
        """Each opening counts from 1 again; the run's numbers go on."""
        return replace(frame, seq=base + frame.seq) if base else frame

    def opened(self, source: FrameSource) -> None:
        """The source is there, its first frame is not yet."""
        self._again = self._last_seq > 0
        self._set(name=source.name)

    def grabbed(self, frame: Frame) -> None:
        """One more frame has come."""
        self._last_seq = frame.seq
        before = self.status
        changes: dict[str, object] = {"width": frame.width, "height": frame.height, "frames": frame.seq}
        if before.state != "online":
            changes |= {"state": "online", "reason": self._reason, "since": frame.seq}
        if self._again:  # only now: a pipe nobody writes to can be opened as often as one likes
            changes["reconnects"] = before.reconnects + 1
            self._again = False
        self._set(**changes)
        if before.state != "online":
            event(
                log,
                logging.INFO,
                "source.online",
                f"{before.name} delivers {frame.width}x{frame.height} {frame.format.value}",
                reconnects=self.status.reconnects,
            )

    def ended(self) -> None:
        """A file is at its end."""
        self._set(state="ended", reason="the end of the source was reached")
        event(log, logging.INFO, "source.ended", f"{self.status.name} is at its end", frames=self.status.frames)

    def retrying(self, error: TemporaryError, wait_s: float) -> None:
        """It broke, and will be opened again."""
        before = self.status
        state = "reconnecting" if before.frames else "starting"
        self._set(state=state, reason=str(error))
        event(log, logging.WARNING, f"source.{state}", str(error), retry_in_s=round(wait_s, 1))

    def failed(self, error: Exception) -> None:
        """It broke in a way that opening it again cannot mend: the program ends."""
        known = isinstance(error, EdgeError)
        reason = str(error) if known else f"an unexpected error, {type(error).__name__}: {error}"
        self._set(state="failed", reason=reason)

    def stalled(self, error: NotYet) -> None:
        """It is open but silent."""
        if self.status.state == "online":
            self._set(state="stalled", reason=str(error))
            event(log, logging.WARNING, "source.stalled", str(error), reopened_after_s=self._timeout_s)

    def _set(self, **changes: object) -> None:
        with self._lock:
            self._status = msgspec.structs.replace(self._status, **changes)
