"""Tells people what a camera did not take of what was asked for."""

import logging

from edge.ports import FrameSource

_log = logging.getLogger(__name__)
_said: set[str] = set()
"""What is in the log already: a camera that is opened again and again says it once."""


def tell_refused(source: FrameSource, refused: list[str]) -> None:
    """Write it into the log, once, and into the source's name, which state and page show.

    Args:
        source: open; its name is changed.
        refused: one clause each, such as "asked for 1280x720 30, got 640x480 YUYV 30"; may be empty.
    """
    if not refused:
        return
    source.name = ", ".join((source.name, *refused))
    if source.name not in _said:
        _said.add(source.name)
        _log.warning("%s; see `emotion-edge sources` for what it offers", source.name)
