"""What each kind of source can be told, declared once: names, types, limits, defaults and meanings."""

import math
import re
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

Size = Annotated[str, Meta(pattern=r"^[1-9]\d{2,3}x[1-9]\d{2,3}$", description="WIDTHxHEIGHT in px, such as 640x480")]
Fps = Annotated[float, Meta(ge=1, le=120, description="pictures per second, 1 to 120")]
Loop = Annotated[bool, Meta(description="1 to begin again at the end")]
Realtime = Annotated[bool, Meta(description="0 to take every picture in turn, as fast as it can be analysed")]
Exposure = Literal["auto"] | Annotated[int, Meta(ge=1, le=10_000_000)]
"""In microseconds."""
_EXPOSURE = Meta(description="auto, or microseconds from 1; without it, as the camera is set")


class _Sized(msgspec.Struct, frozen=True, kw_only=True):
    size: Size = "640x480"

    @property
    def width(self) -> int:
        """Columns in px."""
        return int(self.size.split("x")[0])

    @property
    def height(self) -> int:
        """Rows in px."""
        return int(self.size.split("x")[1])


class DemoSpec(_Sized, frozen=True, kw_only=True):
    """People drawn by code. The same seed gives the same film."""

    FORM: ClassVar = "demo"
    fps: Fps = 30.0
    seed: Annotated[int, Meta(ge=0, description="which film, a whole number from 0")] = 0
    faces: Annotated[int, Meta(ge=0, le=8, description="how many people, 0 to 8")] = 3
    realtime: Realtime = True
    duration_s: Annotated[float, Meta(gt=0, description="seconds after which it ends; without it, it does not")] = (
        msgspec.field(default=math.inf, name="duration")
    )


class FileSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A video file."""

    FORM: ClassVar = "file:PATH"
    TARGET: ClassVar = "path"
    path: str
    start_s: Annotated[float, Meta(ge=0, description="seconds into the film at which it begins")] = msgspec.field(
        default=0.0, name="start"
    )
    loop: Loop = False
    realtime: Realtime = True


class ImagesSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A picture, a folder of pictures, or a pattern such as `shots/*.jpg`."""

    FORM: ClassVar = "images:PATTERN"
    TARGET: ClassVar = "pattern"
    pattern: str
    fps: Annotated[float, Meta(ge=0.2, le=120, description="pictures per second, 0.2 to 120")] = 2.0
    loop: Loop = False
    realtime: Realtime = True


class FifoSpec(msgspec.Struct, frozen=True, kw_only=True):
    """JPEGs one after the other from a named pipe, or from standard input."""

    FORM: ClassVar = "fifo:PATH"
    TARGET: ClassVar = "path"
    path: Annotated[str, Meta(min_length=1, description="a named pipe, or - for standard input")]


class PushSpec(_Sized, frozen=True, kw_only=True):
    """JPEGs that a browser or a program sends to the server, at /api/v1/push."""

    FORM: ClassVar = "push"
    size: Annotated[
        str,
        Meta(pattern=r"^[1-9]\d{2,3}x[1-9]\d{2,3}$", description="largest picture that is taken, such as 1920x1080"),
    ] = "1920x1080"
    fps: Annotated[float, Meta(ge=1, le=120, description="pictures per second that are taken at most, 1 to 120")] = 30.0


class V4l2Spec(_Sized, frozen=True, kw_only=True):
    """A camera of the operating system: USB, built in, or a capture card."""

    FORM: ClassVar = "v4l2:DEVICE"
    TARGET: ClassVar = "device"
    device: Annotated[
        str, Meta(pattern=r"^(/dev/.+|\d+)$", description="/dev/video0, a link in /dev/v4l/by-id, or 0")
    ] = "/dev/video0"
    fps: Fps = 30.0
    format: Annotated[
        Literal["mjpg", "yuyv"] | None, Meta(description="mjpg or yuyv; without it, whichever reaches size and fps")
    ] = None
    exposure: Annotated[Exposure | None, _EXPOSURE] = None
    frozen_s: Annotated[
        float, Meta(ge=0, description="seconds of an unchanged picture after which it is opened again, 0 for never")
    ] = msgspec.field(default=10.0, name="frozen")


class Picamera2Spec(_Sized, frozen=True, kw_only=True):
    """A camera on a Raspberry Pi's ribbon cable."""

    FORM: ClassVar = "picamera2:NUMBER"
    TARGET: ClassVar = "camera"
    camera: Annotated[int, Meta(ge=0, description="number of the camera, from 0")] = 0
    fps: Fps = 30.0
    exposure: Annotated[Exposure | None, _EXPOSURE] = None
    autofocus: Annotated[
        Literal["continuous"] | Annotated[float, Meta(ge=0, le=32)] | None,
        Meta(description="continuous, or a fixed distance in dioptres: 0 is infinity, 2 half a metre"),
    ] = None
    hflip: Annotated[bool, Meta(description="1 to swap left and right in the camera")] = False
    vflip: Annotated[bool, Meta(description="1 to turn the picture upside down in the camera")] = False

    def __post_init__(self) -> None:
        if self.width % 2 or self.height % 2:
            raise ValueError("both sides must be even")


class UrlSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A network camera, stream or recording. May hold a password: neither `repr` nor any message shows it."""

    FORM: ClassVar = "http://…, https://…, rtsp://…"
    url: str

    def __repr__(self) -> str:
        return f"UrlSpec({redacted(self.url)})"


SourceSpec = DemoSpec | FileSpec | ImagesSpec | FifoSpec | PushSpec | V4l2Spec | Picamera2Spec | UrlSpec


def redacted(uri: str) -> str:
    """The URI without user, password and query, which may hold secrets; others than URLs are returned as they are."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return uri
    authority, slash, path = rest.partition("/")
    if "@" in path:  # a slash in the password
        authority, slash, path = path.rpartition("@")[2].partition("/")
    host = re.split("[?#]", authority.rpartition("@")[2])[0]
    return f"{scheme}://{host}{slash}{re.split('[?#]', path)[0]}"
