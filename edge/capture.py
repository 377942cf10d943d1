"""Owns the camera: opens it, reads it, opens it again. Its thread does nothing else."""

import logging
import threading
from collections.abc import Callable

import msgspec

from edge.control import Action, ControlStatus, asked
from edge.errors import EdgeError, Idle, NotDue, NotYet, SourceEnded, TemporaryError
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
OPENING = "it is being opened"


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
        self._status = SourceStatus(name=name, state="starting", reason=OPENING)
        self._last_seq = self._last_spared = 0
        self._newest_ns: int | None = None
        self._again = False
        self._asked = ControlStatus()
        # whether it was stopped since its last picture: to open it then is no reconnect
        self._by_hand = False
        self._worker: Control | None = None

    @property
    def asked(self) -> ControlStatus:
        """What a person asked for last; any thread may look."""
        return self._asked

    def ask(self, action: Action) -> ControlStatus:
        """Ask for a pause, a stop or the end of one; any thread may. It is done by the worker, a moment later."""
        with self._lock:
            self._asked = asked(self._asked, action)
            answer = self._asked
        if self._worker is not None and action in ("stop", "start"):
            self._worker.hurry()
        event(log, logging.INFO, "source.asked", f"{self.status.name}: {action} was asked for")
        return answer

    @property
    def newest_ns(self) -> int | None:
        """When the newest frame was grabbed, on the clock of the source; None before the first."""
        return self._newest_ns

    @property
    def status(self) -> SourceStatus:
        """As of now; any thread may ask: it is replaced as a whole, and by the worker's thread only."""
        return self._status

    def run(self, control: Control) -> None:
        """Read until told to stop, until the end, or until something breaks; closed while a person wants it so."""
        self._worker = control
        try:
            while not control.stopping:
                if self._asked.stopped:
                    self._rest(control)
                else:
                    self._deliver(control)
        except SourceEnded:
            self.ended()
            self._frames.close()

    def _rest(self, control: Control) -> None:
        """Stay closed until a person starts it."""
        self.stopped()
        while self._asked.stopped and not control.stopping:
            control.recovered()
            control.wait(SLICE_S)
        if not control.stopping:
            self._set(state="starting", reason=OPENING)

    def _deliver(self, control: Control) -> None:
        """From the opening to the end, a stop or an error."""
        source = self._open()
        try:
            self.opened(source)
            self._read(source, control)
            if self._asked.stopped:
                self.stopped()
        finally:
            source.close()

    def _read(self, source: FrameSource, control: Control) -> None:
        base, spared = self._last_seq, self._last_spared
        slice_s = min(SLICE_S, self._timeout_s)
        silent_s = 0.0
        first_ns: int | None = None
        while not (control.stopping or self._asked.stopped):
            paused = self._asked.paused  # what is read already when a pause is asked for is still shown
            if paused and source.hold():
                self.paused()
                control.beat()
                control.wait(slice_s)
                continue
            try:
                grabbed = source.read(slice_s)
            except NotDue:
                if paused:
                    self.paused()
                silent_s = 0.0
                control.beat()
                continue
            except NotYet as error:
                control.beat()
                silent_s += slice_s
                self._silent(error, silent_s)
                continue
            silent_s = 0.0
            if paused:
                self.paused()
                control.beat()
                # what is thrown away has no number
                base, spared = self._last_seq - grabbed.seq, self._last_spared - grabbed.spared
                continue
            frame = _renumbered(grabbed, base, spared)
            self.grabbed(frame)
            first_ns = frame.t_ns if first_ns is None else first_ns
            if frame.t_ns - first_ns >= STEADY_NS:
                control.recovered()
            else:
                control.beat()
            self._frames.put(frame)

    def _silent(self, error: NotYet, silent_s: float) -> None:
        """Say so, or give the source up, once it has been silent for so long."""
        if isinstance(error, Idle):
            if silent_s >= STALLED_S or self.status.state != "online":
                self.waiting(error)
        elif silent_s >= self._timeout_s:
            raise error
        elif silent_s >= min(STALLED_S, self._timeout_s):
            self.stalled(error)

    def opened(self, source: FrameSource) -> None:
        """The source is there, its first frame is not yet."""
        self._again = self._last_seq > 0 and not self._by_hand
        self._set(name=source.name)

    def grabbed(self, frame: Frame) -> None:
        """One more frame has come."""
        self._last_seq, self._last_spared, self._newest_ns = frame.seq, frame.spared, frame.t_ns
        before = self._status
        if before.state == "online" and not self._again:  # nearly always
            self._status = msgspec.structs.replace(before, width=frame.width, height=frame.height, frames=frame.seq)
            return
        changes: dict[str, object] = {"width": frame.width, "height": frame.height, "frames": frame.seq}
        if before.state != "online":
            changes |= {"state": "online", "reason": self._reason, "since": frame.seq}
        if self._again:  # only now: a pipe nobody writes to can be opened as often as one likes
            changes["reconnects"] = before.reconnects + 1
            self._again = False
        self._by_hand = False
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
        state = "reconnecting" if before.frames and not self._by_hand else "starting"
        self._set(state=state, reason=str(error))
        event(log, logging.WARNING, f"source.{state}", str(error), retry_in_s=round(wait_s, 1))

    def failed(self, error: Exception) -> None:
        """It broke in a way that opening it again cannot mend: the program ends."""
        known = isinstance(error, EdgeError)
        reason = str(error) if known else f"an unexpected error, {type(error).__name__}: {error}"
        self._set(state="failed", reason=reason)

    def stalled(self, error: NotYet) -> None:
        """It is open but silent."""
        if self.status.state == "online" or (self.status.state == "paused" and not self._asked.paused):
            self._set(state="stalled", reason=str(error))
            event(log, logging.WARNING, "source.stalled", str(error), reopened_after_s=self._timeout_s)

    def waiting(self, error: Idle) -> None:
        """Nobody sends anything, which is no fault."""
        before = self.status
        if self._asked.paused:
            self.paused()
        elif (before.state, before.reason) != ("waiting", str(error)):
            self._set(state="waiting", reason=str(error))
            event(log, logging.INFO, "source.waiting", str(error))

    def paused(self) -> None:
        """A person wants no frames for a while."""
        if self.status.state != "paused":
            self._set(state="paused", reason="a person paused it; resume it on the page")
            event(log, logging.INFO, "source.paused", f"{self.status.name} is paused")

    def stopped(self) -> None:
        """A person wants it closed."""
        self._by_hand = True
        if self.status.state != "stopped":
            self._set(state="stopped", reason="a person stopped it; start it on the page")
            event(log, logging.INFO, "source.stopped", f"{self.status.name} was stopped")

    def _set(self, **changes: object) -> None:
        self._status = msgspec.structs.replace(self._status, **changes)


def _renumbered(frame: Frame, base: int, spared: int) -> Frame:
    """Each opening counts from 1 again; the run's numbers go on."""
    if not (base or spared):
        return frame
    return Frame(base + frame.seq, frame.t_ns, frame.pixels, frame.format, spared + frame.spared)
