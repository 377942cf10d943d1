"""A V4L2 camera where the machine has none: this process is the sensor and its driver, `fake_camera.c` the kernel.

Whatever reads V4L2 cameras can be given it, started with the `environment` that comes with it: our own program, OpenCV
and programs of others, all on the same pictures.
"""

import mmap
import os
import shutil
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, NamedTuple

import cv2

from benchmarks.streaming import timecode
from benchmarks.streaming.scenes import FPS, pictures
from edge.encode import encode_jpeg
from edge.errors import PermanentError
from edge.types import Pixels

Format = Literal["MJPG", "YUYV"]
FORMATS: Final[tuple[Format, ...]] = ("MJPG", "YUYV")

QUALITY: Final = 80
"""Of the camera's JPEGs: that of the servers which encode, so that all send as much."""

LIBRARY: Final = Path(__file__).with_name("fake_camera.c")
NODES: Final = Path("/dev/shm")
"""A folder of /dev, where nodes of cameras have to be, in which anybody may make a file."""

# the same as in fake_camera.c
_HEAD: Final = struct.Struct("=4sIIIIIII")
_BUFFER: Final = struct.Struct("=IIQQ")
_COUNT_AT, _STREAMING_AT = 20, 24
_MOST_BUFFERS, _BEGIN = 8, 4096
_QUEUED, _FILLED = 1, 2
_STATE: Final = struct.Struct("=I")


class Camera(NamedTuple):
    """A camera that runs.

    Attributes:
        device: its node.
        format: of its pictures; it has no other.
        environment: what a program must be started with to see a camera there.
    """

    device: Path
    format: Format
    environment: Mapping[str, str]


@contextmanager
def fake_camera(code: Format, faces: int = 3, seconds: int = 3) -> Iterator[Camera]:
    """A camera of 640×480 at 30 pictures a second that shows people; the moment is drawn into each picture.

    Args:
        code: its format.
        faces: how many people.
        seconds: of film, shown there and back.

    Raises:
        PermanentError: there is no C compiler, or no Linux.
    """
    if not NODES.is_dir() or not hasattr(os, "memfd_create"):
        raise PermanentError(f"a camera made of code needs Linux, and the folder {NODES}")
    with (
        tempfile.TemporaryDirectory(prefix="emotion-edge-") as folder,
        tempfile.TemporaryDirectory(prefix="emotion-edge-", dir=NODES) as nodes,
    ):
        library = compiled(Path(folder))
        device = Path(nodes) / "video"
        os.mkfifo(device)
        memory = os.memfd_create("camera")
        size = -(-2 * timecode.WIDTH_PX * timecode.HEIGHT_PX // mmap.PAGESIZE) * mmap.PAGESIZE
        os.ftruncate(memory, _BEGIN + _MOST_BUFFERS * size)
        # open for both, so that it opens without a reader and has no end
        doorbell = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        environment = {
            "LD_PRELOAD": str(library),
            "FAKE_CAMERA_DEVICE": str(device),
            "FAKE_CAMERA_MEMORY": f"/proc/{os.getpid()}/fd/{memory}",
        }
        stop = threading.Event()
        try:
            with mmap.mmap(memory, 0) as shared:
                head = (code.encode(), timecode.WIDTH_PX, timecode.HEIGHT_PX, FPS, size, 0, 0, 0)
                _HEAD.pack_into(shared, 0, *head)
                sensor = _Sensor(shared, size, doorbell, in_format(code))
                thread = threading.Thread(target=sensor.run, args=(pictures(stop, faces, seconds),), daemon=True)
                thread.start()
                try:
                    yield Camera(device, code, environment)
                finally:
                    stop.set()
                    thread.join()
        finally:
            os.close(doorbell)
            os.close(memory)


def compiled(folder: Path) -> Path:
    """The library for LD_PRELOAD, made in `folder`.

    Raises:
        PermanentError: there is no C compiler, or it refuses.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise PermanentError("a camera made of code needs a C compiler; install one: apt-get install gcc libc6-dev")
    library = folder / "fake_camera.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(library), str(LIBRARY), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermanentError(f"{compiler} cannot compile {LIBRARY}: {done.stderr.strip()[-400:]}")
    return library


def in_format(code: Format) -> Callable[[Pixels], bytes]:
    """What makes a camera's bytes of a picture uint8 (H, W, 3) BGR."""
    if code == "MJPG":
        return lambda picture: encode_jpeg(picture, QUALITY)
    return lambda picture: cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_YUYV).tobytes()


class _Sensor:
    """Fills buffers that are queued; where there is none, the picture is lost, as with any camera.

    Args:
        shared: what stands in `struct camera`, and the buffers behind it.
        size: of a buffer in bytes.
        doorbell: the pipe.
        coded: see `in_format`.
    """

    def __init__(self, shared: mmap.mmap, size: int, doorbell: int, coded: Callable[[Pixels], bytes]) -> None:
        self._shared = shared
        self._size = size
        self._doorbell = doorbell
        self._coded = coded

    def run(self, film: Iterator[Pixels]) -> None:
        """Until the film ends."""
        for number, picture in enumerate(film):
            taken_ns = timecode.now_ns()
            index = self._queued()
            if index is None:
                continue
            data = self._coded(picture)
            begin = _BEGIN + index * self._size
            self._shared[begin : begin + len(data)] = data
            at = _HEAD.size + index * _BUFFER.size
            # given back meanwhile: the program has stopped
            if self._state(index) == _QUEUED:
                _BUFFER.pack_into(self._shared, at, _FILLED, len(data), number, taken_ns)
                os.write(self._doorbell, b"\0")

    def _queued(self) -> int | None:
        (streaming,) = _STATE.unpack_from(self._shared, _STREAMING_AT)
        (count,) = _STATE.unpack_from(self._shared, _COUNT_AT)
        return next((i for i in range(count) if streaming and self._state(i) == _QUEUED), None)

    def _state(self, index: int) -> int:
        state: int = _STATE.unpack_from(self._shared, _HEAD.size + index * _BUFFER.size)[0]
        return state
