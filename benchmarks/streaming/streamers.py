"""The servers whose viewers are counted, each on the same camera: our own, an example's, and ustreamer."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import MappingProxyType
from typing import Final, NamedTuple

from benchmarks.started import TIMEOUT_S, Started, started
from benchmarks.streaming import timecode
from benchmarks.streaming.crowds import OWN
from benchmarks.streaming.fake_camera import QUALITY, Camera
from benchmarks.streaming.scenes import FPS

PLAIN: Final = "plain server"
USTREAMER: Final = "ustreamer"
MOST_CLIENTS: Final = 200
HOST: Final = "127.0.0.1"


class Streamer(NamedTuple):
    """A server that runs.

    Attributes:
        process: it.
        port: on this machine; `/stream` is its stream.
    """

    process: Started
    port: int


@contextmanager
def own(camera: Camera) -> Iterator[Streamer]:
    """Our program: takes pictures, looks for faces and reads them, draws, encodes, sends."""
    command = [sys.executable, "-m", "edge", "run", "--port", "0", "--source", f"v4l2:{camera.device}"]
    room = {"EMOTION_EDGE_SERVER_MAX_CLIENTS": str(MOST_CLIENTS)}
    with started(command, {**camera.environment, **room}) as process:
        yield Streamer(process, _port(process.url()))


@contextmanager
def plain(camera: Camera) -> Iterator[Streamer]:
    """See `benchmarks.streaming.plain_server`."""
    command = [sys.executable, "-m", "benchmarks.streaming.plain_server", str(camera.device), camera.format]
    with started(command, camera.environment) as process:
        yield Streamer(process, _port(process.url()))


@contextmanager
def ustreamer(camera: Camera) -> Iterator[Streamer]:
    """The server of PiKVM in C, with its own settings but for what the camera is and how fine JPEGs are."""
    with socket.socket() as held:
        held.bind((HOST, 0))
        port: int = held.getsockname()[1]
    taken = ["--device", str(camera.device), "--format", "MJPEG" if camera.format == "MJPG" else camera.format]
    mode = ["--resolution", f"{timecode.WIDTH_PX}x{timecode.HEIGHT_PX}", "--desired-fps", str(FPS)]
    sent = ["--quality", str(QUALITY), "--host", HOST, "--port", str(port)]
    with started([USTREAMER, *taken, *mode, *sent], camera.environment) as process:
        _await(process, port)
        yield Streamer(process, port)


SERVERS: Final[Mapping[str, Callable[[Camera], AbstractContextManager[Streamer]]]] = MappingProxyType(
    {OWN: own, PLAIN: plain, USTREAMER: ustreamer}
)


def version_of_ustreamer() -> str:
    """Empty where it is not installed."""
    if shutil.which(USTREAMER) is None:
        return ""
    asked = subprocess.run([USTREAMER, "--version"], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    return asked.stdout.strip() or "unknown"


def _port(url: str) -> int:
    return int(url.rpartition(":")[2].strip("/"))


def _await(process: Started, port: int) -> None:
    """Until it listens: it does not say so on its standard output.

    Raises:
        PermanentError: it ended instead, or does not listen.
    """
    end_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end_s and process.process.poll() is None:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise process.ended()
