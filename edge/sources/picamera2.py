"""Cameras on a Raspberry Pi's ribbon cable, through libcamera and picamera2."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from edge.demand import every
from edge.errors import ConfigError, PermanentError, TemporaryError
from edge.ports import Clock, Wanted
from edge.sources.newest import NewestFrame
from edge.sources.picamera2_controls import controls_of
from edge.sources.refused import tell_refused
from edge.sources.specs import Picamera2Spec
from edge.types import PixelFormat, Pixels

_log = logging.getLogger(__name__)

OPEN_TIMEOUT_S: Final = 8.0
_FORMATS: Final = ("YUV420", "NV12")
"""A Pi's image processor makes the first, as asked; other pipelines of libcamera have the second only."""
_ADVICE: Final = (
    "check the ribbon cable at both ends (contacts towards the board's), then try `rpicam-hello --list-cameras`"
)


def open_picamera2(spec: Picamera2Spec, clock: Clock, wanted: Wanted = every) -> NewestFrame:
    """Open a camera and wait for its first picture.

    Args:
        spec: which, and its mode.
        clock: stamps the frames.
        wanted: which pictures are to be copied out of libcamera's buffers.

    Raises:
        ConfigError: picamera2 is not installed.
        TemporaryError: there is no such camera, it is busy, or nothing came.
    """
    _library()
    name = f"picamera2:{spec.camera}"
    refused: list[str] = []
    source = NewestFrame(name, lambda: _Picamera2Device(spec, refused), clock, OPEN_TIMEOUT_S, _ADVICE, wanted)
    tell_refused(source, refused)
    return source


@dataclass(frozen=True, slots=True)
class RibbonCamera:
    """A camera that picamera2 sees.

    Attributes:
        number: to open it by.
        model: of its sensor.
        id: libcamera's path of it.
    """

    number: int
    model: str
    id: str


def cameras() -> tuple[int, ...]:
    """Numbers of the cameras that picamera2 sees.

    Raises:
        ConfigError: picamera2 is not installed.
        TemporaryError: libcamera does not start.
    """
    return tuple(camera.number for camera in ribbon_cameras())


def ribbon_cameras() -> tuple[RibbonCamera, ...]:
    """The cameras that picamera2 sees, none of them opened. USB cameras are left to V4L2, which reads their MJPEG.

    Raises:
        ConfigError: picamera2 is not installed.
        TemporaryError: libcamera does not start.
    """
    try:
        known = _library().global_camera_info()
    except (RuntimeError, OSError) as error:
        raise TemporaryError(f"libcamera does not list its cameras ({error}); {_ADVICE}") from error
    found = (RibbonCamera(int(info["Num"]), str(info.get("Model", "")), str(info.get("Id", ""))) for info in known)
    return tuple(camera for camera in found if "usb" not in camera.id.lower())


def _library() -> Any:
    """The class Picamera2."""
    # libcamera reports every start on stderr at its default level
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:WARN")
    try:
        from picamera2 import Picamera2  # noqa: PLC0415 (optional, and slow to import)
    except ImportError as error:
        raise ConfigError(
            f"picamera2 cannot be imported ({error}); it comes from Debian, not from PyPI: "
            f"`sudo apt install python3-picamera2`, and a virtual environment made with "
            f"`python3 -m venv --system-site-packages`"
        ) from error
    except (ValueError, AttributeError, RuntimeError, OSError) as error:
        # "numpy.dtype size changed": Debian's simplejpeg was built for another numpy (raspberrypi/picamera2#1211)
        raise ConfigError(
            f"picamera2 is installed, but does not start ({error}); its libraries and this environment's numpy do not "
            f"fit: `pip install --ignore-installed --no-deps simplejpeg`"
        ) from error
    return Picamera2


