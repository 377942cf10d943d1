"""What a process that opens foreign files may use: little time, little memory, no core dump, no life of its own."""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

PR_SET_PDEATHSIG = 1
"""prctl(2)."""
PR_SET_NO_NEW_PRIVS = 38

CLONE_NEWNET = 0x40000000
"""unshare(2)."""
CLONE_NEWUSER = 0x10000000

BASE_BYTES = 512 * 1024 * 1024
"""Address space of interpreter, OpenCV, TFLite and the models, measured at 330 MB on x86-64, with room."""
VIDEO_BYTES = 1024 * 1024 * 1024
"""More for decoder and encoder of a video, which keep many frames and run threads."""
BYTES_PER_PIXEL = 16
"""Coefficients of a progressive JPEG (6), the picture, one that is turned, one that is drawn on (3 each)."""

OPEN_FILES = 64
NICENESS = 19

Priority = Literal["usual", "low", "idle"]
"""`low`: a 70th of what others get of a core that all want, so that an answer comes in the end. `idle`: next to nothing
of it, and whoever wants it gets it at once."""


class Limits(msgspec.Struct, frozen=True):
    """What the process may use.

    Attributes:
        address_space_bytes: all it may map.
        file_bytes: of any file it writes.
        cpu_s: processor time for one picture, or one video.
        max_pixels: of a picture or frame.
        priority: of the whole process.
    """

    address_space_bytes: int
    file_bytes: int
    cpu_s: float
    max_pixels: int
    priority: Priority


def limits_for_pictures(max_megapixels: float, cpu_s: float, priority: Priority) -> Limits:
    """For pictures, which are written to no file; what native libraries say while the models are loaded is."""
    pixels = round(max_megapixels * 1e6)
    return Limits(BASE_BYTES + BYTES_PER_PIXEL * pixels, 1024 * 1024, cpu_s, pixels, priority)


def limits_for_videos(max_megapixels: float, max_mb: float, cpu_s: float, priority: Priority) -> Limits:
    """For a video, whose results take no more than twice what it may have itself."""
    pixels = round(max_megapixels * 1e6)
    space = BASE_BYTES + VIDEO_BYTES + BYTES_PER_PIXEL * pixels
    return Limits(space, round(2e6 * max(max_mb, 50.0)), cpu_s, pixels, priority)


def confine(limits: Limits, parent: int) -> None:
    """Put the calling process under `limits`, and behind everybody else. Before anything starts a thread.

    What this system does not know, or does not allow, is left out: none of it makes the rest useless.

    Args:
        limits: what it may use.
        parent: id of the process it is to die with.
    """
    os.umask(0o077)
    _give_way(limits.priority)
    _die_with(parent)
    _cut_off_network()
    _limit(limits)


def allow_cpu(seconds: float) -> None:
    """End this process after so many more seconds of processor time; 0 takes the limit away."""
    try:
        import resource  # noqa: PLC0415 (not on every system)
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = round(used.ru_utime + used.ru_stime + seconds + 0.5) if seconds else resource.RLIM_INFINITY
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _give_way(priority: Priority) -> None:
    """Let others run first, and be the first to go when memory is short."""
    if priority != "usual":
        with suppress(OSError, AttributeError):
            os.nice(NICENESS)
    if priority == "idle":
        with suppress(OSError, AttributeError):
            # also its disk accesses: Linux takes the idle class for those of an idle process
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _die_with(parent: int) -> None:
    """Be killed when the program ends, however it ends."""
    libc = _libc()
    if libc is None:
        return
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:  # it ended just before
        sys.exit(0)


def _cut_off_network() -> None:
    """Into a network without interfaces; where that is forbidden, only the decoders are told to read files alone."""
    libc = _libc()
    if libc is not None and libc.unshare(CLONE_NEWNET) != 0:
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _limit(limits: Limits) -> None:
    try:
        import resource  # noqa: PLC0415 (not on every system)
    except ImportError:
        return
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_AS: limits.address_space_bytes,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: OPEN_FILES,
    }
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, limit))


def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
