"""One video's analysis from the program's side: starts the process, listens to it, and ends it whatever comes."""

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge.config import Config
from edge.logs import event
from edge.uploads.confinement import Priority, limits_for_videos
from edge.uploads.process import Child, Died
from edge.uploads.protocol import AnalyseVideo, PictureResult, Progress, Refusal, VideoResult, without_secrets
from edge.uploads.refused import Refused

log = logging.getLogger(__name__)

STALL_S: Final = 600.0
"""A video whose analysis gives no sign of life for so long is given up, however busy the machine is."""
CPU_SHARE: Final = 30.0
"""Processor time for a video, in its own longest durations: a Full HD video on a slow board takes ten."""


async def followed(
    config: Config,
    folder: Path,
    report: Callable[[Progress], None],
    check: Callable[[], None],
    stall_s: float,
    priority: Priority,
) -> VideoResult:
    """Have a video analysed in a process of its own, which is gone afterwards.

    Args:
        config: the settings.
        folder: where the video lies as `store.VIDEO`; the results are written there.
        report: told how far it is.
        check: called off the event loop as often; raises `Refused` if the analysis must not go on.
        stall_s: see `STALL_S`.
        priority: of the process.

    Raises:
        Refused: it cannot be analysed.
    """
    uploads = config.uploads
    cpu_s = uploads.max_minutes * 60 * CPU_SHARE
    limits = limits_for_videos(uploads.max_megapixels, uploads.max_mb, cpu_s, priority)
    try:
        child = await Child.start(limits)
    except OSError as error:
        text = f"No process could be started to analyse it ({error.strerror}). Try again later."
        raise Refused("unavailable", text) from error
    try:
        await child.ask(AnalyseVideo(without_secrets(config), str(folder)))
        while True:
            async with asyncio.timeout(stall_s):
                reply, _ = await child.answer()
            match reply:
                case VideoResult():
                    return reply
                case Refusal():
                    raise Refused(reply.code, reply.message)
                case PictureResult():
                    raise Refused("crashed", "The video confused what was to read it; it is broken.")
            report(reply)
            await asyncio.to_thread(check)
    except TimeoutError:
        text = f"The analysis stood still for {stall_s:g} s and was given up; the video may be broken."
        raise Refused("timeout", text) from None
    except Died as death:
        raise _explained(death, cpu_s) from death
    finally:
        await child.end()


def _explained(death: Died, cpu_s: float) -> Refused:
    """What the process's death says of the video."""
    event(log, logging.INFO, "uploads.died", "a process did not survive a video", why=str(death), said=death.said)
    if death.signal == signal.SIGXCPU:
        return Refused("too_slow", f"It took more than {cpu_s:g} s of processor time and was given up.")
    return Refused("crashed", "The video crashed what was to read it; it is broken, or made to do harm.")