class _Picamera2Device:
    """YUV 4:2:0 from the image processor: grey for nothing, and half the memory traffic of BGR.

    Args:
        spec: what is wanted.
        refused: what the camera cannot do of it is put here.
    """

    def __init__(self, spec: Picamera2Spec, refused: list[str]) -> None:
        self._name = name = f"picamera2:{spec.camera}"
        library = _library()
        # in two steps, so that there is something to clear up where the second fails
        self._camera = library.__new__(library)
        try:
            self._camera.__init__(spec.camera)
        except (IndexError, RuntimeError, OSError) as error:
            _clear_up(self._camera)
            # picamera2 raises an IndexError or a RuntimeError for a number that does not exist, by its version
            if all(info["Num"] != spec.camera for info in library.global_camera_info()):
                raise TemporaryError(f"{name}: libcamera sees no camera with this number; {_ADVICE}") from None
            raise TemporaryError(
                f"{name} does not open ({error}); is another program using it? `rpicam-hello` and desktop viewers do, "
                f"and so does one that has crashed and not ended: `sudo fuser -v /dev/media*`"
            ) from error
        controls, impossible = controls_of(spec, self._camera.camera_controls)
        refused += impossible
        try:
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (spec.width, spec.height), "format": "YUV420"},
                    controls=controls,
                    **_flips(spec),
                    buffer_count=4,
                    # a queued frame is an old frame
                    queue=False,
                )
            )
            # the pipeline may have changed the size, and the format
            main = self._camera.camera_configuration()["main"]
            self._width, self._height = main["size"]
            self._format = main["format"]
            self._camera.start()
        except (RuntimeError, OSError) as error:
            self.close()
            raise TemporaryError(f"{name} does not start at {spec.size} ({error}); {_ADVICE}") from error
        if self._format not in _FORMATS:
            self.close()
            raise PermanentError(
                f"{name} delivers {self._format}, expected {' or '.join(_FORMATS)}; use it as a V4L2 camera if it is "
                f"one: v4l2:/dev/video0"
            )

    def grab(self, wanted: Callable[[], bool]) -> tuple[Pixels, PixelFormat] | None:
        """See `Device`. `make_array` copies the picture; its buffer is given back at once."""
        try:
            request = self._camera.capture_request()
            try:
                padded = request.make_array("main") if wanted() else None
            finally:
                request.release()
        except (RuntimeError, OSError, TimeoutError) as error:
            raise TemporaryError(f"{self._name} has stopped delivering ({error}); {_ADVICE}") from error
        if padded is None:
            return None
        if self._format == "NV12":
            return from_nv12(padded, self._width, self._height), PixelFormat.I420
        return without_padding(padded, self._width, self._height), PixelFormat.I420

    def close(self) -> None:
        """See `Device`. May hang after "Camera frontend has timed out"; the caller does not wait for it."""
        try:
            try:
                self._camera.stop()
            finally:  # one that was not started, or has failed, must be given back as well
                self._camera.close()
        except (RuntimeError, OSError) as error:
            _log.warning("%s does not close cleanly: %s", self._name, error)


def _clear_up(failed: Any) -> None:
    """Free what a Picamera2 holds whose opening failed: one end of its pipe would stay open for ever.

    It refers to itself, so it also keeps libcamera's camera until the next collection of garbage.
    """
    if getattr(failed, "is_open", False):  # it will close itself
        return
    failed.camera = None
    if hasattr(failed, "notifyme_w"):
        os.close(failed.notifyme_w)
        failed.notifymeread.close()


def _flips(spec: Picamera2Spec) -> dict[str, Any]:
    """What the sensor does before anybody sees the picture, at no cost."""
    if not (spec.hflip or spec.vflip):
        return {}
    from libcamera import Transform  # noqa: PLC0415 (comes with picamera2)

    return {"transform": Transform(hflip=spec.hflip, vflip=spec.vflip)}


def from_nv12(picture: Pixels, width: int, height: int) -> Pixels:
    """Take the two planes of colour apart that NV12 interleaves.

    Args:
        picture: uint8 (H * 3 / 2, W or more): H rows of Y, then rows of U and V in turn. Padding is at the right.
        width: of the picture in px, even.
        height: of the picture in px, even.

    Returns:
        uint8 (H * 3 / 2, W), contiguous: I420.
    """
    luma, colours = picture[:height, :width], picture[height : height * 3 // 2, :width]
    planes = [luma, colours[:, 0::2], colours[:, 1::2]]
    return np.concatenate([plane.reshape(-1) for plane in planes]).reshape(height * 3 // 2, width)


def without_padding(padded: Pixels, width: int, height: int) -> Pixels:
    """Cut the padding that the image processor appends to each row.

    Args:
        padded: uint8 (H * 3 / 2, stride): H rows of Y, then U and V with two of their rows in each row of the array.
        width: of the picture in px, even.
        height: of the picture in px, even.

    Returns:
        uint8 (H * 3 / 2, W), contiguous: I420.
    """
    stride = padded.shape[1]
    if stride == width:
        return padded
    flat = padded.reshape(-1)
    luma = flat[: height * stride].reshape(height, stride)[:, :width]
    # height rows of chroma in all: half as many as of luma, for each of two planes
    chroma = flat[height * stride : height * stride * 3 // 2].reshape(height, stride // 2)[:, : width // 2]
    return np.concatenate([luma.reshape(-1), chroma.reshape(-1)]).reshape(height * 3 // 2, width)
