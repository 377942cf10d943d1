"""Pictures, one at a time, by a process that is kept for a while: on a small board it would take memory for ever."""

import asyncio
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from edge.config import Config
from edge.logs import event
from edge.uploads.confinement import Priority, limits_for_pictures
from edge.uploads.process import Child, Died
from edge.uploads.protocol import AnalysePicture, PictureResult, Refusal, without_secrets
from edge.uploads.refused import Refused
from edge.uploads.sniff import HEAD_BYTES, PICTURES, picture_kind, what_else

log = logging.getLogger(__name__)

MAX_BYTES = 32_000_000
"""Of one picture, whatever `uploads.max_mb` allows a video: it is held in memory."""
HELD_BYTES = 2 * MAX_BYTES
"""Of all pictures that arrive, wait or are analysed."""
MAX_WAITING = 16
RETRY_AFTER_S = 5

CPU_S = 20.0
"""Processor time for one picture; 40 megapixels take 1 s on a two-core x86-64 machine."""
DEADLINE_S = 60.0
"""For the answer, however busy the machine is."""
KEEP_WARM_S = 60.0


class PictureDesk:
    """Takes pictures in. On the event loop's thread only.

    Args:
        cpu_s: processor time for one picture.
        deadline_s: for the answer.
        keep_warm_s: the process ends so long after the last picture.
        priority: of the process. A client waits for the answer, hence not `idle`.
    """

    def __init__(
        self,
        cpu_s: float = CPU_S,
        deadline_s: float = DEADLINE_S,
        keep_warm_s: float = KEEP_WARM_S,
        priority: Priority = "low",
    ) -> None:
        self._cpu_s = cpu_s
        self._priority = priority
        self._deadline_s = deadline_s
        self._keep_warm_s = keep_warm_s
        self._turn = asyncio.Lock()
        self._child: Child | None = None
        self._retirement: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._held_bytes = 0
        self._held = 0
        self._closed = False

    @property
    def process(self) -> int | None:
        """Number of the process that is at work or kept; None if there is none."""
        return self._child.pid if self._child is not None and self._child.alive else None

    @contextmanager
    def room(self, size_bytes: int) -> Iterator[None]:
        """Hold a picture of that size in memory for as long as the context lasts.

        Raises:
            Refused: there is no room now.
        """
        if self._held >= MAX_WAITING or (self._held and self._held_bytes + size_bytes > HELD_BYTES):
            raise Refused("busy", f"{self._held} pictures are waiting already; try again shortly.", RETRY_AFTER_S)
        self._held += 1
        self._held_bytes += size_bytes
        try:
            yield
        finally:
            self._held -= 1
            self._held_bytes -= size_bytes

    async def analyse(
        self,
        config: Config,
        data: bytes,
        *,
        threshold: float | None = None,
        whole: bool = False,
        annotate: bool = False,
    ) -> tuple[PictureResult, bytes]:
        """The record of a picture, and the annotated JPEG, empty if it was not asked for or may not be shown.

        Raises:
            Refused: it cannot be analysed.
        """
        _check_kind(data)
        request = AnalysePicture(without_secrets(config), threshold, whole, annotate)
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(self._deadline_s), self._turn:
                reply, jpeg = await self._exchange(request, data)
        except TimeoutError:
            raise Refused(
                "timeout",
                f"No answer within {self._deadline_s:g} s: the machine is busy. Try again later.",
                RETRY_AFTER_S,
            ) from None
        message = "a picture was analysed" if isinstance(reply, PictureResult) else "a picture was refused"
        took_ms = round((time.monotonic() - began_s) * 1e3)
        event(log, logging.INFO, "uploads.picture", message, size_kb=round(len(data) / 1e3), took_ms=took_ms)
        if isinstance(reply, Refusal):
            raise Refused(reply.code, reply.message)
        return reply, jpeg

    async def close(self) -> None:
        """End the process, for good."""
        self._closed = True
        self._stay()
        child, self._child = self._child, None
        if child is not None:
            await child.end()
        await asyncio.gather(*self._ending)

    async def _exchange(self, request: AnalysePicture, data: bytes) -> tuple[PictureResult | Refusal, bytes]:
        """Have a child answer. One that was kept may have died of something else before, so a fresh one tries again."""
        self._stay()
        kept = self._child
        try:
            return await self._answered(await self._hired(request.config), request, data)
        except Died as death:
            if kept is None or death.signal == signal.SIGXCPU:
                raise _explained(death, self._cpu_s) from death
        try:
            return await self._answered(await self._hired(request.config), request, data)
        except Died as death:
            raise _explained(death, self._cpu_s) from death

    async def _answered(
        self, child: Child, request: AnalysePicture, data: bytes
    ) -> tuple[PictureResult | Refusal, bytes]:
        """A child's answer; after anything else it is not asked again."""
        answered = False
        try:
            await child.ask(request, data)
            reply, jpeg = await child.answer()
            answered = isinstance(reply, PictureResult | Refusal)
        finally:
            if not answered:  # it crashed, or nobody waits any more for what it does
                self._let_go()
        if not isinstance(reply, PictureResult | Refusal):
            raise Refused("crashed", "The picture confused what was to read it; it is broken, or made to do harm.")
        self._retirement = asyncio.get_running_loop().call_later(self._keep_warm_s, self._let_go)
        return reply, jpeg

    async def _hired(self, config: Config) -> Child:
        """The child that is there, if it may do what the settings allow; else a new one."""
        if self._closed:
            raise Refused("unavailable", "The program is ending.")
        limits = limits_for_pictures(config.uploads.max_megapixels, self._cpu_s, self._priority)
        if self._child is not None and (not self._child.alive or self._child.limits != limits):
            self._let_go()
        if self._child is None:
            try:
                self._child = await Child.start(limits)
            except OSError as error:
                text = f"No process could be started to analyse it ({error.strerror}). Try again later."
                raise Refused("busy", text, RETRY_AFTER_S) from error
        return self._child

    def _let_go(self) -> None:
        """End the child, without waiting for that."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            task = asyncio.ensure_future(child.end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _stay(self) -> None:
        if self._retirement is not None:
            self._retirement.cancel()
            self._retirement = None


def _check_kind(data: bytes) -> None:
    head = data[:HEAD_BYTES]
    if not data:
        raise Refused("empty", f"The body is empty; expected a picture: {PICTURES}.")
    if picture_kind(head) is None:
        raise Refused("unsupported_media_type", f"This {what_else(head)}; expected a picture: {PICTURES}.")


def _explained(death: Died, cpu_s: float) -> Refused:
    """What the child's death says of the picture."""
    # not as a warning: anybody can make it happen as often as they like
    event(log, logging.INFO, "uploads.died", "a process did not survive a picture", why=str(death), said=death.said)
    if death.signal == signal.SIGXCPU:
        return Refused("too_slow", f"The picture took more than {cpu_s:g} s of processor time; make it smaller.")
    return Refused("crashed", "The picture crashed what was to read it; it is broken, or made to do harm.")
