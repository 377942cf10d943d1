"""From a URI to an open source."""

import time

from edge.demand import every
from edge.mailbox import Mailbox
from edge.named_paths import at_home
from edge.ports import Clock, FrameSource, Wanted
from edge.sources.fifo import FifoSource, check_pipe
from edge.sources.file import FileSource, check_video
from edge.sources.images import ImagesSource, find_pictures
from edge.sources.pacing import Sleep
from edge.sources.picamera2 import open_picamera2
from edge.sources.push import PushSource
from edge.sources.specs import DemoSpec, FifoSpec, FileSpec, ImagesSpec, Picamera2Spec, PushSpec, UrlSpec, V4l2Spec
from edge.sources.uri import AUTO, parse
from edge.sources.url import FROZEN_S, READ_TIMEOUT_S, open_url
from edge.sources.v4l2 import open_v4l2


def check(uri: str) -> None:
    """Find what is wrong with a URI at start-up, before anything is opened.

    Args:
        uri: `auto`, or what `edge.sources.uri.parse` takes.

    Raises:
        ConfigError: the URI cannot be understood, or names a file that is not there.
    """
    if uri.strip() == AUTO:
        return
    match parse(uri):
        case FileSpec(path=path):
            check_video(at_home(path))
        case ImagesSpec(pattern=pattern):
            find_pictures(pattern)
        case FifoSpec(path=path):
            check_pipe(path)
        case _:
            pass


def open_source(
    uri: str,
    *,
    clock: Clock = time.monotonic_ns,
    sleep: Sleep = time.sleep,
    silence_s: float = READ_TIMEOUT_S,
    frozen_s: float = FROZEN_S,
    mailbox: Mailbox | None = None,
    wanted: Wanted = every,
) -> FrameSource:
    """Open the source that a URI names.

    Args:
        uri: what `edge.sources.uri.parse` takes; for `auto`, first ask `edge.sources.choosing.choose`.
        clock: the world's time, for stamps and pacing.
        sleep: how to wait.
        silence_s: after how long a silent network stream is given up.
        frozen_s: after how long a network stream that repeats one picture is given up; 0 for never.
        mailbox: where `push:` takes its pictures from.
        wanted: which frames of a live source are to be made, where that saves something.

    Raises:
        ConfigError: the URI is wrong, or a library is missing.
        TemporaryError: the device is missing, busy or silent; try again.
        PermanentError: what is there holds no pictures.
    """
    match parse(uri):
        case DemoSpec() as spec:
            from edge.sources.demo import DemoSource  # noqa: PLC0415  # with it comes numpy.random

            return DemoSource(spec, clock, sleep, wanted)
        case FileSpec() as spec:
            return FileSource(spec, clock, sleep, wanted)
        case ImagesSpec() as spec:
            return ImagesSource(spec, clock, sleep)
        case FifoSpec() as spec:
            return FifoSource(spec, clock)
        case PushSpec():
            return PushSource(mailbox, clock, sleep)
        case spec:
            return _open_camera(spec, clock, silence_s, frozen_s, wanted)


def _open_camera(
    spec: V4l2Spec | Picamera2Spec | UrlSpec, clock: Clock, silence_s: float, frozen_s: float, wanted: Wanted
) -> FrameSource:
    match spec:
        case V4l2Spec():
            return open_v4l2(spec, clock, wanted)
        case Picamera2Spec():
            return open_picamera2(spec, clock, wanted)
        case UrlSpec():
            return open_url(spec, clock, read_timeout_s=silence_s, frozen_s=frozen_s, wanted=wanted)
