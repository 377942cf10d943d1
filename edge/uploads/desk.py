"""All that is done with uploads, as the server sees it."""

import asyncio

from edge.live import LiveSettings
from edge.status import UploadsStatus
from edge.uploads.confinement import Priority
from edge.uploads.pictures import PictureDesk
from edge.uploads.store import FreeSpace, Store, free_bytes
from edge.uploads.videos import VideoDesk


class UploadDesk:
    """Takes pictures and videos in. Made anywhere; opened, used and closed on the event loop's thread.

    Attributes:
        settings: of the running program.
        pictures: for pictures.
        videos: for videos.
    """

    def __init__(
        self,
        settings: LiveSettings,
        *,
        pictures: PictureDesk | None = None,
        video_priority: Priority = "idle",
        free: FreeSpace = free_bytes,
    ) -> None:
        """Nothing is started, and nothing is written.

        Args:
            settings: of the running program.
            pictures: for pictures; None: with usual limits.
            video_priority: of the process that analyses a video.
            free: tells how much a disk takes.
        """
        self.settings = settings
        self._store = Store(settings.current.uploads.folder, free)
        self.pictures = pictures or PictureDesk()
        self.videos = VideoDesk(settings, self._store, priority=video_priority)

    def status(self) -> UploadsStatus:
        """What `/state` shows."""
        uploads = self.settings.current.uploads
        return UploadsStatus(
            uploads.enabled, uploads.max_mb, uploads.max_minutes, self.videos.running, self.videos.waiting
        )

    async def open(self) -> None:
        """Delete what runs left behind that were killed."""
        await asyncio.to_thread(self._store.clean)

    async def close(self) -> None:
        """End all processes, and delete all files."""
        await asyncio.gather(self.pictures.close(), self.videos.close())
        await asyncio.to_thread(self._store.close)
