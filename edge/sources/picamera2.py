"""Cameras on a Raspberry Pi's ribbon cable, through libcamera and picamera2."""

import logging
import os
from typing import Any, Final

import numpy as np

from edge.errors import ConfigError, TemporaryError
from edge.ports import Clock
from edge.sources.newest import NewestFrame
from edge.sources.specs import Picamera2Spec
from edge.types import PixelFormat, Pixels

_log = logging.getLogger(__name__)

OPEN_TIMEOUT_S: Final = 8.0
_ADVICE: Final = (
    "check the ribbon cable at both ends (contacts towards the board's), then try `rpicam-hello --list-cameras`"
)


def open_picamera2(spec: Picamera2Spec, clock: Clock) -> NewestFrame:
    """Open a camera and wait for its first picture.

    Raises:
        ConfigError: picamera2 is not installed.
        TemporaryError: there is no such camera, it is busy, or nothing came.
    """
    _library()
    name = f"picamera2:{spec.camera}"
    return NewestFrame(name, lambda: _Picamera2Device(spec), clock, OPEN_TIMEOUT_S, _ADVICE)


def cameras() -> tuple[int, ...]:
    """Numbers of the cameras that picamera2 sees. USB cameras are left to V4L2, which reads their MJPEG.

    Raises:
        ConfigError: picamera2 is not installed.
        TemporaryError: libcamera does not start.
    """
    try:
        known = _library().global_camera_info()
    except (RuntimeError, OSError) as error:
        raise TemporaryError(f"libcamera does not list its cameras ({error}); {_ADVICE}") from error
    return tuple(int(info["Num"]) for info in known if "usb" not in str(info.get("Id", "")).lower())


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
    """YUV 4:2:0 from the image processor: grey for nothing, and half the memory traffic of BGR."""

    def __init__(self, spec: Picamera2Spec) -> None:
        self._name = name = f"picamera2:{spec.camera}"
        try:
            self._camera = _library()(spec.camera)
        except IndexError:
            raise TemporaryError(f"{name}: libcamera sees no camera with this number; {_ADVICE}") from None
        except (RuntimeError, OSError) as error:
            raise TemporaryError(
                f"{name} does not open ({error}); is another program using it? `rpicam-hello` and desktop viewers do"
            ) from error
        try:
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (spec.width, spec.height), "format": "YUV420"},
                    controls={"FrameRate": spec.fps},
                    buffer_count=4,
                    # a queued frame is an old frame
                    queue=False,
                )
            )
            # the pipeline may have changed the size
            self._width, self._height = self._camera.camera_configuration()["main"]["size"]
            self._camera.start()
        except (RuntimeError, OSError) as error:
            self.close()
            raise TemporaryError(f"{name} does not start at {spec.size} ({error}); {_ADVICE}") from error

    def grab(self) -> tuple[Pixels, PixelFormat]:
        """See `Device`. `capture_array` copies the picture and gives the buffer back at once."""
        try:
            padded = self._camera.capture_array("main")
        except (RuntimeError, OSError, TimeoutError) as error:
            raise TemporaryError(f"{self._name} has stopped delivering ({error}); {_ADVICE}") from error
        return without_padding(padded, self._width, self._height), PixelFormat.I420

    def close(self) -> None:
        """See `Device`. May hang after "Camera frontend has timed out"; the caller does not wait for it."""
        try:
            self._camera.stop()
            self._camera.close()
        except (RuntimeError, OSError) as error:
            _log.warning("%s does not close cleanly: %s", self._name, error)


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
