"""Starts the workers and the server, watches over them, and ends them in order."""

import asyncio
import gc
import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from edge.errors import EXIT_CLEAN, PermanentError, TemporaryError, exit_code
from edge.hangup import Reload, heed_hang_ups
from edge.logs import event
from edge.notify import Notifier
from edge.ports import Sink
from edge.server.app import make_app, serving
from edge.server.bind import bind, local_url
from edge.server.reception import limits_for
from edge.server.settings import ServerSettings
from edge.server.tls import Tls
from edge.server.view import Backstage
from edge.small_stack import small_stacks
from edge.status import in_one_line
from edge.worker import Body, Worker

log = logging.getLogger(__name__)

SILENT_S = 20.0
"""A worker without a sign of life for so long is stuck: a network camera may take 15 s to open, and the wait before the
next try is 10 s at most. systemd, which is told no more, waits for its own time (`WatchdogSec`) and starts anew."""
FAREWELL_S = 0.5
"""After a failure, so that who watches learns why the picture ends."""
LOOK_S = 0.01
"""How often it is looked whether all has ended."""
STOP_S = 0.8
"""Workers look up several times a second; one not back by now sits in a native call and is left."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A worker to be.

    Attributes:
        name: of the thread.
        body: what it does.
        ends_program: whether its regular end is the end of the program.
        on_retry: told before each retry.
        on_failure: told, on its thread, of what ended it.
    """

    name: str
    body: Body
    ends_program: bool = False
    on_retry: Callable[[TemporaryError, float], None] | None = None
    on_failure: Callable[[Exception], None] | None = None


