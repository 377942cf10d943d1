"""A child process that opens what came from outside: started, asked, and ended by the program's event loop."""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import msgspec

import edge
from edge.uploads.confinement import Limits
from edge.uploads.protocol import Garbled, Reply, Request, receive, send

MODULE: Final = "edge.uploads.worker"

KEPT_VARIABLES: Final = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "EMOTION_EDGE_MODELS",
    "XDG_DATA_HOME",
)
"""Of the environment: where things lie, no credentials."""

CONTAINERS: Final = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,ogg"
"""FFMPEG's names of what `sniff.video_kind` takes."""

SAID_BYTES: Final = 4096
"""The end of what a child says on stderr is kept: why it died."""


class Died(Exception):
    """The child is no more.

    Attributes:
        said: the last line it wrote to stderr; of use to who maintains it, not for clients.
        signal: what killed it; 0 if nothing did.
    """

    def __init__(self, said: str, signal: int) -> None:
        super().__init__(f"killed by signal {signal}" if signal else "ended")
        self.said = said
        self.signal = signal


class Child:
    """One process. One request at a time; whoever asks ends it when something goes wrong.

    Attributes:
        limits: what it may use.
    """

    def __init__(self, process: asyncio.subprocess.Process, limits: Limits) -> None:
        """Use `Child.start`."""
        self.limits = limits
        self._process = process
        self._said = b""
        self._listening = asyncio.ensure_future(self._listen())

    @classmethod
    async def start(cls, limits: Limits) -> Self:
        """Start a process; it is at work some tenths of a second later.

        Raises:
            OSError: the system has no room for one.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # no module may come from the folder it runs in
            "-m",
            MODULE,
            msgspec.json.encode(limits).decode(),
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd="/",
            env=environment(limits),
            start_new_session=True,  # Ctrl-C in a terminal is for the program, which ends it
        )
        return cls(process, limits)

    @property
    def alive(self) -> bool:
        """Whether it has not ended, as far as known."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    async def ask(self, request: Request, payload: bytes = b"") -> None:
        """Send a request.

        Raises:
            Died: it has ended.
        """
        assert self._process.stdin is not None
        try:
            await send(self._process.stdin, request, payload)
        except ConnectionError:
            raise await self._death() from None

    async def answer(self) -> tuple[Reply, bytes]:
        """The next answer, and what follows it raw.

        Raises:
            Died: it has ended, or it says things that it never would by itself.
        """
        assert self._process.stdout is not None
        try:
            return await receive(self._process.stdout)
        except (EOFError, ConnectionError):
            raise await self._death() from None
        except Garbled as error:
            await self.end()
            raise Died(str(error), 0) from error

    async def end(self) -> None:
        """Kill it, and wait until it is gone."""
        self.kill()
        await self._process.wait()
        await self._listening
        if self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self) -> None:
        """Kill it. There is nothing it would have to bring to an end."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def _death(self) -> Died:
        await self.end()
        code = self._process.returncode or 0
        lines = self._said.decode(errors="replace").strip().splitlines()
        return Died(lines[-1][:300] if lines else "", max(0, -code))

    async def _listen(self) -> None:
        """Keep the end of what it says on stderr, and never let it wait for that."""
        assert self._process.stderr is not None
        while said := await self._process.stderr.read(SAID_BYTES):
            self._said = (self._said + said)[-SAID_BYTES:]


def environment(limits: Limits) -> dict[str, str]:
    """What the child knows of the world."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    root = Path(edge.__file__).resolve().parents[1]
    if not root.name.endswith("-packages"):  # a checkout
        kept["PYTHONPATH"] = os.pathsep.join([str(root), *filter(None, [kept.get("PYTHONPATH")])])
    return {
        **kept,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "OPENCV_IO_MAX_IMAGE_PIXELS": str(limits.max_pixels),
        "OPENCV_LOG_LEVEL": "SILENT",
        "OPENCV_FFMPEG_LOGLEVEL": "-8",
        # a video may name other files, or addresses on the network
        "OPENCV_FFMPEG_CAPTURE_OPTIONS": f"protocol_whitelist;file|format_whitelist;{CONTAINERS}|threads;1",
    }
