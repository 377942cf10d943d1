"""Videos, one at a time, each by a process of its own; the others wait for their turn."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from edge.batch.tally import FaceSummary
from edge.config import Config
from edge.live import LiveSettings
from edge.logs import event
from edge.privacy import shows_pictures
from edge.uploads.arriving import receive
from edge.uploads.confinement import Priority
from edge.uploads.following import STALL_S, followed
from edge.uploads.protocol import Progress
from edge.uploads.refused import Refused
from edge.uploads.store import ANNOTATED, VIDEO, Store, remove, tidy

log = logging.getLogger(__name__)

State = Literal["queued", "running", "done", "failed", "cancelled"]

MAX_KEPT: Final = 20
"""Videos whose results are kept; the one that nobody asked for for the longest time goes first."""
KEPT_UPLOADS: Final = 4
"""Bytes of all results that are kept, in largest uploads."""

SWEEP_S: Final = 20.0
RETRY_AFTER_S: Final = 30


class VideoJob(msgspec.Struct, frozen=True):
    """What is told of a video.

    Attributes:
        id: a random token; whoever knows it, and may use the server, can fetch and delete the results.
        name: as the client calls it.
        state: where it is.
        progress: 0..1; 0 while the video's length is not known.
        frames: analysed so far.
        duration_s: of what was analysed so far, in the video's time.
        fps: frames of the video per second; 0 until it is done.
        message: for people: what was found, or what went wrong.
        faces: who was seen, once it is done.
        annotated: whether there is an annotated video.
    """

    id: str
    name: str
    state: State
    progress: float = 0.0
    frames: int = 0
    duration_s: float = 0.0
    fps: float = 0.0
    message: str = ""
    faces: tuple[FaceSummary, ...] = ()
    annotated: bool = False


@dataclass(slots=True, eq=False)
class _Entry:
    """A video on its way.

    Attributes:
        job: what is told of it.
        folder: where it lies.
        config: the settings when it came.
        asked_s: when it was last asked for.
        size_bytes: of what lies in the folder.
        files: names of the results.
        work: its analysis, while it runs.
    """

    job: VideoJob
    folder: Path
    config: Config
    asked_s: float
    size_bytes: int = 0
    files: frozenset[str] = frozenset()
    work: asyncio.Task[None] | None = field(default=None)


class VideoDesk:
    """Takes videos in, has them analysed, and keeps the results for a while. On the event loop's thread only.

    Args:
        settings: of the running program.
        store: where everything lies.
        clock_s: seconds, never going back.
        stall_s: see `edge.uploads.following.STALL_S`.
        priority: of the process.
    """

    def __init__(
        self,
        settings: LiveSettings,
        store: Store,
        clock_s: Callable[[], float] = time.monotonic,
        stall_s: float = STALL_S,
        priority: Priority = "idle",
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock_s = clock_s
        self._stall_s = stall_s
        self._priority = priority
        self._entries: dict[str, _Entry] = {}
        self._arriving = 0
        self._closed = False
        self._removals: set[asyncio.Task[None]] = set()
        self._runner: asyncio.Task[None] | None = None
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def running(self) -> int:
        """Videos that are being analysed."""
        return sum(entry.job.state == "running" for entry in self._entries.values())

    @property
    def waiting(self) -> int:
        """Videos that wait for it, or are still arriving."""
        return self._arriving + sum(entry.job.state == "queued" for entry in self._entries.values())

    def jobs(self) -> tuple[VideoJob, ...]:
        """All videos, in the order they came."""
        return tuple(entry.job for entry in self._entries.values())

    def job(self, job_id: str) -> VideoJob | None:
        """A video by its id; None if there is none."""
        entry = self._asked_for(job_id)
        return None if entry is None else entry.job

    def result(self, job_id: str, file: str) -> Path | None:
        """A file with results, one of `store.RESULTS`; None if there is none.

        Raises:
            Refused: the video is not done yet, or its picture may not be shown any more.
        """
        entry = self._asked_for(job_id)
        if entry is None:
            return None
        if entry.job.state in ("queued", "running"):
            raise Refused("not_done", f"This video is {entry.job.state}; ask again when it is done.", RETRY_AFTER_S)
        if file == ANNOTATED and not shows_pictures(self._settings.current.privacy.video):
            raise Refused("private", "This program shows no picture: privacy.video is none. The records are there.")
        if file == ANNOTATED and self._settings.current.privacy.video != entry.config.privacy.video:
            raise Refused("private", "privacy.video has become stricter since this video was analysed. Send it again.")
        return entry.folder / file if file in entry.files else None

    async def take_in(self, name: str, body: AsyncIterator[bytes], announced_bytes: int = 0) -> VideoJob:
        """Store a video as it comes, and put it into the queue.

        Args:
            name: as the client calls it.
            body: the file.
            announced_bytes: how many they will be, if the client says so.

        Raises:
            Refused: there is no place in the queue or on the disk, or it is no video.
        """
        self._make_room()
        self._arriving += 1
        folder: Path | None = None
        size_bytes: int | None = None
        try:
            folder = await asyncio.to_thread(self._store.new_folder)
            await asyncio.to_thread(self._store.check_space, announced_bytes)
            received_bytes = await receive(body, folder / VIDEO, self._store.check_space)
            self._check_open()
            size_bytes = received_bytes
        finally:
            self._arriving -= 1
            if size_bytes is None and folder is not None:
                await asyncio.to_thread(remove, folder)
        return self._queued(name, folder, size_bytes)

    async def delete(self, job_id: str) -> VideoJob | None:
        """Cancel a video if it is not done yet, and delete all there is of it; None if there is none."""
        entry = self._entries.pop(job_id, None)
        if entry is None:
            return None
        if entry.job.state in ("queued", "running"):
            entry.job = replace(entry.job, state="cancelled", message="It was cancelled.")
        # also if whoever asked for it does not wait for the end of it
        removal = asyncio.ensure_future(_remove(entry))
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)
        await asyncio.shield(removal)
        return entry.job

    async def sweep(self) -> None:
        """Delete what nobody has asked for for long enough, and what is too much."""
        uploads = self._settings.current.uploads
        now_s = self._clock_s()
        over = [entry for entry in self._entries.values() if entry.job.state not in ("queued", "running")]
        over.sort(key=lambda entry: entry.asked_s, reverse=True)
        kept_bytes = 0
        for place, entry in enumerate(over):
            kept_bytes += entry.size_bytes
            too_much = place >= MAX_KEPT or (place > 0 and kept_bytes > KEPT_UPLOADS * uploads.max_mb * 1e6)
            if too_much or now_s - entry.asked_s > uploads.keep_minutes * 60:
                event(log, logging.INFO, "uploads.expired", "the results of a video are deleted")
                await self.delete(entry.job.id)

    async def close(self) -> None:
        """End what is running, for good. What lies in the store is its owner's affair."""
        self._closed = True
        tasks = [self._runner, self._sweeper, *(entry.work for entry in self._entries.values())]
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        if running or self._removals:
            await asyncio.wait([*running, *self._removals])
        self._entries.clear()

    def _make_room(self) -> None:
        """Refuse a video for which there is no place in the queue."""
        self._check_open()
        places = self._settings.current.uploads.max_waiting
        idle = self.running == 0
        if self.waiting >= places + idle:
            raise Refused(
                "busy",
                f"{self.running + self.waiting} videos are being analysed, wait or arrive, and {places} may wait "
                "(uploads.max_waiting). Try again later.",
                RETRY_AFTER_S,
            )

    def _check_open(self) -> None:
        if self._closed:
            raise Refused("unavailable", "The program is ending.")

    def _queued(self, name: str, folder: Path, size_bytes: int) -> VideoJob:
        """Put a video that lies in `folder` into the queue."""
        job = VideoJob(secrets.token_urlsafe(16), name, "queued")
        self._entries[job.id] = _Entry(job, folder, self._settings.current, self._clock_s(), size_bytes)
        message = "a video is to be analysed"
        event(log, logging.INFO, "uploads.video", message, size_kb=round(size_bytes / 1e3), waiting=self.waiting)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.ensure_future(self._run())
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.ensure_future(self._keep_sweeping())
        return job

    def _asked_for(self, job_id: str) -> _Entry | None:
        entry = self._entries.get(job_id)
        if entry is not None:
            entry.asked_s = self._clock_s()
        return entry

    async def _run(self) -> None:
        """Analyse one after the other until none waits."""
        while entry := next((entry for entry in self._entries.values() if entry.job.state == "queued"), None):
            entry.job = replace(entry.job, state="running")
            entry.work = asyncio.ensure_future(self._analyse(entry))
            await asyncio.wait([entry.work])
            if not entry.work.cancelled() and (error := entry.work.exception()) is not None:
                text = "The program could not analyse it; its log says why."
                entry.job = replace(entry.job, state="failed", message=text)
                log.error("the analysis of a video failed", exc_info=error, extra={"event": "uploads.failed"})
            entry.work = None
            await self.sweep()

    async def _keep_sweeping(self) -> None:
        while self._entries:
            await asyncio.sleep(SWEEP_S)
            await self.sweep()

    async def _analyse(self, entry: _Entry) -> None:
        """Have a video analysed; whatever becomes of it is in its job afterwards."""
        began_s = time.monotonic()
        try:
            found = await followed(
                entry.config,
                entry.folder,
                lambda progress: self._progressed(entry, progress),
                lambda: self._store.check_space(0),
                self._stall_s,
                self._priority,
            )
            # only what is on the disk for good is told of
            kept = await asyncio.to_thread(tidy, entry.folder)
            entry.size_bytes, entry.files = sum(kept.values()), frozenset(kept)
            entry.job = replace(
                entry.job,
                state="done",
                progress=1.0,
                frames=found.frames,
                duration_s=round(found.duration_s, 3),
                fps=round(found.fps, 3),
                message=found.message,
                faces=found.faces,
                annotated=ANNOTATED in kept,
            )
        except Refused as error:
            await asyncio.to_thread(remove, entry.folder)
            entry.size_bytes = 0
            entry.job = replace(entry.job, state="failed", message=error.message)
        entry.asked_s = self._clock_s()
        took_s = round(time.monotonic() - began_s, 1)
        message = f"the analysis of a video is {entry.job.state}"
        event(log, logging.INFO, "uploads.video", message, frames=entry.job.frames, took_s=took_s)

    def _progressed(self, entry: _Entry, progress: Progress) -> None:
        entry.job = replace(
            entry.job,
            progress=round(min(max(progress.share, 0.0), 0.999), 4),
            frames=progress.frames,
            duration_s=round(progress.media_s, 3),
        )


async def _remove(entry: _Entry) -> None:
    """End what is done with a video, and delete all there is of it."""
    if entry.work is not None:
        entry.work.cancel()
        await asyncio.wait([entry.work])
    await asyncio.to_thread(remove, entry.folder)