class Supervisor:
    """Owns all workers. Made before the event loop, run on it."""

    def __init__(self, tasks: Sequence[Task], sinks: Sequence[Sink]) -> None:
        self._sinks = sinks
        self._on_failure = {task.name: task.on_failure for task in tasks if task.on_failure}
        self._ending = {task.name for task in tasks if task.ends_program}
        self._workers = [Worker(task.name, task.body, on_end=self._ended, on_retry=task.on_retry) for task in tasks]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._exit = EXIT_CLEAN
        self._ended_by = ""
        self._closing = threading.Thread(target=self._shut_down, name="closing", daemon=True)

    @property
    def silent_s(self) -> dict[str, float]:
        """Seconds since each worker's last sign of life, by its name."""
        return {worker.name: worker.silent_s for worker in self._workers}

    def alive(self) -> tuple[bool, str]:
        """Whether every worker shows signs of life."""
        for worker in self._workers:
            if worker.failure is not None:
                return False, f"{worker.name} has failed"
            if worker.silent_s > SILENT_S:
                return False, f"{worker.name} has been silent for {worker.silent_s:.0f} s"
        return True, "all workers are at work"

    async def run(
        self,
        backstage: Backstage,
        settings: ServerSettings,
        *,
        announce: Callable[[str], None],
        duration_s: float | None = None,
        tls: Tls | None = None,
        reload: Reload | None = None,
        on_end: Callable[[int], None] = lambda _: None,
    ) -> int:
        """Run until a signal, the end of the source, a failure, or `duration_s`.

        Args:
            backstage: what the server shows.
            settings: where it listens.
            announce: told the URL once the server listens.
            duration_s: None: for ever.
            tls: None: plain http.
            reload: called on SIGHUP; None: that ends the program.
            on_end: told the exit code when the end begins; maybe by a signal handler, and more than once.

        Returns:
            The exit code.

        Raises:
            ConfigError: the server cannot listen as configured.
        """
        self._loop = asyncio.get_running_loop()
        self._catch_signals(self._loop, on_end)
        notifier = Notifier()
        renewed = tls.reload_or_keep if tls else lambda: None
        reloading = heed_hang_ups(reload, self._stop, notifier, renewed) if reload else None
        try:
            with bind(settings) as sock:
                limits = limits_for(settings.max_clients, settings.send_timeout_s)
                async with serving(make_app(backstage, settings), sock, tls=tls, limits=limits):
                    announce(local_url(sock, "https" if tls else "http"))
                    _settle()
                    for worker in self._workers:
                        worker.start()
                    notifier.ready()
                    await self._watch(backstage, notifier, duration_s, reload)
                    if self._exit != EXIT_CLEAN:
                        await asyncio.sleep(FAREWELL_S)
                    on_end(self._exit)
                    notifier.stopping(f"stopping: {self._ended_by}" if self._ended_by else "stopping")
                    # the workers end beside the server's farewell to its clients: each takes its time
                    self._close()
        finally:
            if reloading is not None:
                reloading.cancel()
            self._close()
            while self._closing.is_alive():  # to wait in one more thread is more than a full memory may have room for
                await asyncio.sleep(LOOK_S)
        return self._exit

    def _close(self) -> None:
        if self._closing.ident is None:
            with small_stacks():
                self._closing.start()

    async def _watch(
        self, backstage: Backstage, notifier: Notifier, duration_s: float | None, reload: Reload | None
    ) -> None:
        end_s = None if duration_s is None else time.monotonic() + duration_s
        every_s = min(1.0, notifier.watchdog_s / 4) if notifier.watchdog_s else 1.0
        due_s = 0.0
        while not self._stop.is_set():
            now_s = time.monotonic()
            if end_s is not None and now_s >= end_s:
                return
            if now_s >= due_s:
                due_s = now_s + every_s
                well, why = self.alive()
                if well:
                    notifier.alive()
                elif not self._stop.is_set():
                    self._tell_who_is_stuck()
                if notifier.listened_to:  # the status costs as much as to serve three pictures
                    notes = ("" if well else why, reload.note if reload else "")
                    notifier.status("; ".join(filter(None, (in_one_line(backstage.status()), *notes))))
            next_s = due_s if end_s is None else min(due_s, end_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(next_s - now_s):
                    await self._stop.wait()

    def _tell_who_is_stuck(self) -> None:
        """At each look; with the same words, so that repeats are held back."""
        for worker in self._workers:
            silent_s = worker.silent_s
            if silent_s > SILENT_S:
                message = f"{worker.name} has been silent for too long"
                event(log, logging.ERROR, "worker.stuck", message, silent_s=round(silent_s))

    def _catch_signals(self, loop: asyncio.AbstractEventLoop, on_end: Callable[[int], None]) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self._stop.set)
            except NotImplementedError:  # Windows has no such handlers
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._stop.set))
            else:
                # In the place of one that does nothing; asyncio learns of the signal in another way (`set_wakeup_fd`).
                # This one runs if the loop is stuck as well: it also interrupts a wait for a lock (no SA_RESTART).
                signal.signal(number, lambda *_: on_end(EXIT_CLEAN))

    def _ended(self, worker: Worker) -> None:
        """On the worker's thread: decide whether this is the end."""
        error = worker.failure
        if error is not None:
            self._exit = exit_code(error)
            self._ended_by = f"{worker.name}: {error}"
            if worker.name in self._on_failure:
                self._on_failure[worker.name](error)
            expected = isinstance(error, PermanentError)
            log.error(
                "%s: %s", worker.name, error, exc_info=None if expected else error, extra={"event": "worker.failed"}
            )
        if (error is not None or worker.name in self._ending) and self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    def _shut_down(self) -> None:
        for worker in self._workers:
            worker.stop()
        end_s = time.monotonic() + STOP_S
        for worker in self._workers:
            if not worker.join(max(0.0, end_s - time.monotonic())):
                event(log, logging.WARNING, "worker.left", f"{worker.name} did not stop and is left behind")
        for sink in self._sinks:
            sink.close()


def _settle() -> None:
    """Tell the garbage collector that what was built until now stays, or it would look through it again and again."""
    gc.collect()
    gc.freeze()
